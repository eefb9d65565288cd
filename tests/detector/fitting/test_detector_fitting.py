import keras
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dcgan.detector import certificate
from dcgan.detector.delivery import deliveries
from dcgan.detector.fakes.fake_pool import FakePool, Fakes
from dcgan.detector.fitting import classifier_training, detector_fitting, held_back
from dcgan.detector.inputs.reals import Reals
from dcgan.errors import InputError

pytestmark = pytest.mark.slow


def test_tells_fakes_of_its_kind(fitted, spots, spoiled):
    reals, fakes = spots(100, 50), spoiled(100, "checks", 51)
    scores = fitted.detector.score(np.concatenate([reals, fakes]))["p_fake"]
    assert roc_auc_score(np.repeat([0, 1], 100), scores) > 0.95


def test_classifier_is_float32_and_carries_no_optimizer(fitted):
    classifier = fitted.detector.classifier
    assert {layer.compute_dtype for layer in classifier.layers} == {"float32"}
    assert not classifier.compiled


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu avx512_bf16 sse", "mixed_bfloat16"), ("amx_bf16", "mixed_bfloat16"), ("fpu avx2", "float32")],
)
def test_half_precision_where_the_processor_has_it(tmp_path, monkeypatch, flags, expected):
    monkeypatch.setattr(classifier_training, "_PROCESSOR", tmp_path / "cpuinfo")
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    assert classifier_training.fastest_precision() == "float32"
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    assert classifier_training.fastest_precision() == expected
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert classifier_training.fastest_precision() == "float32"


def test_images_of_another_kind_are_neither_real_nor_fake(fitted, spots):
    noise = np.random.default_rng(0).integers(0, 256, (100, 12, 12, 1), np.uint8)
    for strange in (noise, 255 - spots(100, 52)):
        scores = fitted.detector.score(strange)
        assert (scores["decision"] == 1).mean() > 0.9
        assert np.abs(scores["p_fake"] - 0.5).mean() < 0.1
    known = fitted.detector.score(spots(100, 53))["familiarity"]
    assert (known < 0.01).mean() <= 0.05


def test_threshold_stands_on_the_calibration_reals(fitted, reals, config):
    calibration = fitted.detector.calibration
    assert calibration.reals == len(reals.calibration)
    assert calibration.false_positive_rate == config.false_positive_rate
    decisions = fitted.detector.score(reals.calibration)["decision"]
    # Of 150, only the largest score is sure enough for 34 deliveries at once.
    assert (decisions == 2).sum() == 0
    assert calibration.deliveries == certificate.CERTIFIED
    assert calibration.fake_above == fitted.scores.delivered_reals.max()
    logits = fitted.detector.raw_scores(reals.calibration)
    np.testing.assert_allclose(fitted.scores.delivered_reals[0], logits, atol=1e-5)
    assert fitted.scores.delivered_reals.shape == (len(certificate.CERTIFIED), 150)


def test_each_fold_is_kept_from_its_family(fitted, pool, reals, config, monkeypatch):
    def train(discriminator, part, images, config, *, steps, callback):
        return part, steps

    monkeypatch.setattr(classifier_training, "_train", train)
    whole, folds = classifier_training.train(None, pool, reals.train, config=config)
    assert whole == (pool, config.steps)
    assert list(folds) == sorted(fitted.folds) == ["autoencoder", "gan"]
    for family, (part, steps) in folds.items():
        assert set(part.families) == set(folds) - {family}
        assert steps == config.fold_steps


def test_the_learning_rate_rises_and_falls_once_over_all_steps(
    make_discriminator, pool, reals, config, monkeypatch
):
    planned = []

    def make(learning_rate, steps):
        planned.append(steps)
        return optimizer(learning_rate, steps)

    optimizer = classifier_training.optimizer
    monkeypatch.setattr(classifier_training, "optimizer", make)
    monkeypatch.setattr(
        keras.Model, "fit", lambda self, data, **options: planned.append(options["steps_per_epoch"])
    )
    classifier_training._train(make_discriminator(), pool, reals.train, config, steps=40, callback=None)
    assert planned == [40, 40]
    rate = keras.optimizers.schedules.deserialize(optimizer(0.5, 100).get_config()["learning_rate"])
    rates = [float(rate(step)) for step in range(101)]
    assert rates[0] == rates[100] == 0
    assert np.argmax(rates) == 6
    assert max(rates) == pytest.approx(0.5)
    assert rates[53] == pytest.approx(0.25)


def test_scores_of_fakes_held_back_cover_every_generator(fitted, pool):
    assert set(fitted.scores.generators) == set(pool.counts())
    count = len(pool.images[::10])
    assert len(fitted.scores.fakes) == len(fitted.scores.generators) == 2 * count


def test_fakes_of_unknown_families_are_nearer_to_the_reals(fitted):
    known, unknown = np.split(fitted.scores.fakes, 2)
    middle = fitted.scores.reals.mean()
    assert abs(unknown.mean() - middle) < abs(known.mean() - middle)
    assert (np.sign(unknown - middle) == np.sign(known - middle)).all()


class _Fixed:
    """Scores reals as -1 and 1, fakes as told."""

    def __init__(self, fakes):
        self._fakes = fakes

    def raw_scores(self, images):
        fakes = np.full(len(images), self._fakes, np.float32)
        return np.where(images[:, 0, 0, 0] == 0, np.resize([-1, 1], len(images)), fakes)


def test_fakes_of_unknown_families_come_as_near_as_folds_tell(monkeypatch):
    monkeypatch.setattr(deliveries, "random_chains", lambda images, rng: images)
    reals = Reals(*[np.zeros((10, 4, 4, 1), np.uint8)] * 3)
    images = np.full((10, 4, 4, 1), 9, np.uint8)
    pool = FakePool.join([Fakes(name + "-a", name, images) for name in ("gan", "denoiser")])
    # Histogram-matched, every other of the fakes is zero as well and scores 1.
    folds = {"gan": _Fixed(2), "denoiser": _Fixed(10)}
    scores = held_back.score(_Fixed(8), folds, pool, reals, names=["as they are"])
    known, unknown = np.split(scores.fakes, 2)
    shares = np.where(scores.generators[:20] == "gan-a", (2 + 1) / (10 + 1), 1)
    np.testing.assert_allclose(unknown, shares * known, rtol=1e-5)
    assert scores.reals.tolist() == [-1, 1] * 5


def test_too_few_reals_for_the_rate_are_refused_before_training(
    make_discriminator, pool, reals, config, monkeypatch
):
    monkeypatch.setattr(classifier_training, "_train", None)
    asked = type(config)(**{**vars(config), "false_positive_rate": 0.001})
    with pytest.raises(InputError, match="at least 6,519 real images to certify"):
        detector_fitting.fit(make_discriminator(), pool, reals, config=asked)


def test_progress_reaches_the_end_of_each_stage(make_discriminator, reals, config, spoiled):
    seen = []
    tiny = type(config)(**{**vars(config), "steps": 2, "fold_steps": 1, "familiarity_steps": 1})
    pool = FakePool.join([Fakes("a", "gan", spoiled(20, "checks", 1))])
    fitted = detector_fitting.fit(
        make_discriminator(),
        pool,
        reals,
        config=tiny,
        progress=lambda *state: seen.append(state),
    )
    assert seen == [*(("detector", share) for share in (0.5, 1.0)), ("familiarity", 1.0)]
    # With a single family there is nothing to leave out: it calibrates on fakes held back.
    assert fitted.folds == {}
    assert len(fitted.scores.fakes) > 0
