import dataclasses
import json
import resource

import numpy as np
import pytest
import tensorflow as tf

import export
from dcgan.config import RunConfig
from dcgan.detector import Calibration, Detector, detector_files
from dcgan.detector import save as save_detector
from dcgan.detector.familiarity import familiarity_model
from dcgan.errors import InputError
from dcgan.images import to_float
from dcgan.runs.run_directory import RunDirectory
from export.graph import saved_model

CALIBRATION = Calibration(
    slope=2.0,
    offset=-1.0,
    fake_above=0.2,
    real_below=-0.2,
    false_positive_rate=0.01,
    confidence=0.95,
    deliveries=("as they are", "jpeg 75"),
    miss_rate=0.02,
    reals=500,
    fakes=400,
)
REPORT = {
    "evaluation": {"epochs": 1, "scores": {"frechet_distance": {"value": 12.5, "floor": 1.25}}},
    "detector": {
        "headline": {"warnings": ["Beware."], "sentences": ["Expect an AUROC of 0.900."]},
        "generators": {"diffusion": {"mean_auroc": 0.9, "worst_auroc": 0.8, "worst_delivery": "blur"}},
        "false_positives": {"worst": 0.012, "worst_delivery": "blur", "interval": [0.007, 0.013]},
    },
    "run": {"left": "out"},
}


@pytest.fixture
def detector(make_gan):
    made = Detector.from_discriminator(make_gan().discriminator, width=4, seed=1)
    made.calibrate(CALIBRATION)
    return made


@pytest.fixture
def run(gan, tmp_path):
    directory = RunDirectory(tmp_path / "run")
    RunConfig(data="/somewhere/private/faces").save(directory.config)
    gan.save(directory.model)
    return directory


def card(exported):
    return json.loads((exported.path / "assets.extra" / "model_card.json").read_text())


def score(exported, pixels):
    loaded = tf.saved_model.load(str(exported.path))
    outputs = loaded.signatures["predict_uint8"](images=tf.constant(pixels))
    return {name: value.numpy() for name, value in outputs.items()}


@pytest.mark.slow
def test_a_run_without_a_detector_is_marked_uncalibrated(run, gan):
    exported = export.export_model(run.path)
    assert exported.directory == run.path / "export" / "detector" / "1"
    assert exported.path == exported.directory / "Format-Serving"
    assert (exported.version, exported.calibrated) == (1, False)
    found = card(exported)
    assert (found["kind"], found["calibrated"], found["calibration"]) == ("discriminator", False, None)
    assert found["digest"] == exported.digest == saved_model.digest(exported.path)
    assert found["signatures"] == saved_model.describe(exported.path)
    assert "**Uncalibrated**" in (exported.path / "assets.extra" / "model_card.md").read_text()


def test_a_runs_detector_with_its_decisions(run, detector):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), dtype=np.uint8)
    low, high = np.quantile(detector.raw_scores(pixels), [0.3, 0.6])
    detector.calibrate(dataclasses.replace(CALIBRATION, real_below=float(low), fake_above=float(high)))
    save_detector(detector, run.detector)
    exported = export.export_model(run)
    assert exported.calibrated
    expected, given = detector.score(pixels), score(exported, pixels)
    np.testing.assert_allclose(given["p_fake"], expected["p_fake"], atol=1e-5)
    np.testing.assert_allclose(given["discriminator_logit"], expected["discriminator_logit"], atol=1e-5)
    decisions = np.array(["real", "unsure", "fake"])[expected["decision"]]
    assert list(given["decision"].astype(str)) == list(decisions)
    assert set(decisions) == {"real", "unsure", "fake"}
    found = card(exported)
    assert (found["kind"], found["calibration"]["reals"]) == ("detector", 500)


@pytest.mark.slow
def test_unfamiliar_images_stay_unsure_when_exported(detector, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
    model = familiarity_model.build((8, 8, 1))
    logits = familiarity_model.strangeness(model)(to_float(pixels)).numpy()
    for which in (0, 1):
        known = np.quantile(logits, np.linspace(0, 0.7, 2_000))
        familiarity_model.p_values(model).calibrate(known, which=which)
    detector.calibrate(dataclasses.replace(CALIBRATION, fake_above=-99, real_below=-99))
    exported = export.export_model(detector.with_familiarity(model), tmp_path)
    given = score(exported, pixels)
    expected = detector.with_familiarity(model).score(pixels)
    np.testing.assert_allclose(given["familiarity"], expected["familiarity"], atol=1e-4)
    np.testing.assert_allclose(given["p_fake"], expected["p_fake"], atol=1e-3)
    unfamiliar = given["familiarity"] < 0.01
    assert 8 <= unfamiliar.sum() <= 16
    assert set(given["decision"][unfamiliar]) == {b"unsure"}
    assert set(given["decision"][~unfamiliar]) == {b"fake"}


@pytest.mark.slow
def test_the_card_tells_data_metrics_and_versions(run, detector):
    evaluate(run, detector)
    run.metrics.write_text("epoch,g_loss,d_loss\n1,0.5,nan\n")
    exported = export.export_model(run)
    found = card(exported)
    assert found["data"] == {"name": "faces", "split": "train"}
    assert found["metrics"]["last_epoch"] == {"epoch": 1.0, "g_loss": 0.5}
    assert found["metrics"]["evaluation"] == REPORT["evaluation"]
    assert set(found["metrics"]) == {"last_epoch", "evaluation", "detector"}
    assert set(found["versions"]) == {"python", "dcgan", "tensorflow", "keras", "numpy"}
    text = (exported.path / "assets.extra" / "model_card.md").read_text()
    assert "| samples: frechet_distance | 12.5 | 1.25 |" in text
    assert "- **Beware.**\n- Expect an AUROC of 0.900.\n" in text
    assert "diffusion | 0.900 | worst: 0.800 under blur |" in text
    assert "| reals called fake, blur | 1.20% | 0.70% to 1.30% expected at most |" in text
    assert "| `predict_uint8` | `images` uint8 (any, 8, 8, 1) |" in text
    assert not [path for path in exported.path.rglob("*") if path.is_file() and leaks(path)]


def evaluate(run, detector):
    """Puts a detector and a report on it into a run."""
    save_detector(detector, run.detector)
    digest = detector_files.DetectorFiles(run).digest()
    report = REPORT | {"detector": REPORT["detector"] | {"digest": digest}}
    run.report_json.write_text(json.dumps(report))


@pytest.mark.slow
def test_the_card_leaves_out_what_was_measured_of_another_model(run, detector):
    evaluate(run, detector)
    detector.calibrate(dataclasses.replace(CALIBRATION, fake_above=0.3))
    detector.save(run.detector)
    run.metrics.write_text("epoch,g_loss,d_loss\n1,0.5,0.4\n2,0.5,0.4\n")
    exported = export.export_model(run)
    assert set(card(exported)["metrics"]) == {"last_epoch"}
    text = (exported.path / "assets.extra" / "model_card.md").read_text()
    assert "**Nothing is known**: it was not evaluated, or has been changed since." in text


def leaks(path):
    return b"/somewhere/private" in path.read_bytes()


def test_a_damaged_report_is_named(run):
    run.report_json.write_text("{")
    with pytest.raises(InputError, match=r"report\.json: expected a run's report"):
        export.export_model(run)


@pytest.mark.slow
def test_a_model_from_memory(gan, detector, tmp_path):
    assert not export.export_model(gan, tmp_path).calibrated
    exported = export.export_model(detector, tmp_path, keep=1)
    assert (exported.version, exported.calibrated) == (2, True)
    assert [path.name for path in exported.directory.parent.iterdir()] == ["2"]
    assert card(exported)["data"] is None
    with pytest.raises(ValueError, match="Expected a base directory"):
        export.export_model(gan)


@pytest.mark.slow
def test_the_limit_of_pixels(gan, encode, make_pixels, tmp_path):
    loaded = tf.saved_model.load(str(export.export_model(gan, tmp_path, max_pixels=99).path))
    images = tf.constant([encode(make_pixels(10, 10)), encode(make_pixels(9, 11))])
    errors = loaded.signatures["predict_bytes"](image_bytes=images)["error"].numpy().tolist()
    assert errors == [b"10 x 10 pixels are more than the 99 allowed", b""]


def test_a_generator_beside_it(run, gan, tmp_path):
    exported = export.export_generator(run, tmp_path)
    assert exported.path == tmp_path / "generator" / "1" / "Format-Serving"
    assert card(exported)["kind"] == "generator"
    assert sorted(path.name for path in (exported.path / "assets.extra").iterdir()) == [
        "model_card.json",
        "model_card.md",
        "tf_serving_warmup_requests",
    ]


@pytest.mark.slow
def test_a_full_disk_while_the_weights_are_written(gan, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))
    try:
        with pytest.raises(InputError) as caught:
            export.export_model(gan, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value).startswith(f"{tmp_path / 'detector'}: expected a directory to write to (")
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "detector").iterdir()) == []


def test_a_name_that_cannot_be_one(gan, tmp_path):
    for function in (export.export_model, export.export_generator):
        with pytest.raises(InputError, match="name: expected"):
            function(gan, tmp_path, name="../other")
    assert list(tmp_path.iterdir()) == []
