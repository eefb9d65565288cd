import json
import shutil

import numpy as np
import PIL.Image
import pytest

from dcgan.data import load_images
from dcgan.detector import detector_files, run_fitting
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_files import DetectorFiles
from dcgan.detector.evaluation import run_evaluation
from dcgan.detector.learning import detector_update, learned_fakes, learning_gains
from dcgan.detector.start import colour_classifier
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick_generators")]


@pytest.fixture(scope="module")
def given(photos, tmp_path_factory):
    """A folder of 30 fakes with a grid, PNG."""
    folder = tmp_path_factory.mktemp("given") / "gridded"
    folder.mkdir()
    for number, fake in enumerate(photos(30, 5)):
        fake[::2, ::2] = fake[::2, ::2] // 2
        PIL.Image.fromarray(fake).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def learned(colour_fitted, given, quick, tmp_path_factory):
    """A run whose detector has learned from them, and what it returned."""
    run = RunDirectory(tmp_path_factory.mktemp("learned") / "run")
    shutil.copytree(colour_fitted[0].path, run.path)
    with quick():
        return run, run_fitting.fit_run(run, learn={"grid": given})


def test_fakes_come_into_the_pool_and_the_rest_stays(colour_fitted, learned):
    before, (run, after) = colour_fitted[1], learned
    assert after.pool.counts() == before.pool.counts() | {"learned-grid": 30}
    assert after.config.to_dict() == before.config.to_dict()
    loaded = detector_files.load_fitted(run)
    assert loaded.pool.counts() == after.pool.counts()
    assert sorted(loaded.folds) == ["autoencoder", "gan"]
    assert "learned-grid" in set(after.scores.generators)
    images = after.reals.test
    np.testing.assert_allclose(
        loaded.detector.raw_scores(images), after.detector.raw_scores(images), atol=1e-4
    )


def test_the_detector_goes_on_and_the_one_before_stays(colour_fitted, learned):
    before, (run, after) = colour_fitted, learned
    images = before[1].reals.test
    former = detector_files.load(DetectorFiles(run).former)
    np.testing.assert_allclose(
        former.raw_scores(images), before[1].detector.raw_scores(images), atol=1e-4
    )
    assert np.abs(former.raw_scores(images) - after.detector.raw_scores(images)).max() > 1e-3
    assert after.detector.calibration.reals == len(after.reals.calibration)
    for a, b in zip(
        former.classifier.get_layer(colour_classifier.START).get_weights(),
        after.detector.classifier.get_layer(colour_classifier.START).get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


def test_fakes_and_own_images_are_brought_through_the_reals_jpeg(colour_fitted, learned):
    assert set(colour_fitted[1].pool.jpeg_qualities) == {75}
    assert set(learned[1].pool.jpeg_qualities) == {75}


def test_says_what_learning_brought(learned):
    run, fitted = learned
    gains = json.loads(DetectorFiles(run).learned.read_text())
    assert gains == fitted.learned
    row = gains["grid"]
    assert (row["learned"], row["held_back"]) == (25, 5)
    for part in ("before", "after"):
        assert set(row[part]) == {"as they are", "jpeg 75"}
    (text,) = learning_gains.describe(gains)
    assert text == (
        f"Of 5 held-back fakes of grid: AUROC {row['before']['as they are']:.3f} before, "
        f"{row['after']['as they are']:.3f} after learning 25 (after JPEG 75: "
        f"{row['before']['jpeg 75']:.3f} and {row['after']['jpeg 75']:.3f}). So few say little: "
        f"`dcgan detect evaluate RUN --fakes NAME=PATH` tests it on others."
    )


def test_images_like_the_fakes_are_familiar(learned):
    fitted = learned[1]
    fakes = fitted.pool.images[fitted.pool.is_learned]
    assert (fitted.detector.score(fakes)["familiarity"] > 0.01).all()


def test_later_fakes_add_up_count_once_and_may_come_with_another_promise(
    learned, given, photos, tmp_path
):
    shutil.copytree(learned[0].path, tmp_path / "run")
    run = RunDirectory(tmp_path / "run")
    known = load_images(given, split="all").images[:20]
    fitted = run_fitting.fit_run(
        run,
        learn={"grid": np.concatenate([known, photos(25, 6) // 2]), "b": photos(20, 7)},
        confidence=0.8,
        deliveries="as they are",
        false_positive_rate=0.3,
    )
    assert fitted.pool.counts()["learned-grid"] == 55
    assert fitted.pool.counts()["learned-b"] == 20
    assert set(fitted.learned) == {"grid", "b"}
    calibration = fitted.detector.calibration
    assert (calibration.confidence, calibration.deliveries) == (0.8, ("as they are",))
    assert detector_files.load_fitted(run).config.false_positive_rate == 0.3


def test_what_was_interrupted_before_the_evaluation_goes_on_with_it(
    learned, given, photos, tmp_path, caplog
):
    shutil.copytree(learned[0].path, tmp_path / "run")
    run = RunDirectory(tmp_path / "run")
    files = DetectorFiles(run)
    digest = files.digest()
    fitted = run_fitting.fit_run(run, learn={"grid": given})
    assert files.digest() == digest
    assert fitted.learned == learned[1].learned
    assert "has learned from these fakes, but was not evaluated since" in caplog.text
    run.report_json.write_text(json.dumps({"detector": {"digest": digest}}))
    message = "grid: expected fakes to learn from; all 30 were learned from before. `dcgan detect eval"
    with pytest.raises(InputError, match=message):
        run_fitting.fit_run(run, learn={"grid": given})
    run.report_json.write_text(json.dumps({"detector": {"digest": "another"}}))
    with pytest.raises(InputError, match=message):
        run_fitting.fit_run(run, learn={"grid": given}, confidence=0.5)


def test_fakes_are_in_the_pool_only_after_the_detector_has_learned(
    colour_fitted, learned, tmp_path, monkeypatch
):
    shutil.copytree(colour_fitted[0].path, tmp_path / "run")
    files = DetectorFiles(RunDirectory(tmp_path / "run"))
    monkeypatch.setattr(files, "replace", _fail)
    with pytest.raises(OSError, match="full"):
        files.save(learned[1])
    assert not detector_files.load_fitted(tmp_path / "run").pool.is_learned.any()


def _fail(detector):
    raise OSError("full")


def test_a_run_without_a_detector_is_fitted_first_and_a_fit_anew_forgets(colour_run, given, tmp_path):
    shutil.copytree(colour_run.path, tmp_path / "run")
    run = RunDirectory(tmp_path / "run")
    run_fitting.fit_run(run, learn={"grid": given}, false_positive_rate=0.2)
    assert set(detector_files.load_fitted(run).learned) == {"grid"}
    assert DetectorFiles(run).former.is_file()
    assert DetectorFiles(run).training.is_file()
    fitted = run_fitting.fit_run(run, false_positive_rate=0.2)
    assert "learned-grid" not in fitted.pool.counts()
    assert detector_files.load_fitted(run).learned == {}


def test_bad_fakes_are_refused_and_nothing_is_lost(colour_fitted, photos):
    run = colour_fitted[0]
    before = run.detector.read_bytes(), DetectorFiles(run).pool.read_bytes()
    reals = colour_fitted[1].reals
    cases = [
        ({"x": photos(19, 1)}, "expected at least 20 different fakes to learn from. Received: 19"),
        ({"x": np.repeat(photos(10, 1), 3, axis=0)}, "Received: 10"),
        (
            {"x": np.concatenate([photos(30, 1), reals.test[:2]])},
            "expected fakes; 2 of 32 are among the",
        ),
        ({"x": "nowhere/at/all"}, "nowhere/at/all: no such file or folder"),
        ({"x": photos(30, 1)[..., :1]}, "expected 3 channels"),
    ]
    for learn, message in cases:
        with pytest.raises(InputError, match=message):
            run_fitting.fit_run(run, learn=learn)
    with pytest.raises(InputError, match="real images to certify"):
        run_fitting.fit_run(run, learn={"x": photos(30, 1)}, false_positive_rate=0.001)
    assert (run.detector.read_bytes(), DetectorFiles(run).pool.read_bytes()) == before


def test_steps_and_rate_grow_with_the_fakes():
    config = DetectorConfig(steps=4_000, learning_rate=0.01)
    assert detector_update.pace(100, config) == (600, pytest.approx(0.01 / 8))
    assert detector_update.pace(6_400, config) == (4_800, 0.01)
    assert detector_update.pace(10**6, config) == (16_000, 0.01)


def test_too_many_fakes_are_thinned_by_chance(colour_fitted, photos, monkeypatch, caplog):
    monkeypatch.setattr(learned_fakes, "_MOST_BYTES", 25 * 16 * 16 * 3)
    (fakes,) = learned_fakes.load_learned({"x": photos(40, 1)}, colour_fitted[1].reals)
    assert len(fakes.images) == 25


def test_the_report_says_it_all_in_a_line_each(learned, given):
    run, fitted = learned
    report = run_evaluation.evaluate_run(run, fitted, fakes={"mine": given, "grid": given})
    sentences = report["headline"]["sentences"]
    for part in (
        "Of 5 held-back fakes of grid: AUROC",
        "Its start has seen",
        "Of other authors' generators, expect a mean AUROC of",
        "On the generators it was tested on, in the mean over deliveries, the start alone",
        "Of the generators it was tested on, its own being easier to tell than published ones",
        "Of your fakes of mine: AUROC ",
        "Of your fakes of grid, which it has learned from: AUROC ",
        "At this threshold ",
        "100% of the reals are JPEG (quality 75)",
    ):
        assert sum(part in sentence for sentence in sentences) == 1, part
    assert set(report["start"]) == {"start", "learner", "both"}
    assert report["learned"] == fitted.learned


def test_too_few_fakes_are_one_line(run_cli, colour_fitted, photos, tmp_path):
    np.save(tmp_path / "few.npy", photos(19, 1))
    code, out, err = run_cli("detect", colour_fitted[0].path, "--learn", f"x={tmp_path / 'few.npy'}")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "few.npy: expected at least 20 different fakes to learn from. Received: 19" in err


@pytest.mark.parametrize("option", ["--learn", "--fakes"])
def test_fakes_need_names_that_differ(run_cli, colour_fitted, option):
    run = colour_fitted[0].path
    code, _, err = run_cli("detect", run, option, "x")
    assert (code, err.count("\n")) == (2, 1)
    assert f"{option}: expected NAME=PATH. Received: 'x'" in err
    code, _, err = run_cli("detect", run, option, "x=a", option, "x=b")
    assert (code, err.count("\n")) == (2, 1)
    assert f"{option}: expected each name once. Received twice: 'x'" in err


def test_learn_on_the_command_line(run_cli, colour_fitted, given, tmp_path):
    shutil.copytree(colour_fitted[0].path, tmp_path / "run")
    code, out, _ = run_cli("detect", tmp_path / "run", "--learn", f"grid={given}")
    assert code == 0
    assert out.startswith("learned in ")
    assert "Of 5 held-back fakes of grid: AUROC" in out
