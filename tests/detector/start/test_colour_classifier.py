import keras
import numpy as np
import pytest

from dcgan.detector import detector_files, saliency, start
from dcgan.detector.detector_model import Detector
from dcgan.detector.fitting import classifier_training
from dcgan.detector.layers.joined_evidence import JoinedEvidence
from dcgan.detector.start import colour_classifier

SHAPE = (16, 16, 3)


def _photos(count=20, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *SHAPE), np.uint8)


@pytest.fixture(scope="module")
def discriminator():
    layers = [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(1)]
    return keras.Sequential(layers)


@pytest.fixture
def detector(discriminator, small_start):
    return Detector.from_discriminator(discriminator)


def test_either_branch_gives_evidence_and_none_takes_it_away():
    join = JoinedEvidence()
    join.standardise(np.float32([[9, 40], [11, 60]]))

    def joined(first, second):
        return join(np.float32([[first]]), np.float32([[second]])).numpy().item()

    assert joined(13, 80) == pytest.approx(3 + np.log(2), abs=1e-5)
    assert joined(13, -950) == pytest.approx(3, abs=1e-5)
    assert joined(-10_000, 80) == pytest.approx(3, abs=1e-5)
    assert joined(13, 70) > joined(13, 60) > joined(13, 50)
    join.standardise(np.float32([[9, 40], [11, 60]]), (0.25, 1.0))
    assert joined(13, -950) == pytest.approx(3 + np.log(0.25), abs=1e-5)
    assert joined(-10_000, 80) == pytest.approx(3, abs=1e-5)


def test_evidence_comes_back_from_its_config_and_weights(tmp_path):
    inputs = [keras.Input((1,)), keras.Input((1,))]
    layer = JoinedEvidence(name="evidence")
    model = keras.Model(inputs, layer(*inputs))
    layer.standardise(np.float32([[9, 40], [11, 60]]))
    model.save(tmp_path / "model.keras")
    values = [np.float32([[12]]), np.float32([[70]])]
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(values), model(values))


def test_colour_images_get_the_start_twice_and_one_of_them_learns(detector, discriminator):
    assert colour_classifier.has_start(detector.classifier)
    frozen = detector.classifier.get_layer("start")
    learner = colour_classifier.learner_of(detector.classifier)
    for a, b in zip(frozen.get_weights(), learner.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    trained = {id(weight) for weight in detector.trainable_weights}
    assert trained == {id(weight) for weight in learner.trainable_weights}


def test_grey_images_have_no_start():
    layers = [keras.Input((16, 16, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    detector = Detector.from_discriminator(keras.Sequential(layers), width=4)
    assert not colour_classifier.has_start(detector.classifier)
    assert colour_classifier.learner_of(detector.classifier) is detector.classifier


@pytest.mark.slow
def test_training_leaves_the_start_as_it_came(detector):
    before = [weight.copy() for weight in detector.classifier.get_layer("start").get_weights()]
    learned = [weight.copy() for weight in detector.classifier.get_layer("learner").get_weights()]
    detector.compile("adam")
    detector.fit(_photos() / np.float32(127.5) - 1, np.resize([0.0, 1.0], 20), epochs=1, verbose=0)
    after = detector.classifier.get_layer("start").get_weights()
    for a, b in zip(before, after, strict=True):
        np.testing.assert_array_equal(a, b)
    now = detector.classifier.get_layer("learner").get_weights()
    assert any((a != b).any() for a, b in zip(learned, now, strict=True))


def test_the_start_says_the_same_while_the_other_trains(detector):
    images = _photos(4) / np.float32(127.5) - 1
    frozen = detector.classifier.get_layer("start")
    np.testing.assert_array_equal(frozen(images, training=True), frozen(images, training=False))


def test_reals_stand_at_0_in_both_branches(detector):
    reals = _photos(200)
    colour_classifier.standardise(detector.classifier, reals)
    evidence = detector.classifier.get_layer("evidence")
    logits = colour_classifier.score_branches(detector.classifier, reals)
    assert logits.shape == (200, 3)
    np.testing.assert_allclose(logits[:, 2], detector.raw_scores(reals), atol=1e-4)
    scores = (logits[:, :2] - evidence.means.numpy()) / evidence.deviations.numpy()
    np.testing.assert_allclose(detector.raw_scores(reals), np.log(np.exp(scores).sum(axis=1)), atol=1e-4)


def test_comes_back_from_its_file_and_explains_itself(detector, tmp_path):
    colour_classifier.standardise(detector.classifier, _photos(50))
    detector_files.save(detector, tmp_path / "detector.keras")
    loaded = detector_files.load(tmp_path / "detector.keras")
    np.testing.assert_allclose(loaded.raw_scores(_photos()), detector.raw_scores(_photos()), atol=1e-5)
    trained = colour_classifier.learner_of(loaded.classifier).trainable_weights
    assert len(loaded.trainable_weights) == len(trained)
    assert saliency.heat_maps(loaded, _photos(2)).shape == (2, 16, 16)


@pytest.fixture
def untrained(monkeypatch):
    """Lets training change nothing."""
    monkeypatch.setattr(keras.Model, "fit", lambda self, data, **options: None)
    monkeypatch.setattr(
        classifier_training.training_batches, "training_batches", lambda *args, **kwargs: None
    )


@pytest.mark.usefixtures("untrained")
def test_after_learning_the_start_counts_for_less(detector, config):
    colour_classifier.standardise(detector.classifier, _photos(50))
    learned = classifier_training.train_on(detector, None, _photos(50), config=config, steps=1)
    before, after = (
        model.classifier.get_layer("evidence").factors.numpy() for model in (detector, learned)
    )
    assert before[0] == before[1] == after[1] == 1
    assert 0 < after[0] < 0.5
    heat = colour_classifier.evidence_maps(learned.classifier, _photos(2))
    assert np.isfinite(heat).all()


@pytest.mark.usefixtures("untrained")
def test_training_begins_at_the_start_and_measures_by_the_reals(discriminator, config):
    trained = classifier_training._train(
        discriminator, None, _photos(50), config, steps=1, callback=None
    )
    shipped = start.load_start(SHAPE)
    learner = colour_classifier.learner_of(trained.classifier)
    for a, b in zip(shipped.get_weights(), learner.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    evidence = trained.classifier.get_layer("evidence")
    assert (evidence.deviations.numpy() != 1).all()
