import json

import numpy as np
import pytest
import tensorflow as tf

import export
from dcgan.config import RunConfig
from dcgan.detector import Calibration, Detector, detector_files
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory
from export import sources
from export.publishing import blessing
from export.validation import fresh_process, probes, validator
from export.validation.metric_thresholds import Thresholds

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
SIGNATURES = {"predict_images", "predict_uint8", "predict_bytes", "serving_default", "classify"}


@pytest.fixture(scope="module")
def detector(make_gan):
    made = Detector.from_discriminator(make_gan().discriminator, width=4, seed=1)
    made.calibrate(CALIBRATION)
    return made


@pytest.fixture(scope="module")
def made(gan, tmp_path_factory):
    """A candidate of the model's discriminator."""
    return export.export_model(gan, tmp_path_factory.mktemp("models"))


@pytest.fixture
def run(gan, tmp_path):
    """A run whose samples have a precision of 0.5."""
    directory = RunDirectory(tmp_path / "run")
    RunConfig().save(directory.config)
    gan.save(directory.model)
    report = {"evaluation": {"epochs": 0, "scores": {"precision": {"value": 0.5}}}}
    directory.report_json.write_text(json.dumps(report))
    return directory


@pytest.fixture
def in_this_process(monkeypatch):
    """Spares the fresh process its start."""

    def answer(model, requests):
        loaded = tf.saved_model.load(str(model)).signatures
        calls = [
            loaded[name](**{k: tf.constant(v) for k, v in inputs.items()}) for name, inputs in requests
        ]
        return [{name: value.numpy() for name, value in outputs.items()} for outputs in calls]

    monkeypatch.setattr(fresh_process, "answer", answer)


@pytest.fixture
def answer_as(monkeypatch):
    """Answers by a function of what Keras says instead of by a process."""

    def replace(change, source):
        known = {probe.signature: probe.expected for probe in probes.for_scoring_model(source)}

        def answer(model, requests):
            return [change(name, dict(known[name])) for name, _ in requests]

        monkeypatch.setattr(fresh_process, "answer", answer)

    return replace


def read(exported):
    return json.loads((exported.directory / "validation.json").read_text())


def marks(exported):
    return {str(path.relative_to(exported.directory)) for path in exported.directory.glob("*/*BLESSED")}


@pytest.mark.slow
def test_a_fresh_process_agrees_with_keras(detector, tmp_path, monkeypatch):
    exported = export.export_model(detector, tmp_path)
    # What the process would find first if it looked for Keras.
    (tmp_path / "keras.py").write_text("import pathlib; pathlib.Path(__file__ + '.used').touch()")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = export.validate_model(exported, detector)
    assert not (tmp_path / "keras.py.used").exists()
    assert (found.blessed, found.infra_blessed, found.reasons) == (True, True, ())
    assert set(found.differences) == SIGNATURES
    assert max(found.differences.values()) < 1e-4
    assert marks(exported) == {"blessing/BLESSED", "infra_blessing/INFRA_BLESSED"}
    report = read(exported)
    assert report["digest"] == exported.digest
    assert (report["blessed"], report["infra_blessed"], report["live"]) == (True, True, None)


def test_a_generator(gan, make_gan, tmp_path, in_this_process):
    exported = export.export_generator(gan, tmp_path)
    assert export.validate_model(exported, gan).blessed
    other = make_gan()
    other.generator.set_weights([weight + 0.2 for weight in other.generator.get_weights()])
    found = export.validate_model(exported, other)
    assert (found.blessed, found.infra_blessed) == (False, True)
    assert found.reasons[0].startswith("serving_default: images is ")


@pytest.mark.slow
def test_another_model_than_keras_has(made, detector, in_this_process):
    found = export.validate_model(made, detector)
    assert (found.blessed, found.infra_blessed) == (False, True)
    assert any(reason.startswith("predict_uint8: p_fake is ") for reason in found.reasons)
    assert marks(made) == {"blessing/NOT_BLESSED", "infra_blessing/INFRA_BLESSED"}


@pytest.mark.slow
def test_what_a_server_cannot_load(gan, tmp_path):
    exported = export.export_model(gan, tmp_path)
    (exported.path / "variables" / "variables.index").unlink()
    found = export.validate_model(exported, gan)
    assert (found.blessed, found.infra_blessed) == (False, False)
    (reason,) = found.reasons
    assert reason.startswith("a fresh process could not run it: ")
    assert "variables" in reason
    assert "\n" not in reason


def test_a_process_that_dies(made, gan, monkeypatch):
    def die(model, requests):
        raise fresh_process.FreshProcessError("it ended with -11")

    monkeypatch.setattr(fresh_process, "answer", die)
    found = export.validate_model(made, gan)
    assert (found.blessed, found.infra_blessed) == (False, False)
    assert found.reasons == ("a fresh process could not run it: it ended with -11",)
    assert marks(made) == {"blessing/NOT_BLESSED", "infra_blessing/INFRA_NOT_BLESSED"}


@pytest.mark.parametrize(
    ("change", "reason", "infra"),
    [
        (lambda name, answer: "No such op", "classify: No such op", False),
        (lambda name, answer: {}, "predict_uint8: no output p_fake", False),
        (
            lambda name, answer: {key: value[:-1] for key, value in answer.items()},
            "predict_uint8: p_fake of shape (7,), not (8,)",
            False,
        ),
        (
            lambda name, answer: {k: v[:] + b"!" if k == "decision" else v for k, v in answer.items()},
            "predict_bytes: 9 of 9 decision are not Keras's",
            True,
        ),
        (
            lambda name, answer: {k: v + 0.01 if k == "p_fake" else v for k, v in answer.items()},
            "predict_images: p_fake is 0.01 from Keras's",
            True,
        ),
    ],
)
def test_what_answers_can_lack(made, gan, answer_as, change, reason, infra):
    answer_as(change, sources.load_scoring_model(gan)[0])
    found = export.validate_model(made, gan)
    assert reason in found.reasons
    assert (found.blessed, found.infra_blessed) == (False, infra)


@pytest.mark.slow
def test_thresholds_are_of_the_card_and_of_the_live_version(run, answer_as):
    exported = export.export_model(run)
    answer_as(lambda name, answer: answer, sources.load_scoring_model(run)[0])
    strict = Thresholds(minimum={"precision": 0.9})
    found = export.validate_model(exported, run, limits=strict)
    assert (found.blessed, found.infra_blessed) == (False, True)
    assert found.reasons == ("precision 0.5 is less than the minimum of 0.9",)
    assert read(exported)["thresholds"]["minimum"] == {"precision": 0.9}
    change = Thresholds(maximum_drop={"precision": 0.1})
    assert export.validate_model(exported, run, limits=change).blessed
    export.push_model(run)
    run.report_json.write_text(run.report_json.read_text().replace("0.5", "0.35"))
    worse = export.export_model(run)
    found = export.validate_model(worse, run, limits=change)
    assert found.reasons == ("precision 0.35 is 0.15 lower than the live version's 0.5, more than 0.1",)
    assert read(worse)["live"] == 1
    assert export.validate_model(worse, run, limits=change, against=run.path / "other").blessed


@pytest.mark.slow
def test_a_candidate_that_changes_while_it_is_validated(gan, tmp_path, monkeypatch):
    exported = export.export_model(gan, tmp_path)

    def answer(model, requests):
        (model / "assets.extra" / "model_card.md").write_text("better than it is")
        return ["no such signature" for _ in requests]

    monkeypatch.setattr(fresh_process, "answer", answer)
    with pytest.raises(InputError, match=r"detector/1: expected files that stay as they are"):
        export.validate_model(exported, gan)
    assert marks(exported) == set()


@pytest.mark.slow
@pytest.mark.parametrize("is_evaluated", [False, True])
def test_a_detector_that_was_not_evaluated_is_said_to_be(run, detector, answer_as, is_evaluated):
    detector.save(run.detector)
    if is_evaluated:
        report = {"digest": detector_files.DetectorFiles(run).digest(), "headline": {"warnings": []}}
        report["headline"]["sentences"] = ["Expect little."]
        run.report_json.write_text(json.dumps({"detector": report}))
    exported = export.export_model(run)
    answer_as(lambda name, answer: answer, sources.load_scoring_model(run)[0])
    said = [text for text in export.validate_model(exported, run).notes if "was not evaluated" in text]
    assert len(said) == (0 if is_evaluated else 1)


@pytest.mark.slow
def test_a_live_version_that_others_pushed_without_a_card(run, answer_as):
    exported = export.export_model(run)
    answer_as(lambda name, answer: answer, sources.load_scoring_model(run)[0])
    (run.serving / "detector" / "00000005").mkdir(parents=True)
    limits = Thresholds(maximum_drop={"precision": 0.1})
    found = export.validate_model(exported, run, limits=limits)
    assert (found.blessed, found.infra_blessed, found.reasons) == (True, True, ())
    (note,) = found.notes
    assert note.startswith("not compared with the live version: ")
    assert (read(exported)["live"], read(exported)["notes"]) == (5, [note])


def test_a_validation_that_is_cut_off_blesses_nothing(made, gan, answer_as, monkeypatch):
    answer_as(lambda name, answer: answer, sources.load_scoring_model(gan)[0])
    assert export.validate_model(made, gan).blessed
    assert made.is_blessed()
    write = blessing.files.write_text

    for allowed in range(3):
        left = allowed

        def cut_off(path, text):
            nonlocal left
            if not left:
                raise KeyboardInterrupt
            left -= 1
            write(path, text)

        with monkeypatch.context() as patch:
            patch.setattr(blessing.files, "write_text", cut_off)
            with pytest.raises(KeyboardInterrupt):
                export.validate_model(made, gan)
        assert not made.is_blessed()


def test_the_probes_ask_every_signature(made):
    described = json.loads((made.path / "assets.extra" / "model_card.json").read_text())["signatures"]
    assert set(described) == SIGNATURES


def test_a_difference_is_in_proportion_beyond_one():
    distance = probes._distance
    assert distance(np.array([1.5]), np.array([1.0])) == 0.5
    assert distance(np.array([150.0]), np.array([100.0])) == 0.5
    assert distance(np.array([3, 250], np.uint8), np.array([5, 251], np.uint8)) == 2
    assert distance(np.array([np.nan, 1]), np.array([np.nan, 1.0])) == 0
    assert distance(np.array([np.nan]), np.array([1.0])) > validator.TOLERANCE
