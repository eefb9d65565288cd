import csv
import io
import json
import shutil
import sys

import keras
import numpy as np
import PIL.Image
import pytest

import quick_detection
from dcgan import presets, scoring
from dcgan.config import NetworkConfig, RunConfig
from dcgan.detector import detector_files, run_fitting
from dcgan.detector.fitting import detector_fitting
from dcgan.model import DCGAN
from dcgan.runs.run_directory import RunDirectory


@pytest.fixture
def dcgan(monkeypatch, run_cli):
    """Runs a command in this process; returns code, output and errors."""
    # Set, it keeps the command from giving file descriptor 2 away, which pytest still needs.
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    return run_cli


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """1,400 noise images of 28 pixels in a file."""
    path = tmp_path_factory.mktemp("data") / "images.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (1400, 28, 28, 1), np.uint8)
    np.savez(path, images=pixels)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory, images):
    """A run with an untrained model, and how fast fitting replaces slow generators."""
    keras.utils.clear_session(free_memory=False)
    network = NetworkConfig(latent_dim=4, generator_width=4, discriminator_width=4, max_width=4)
    config = RunConfig(data=str(images), network=network)
    run = RunDirectory(tmp_path_factory.mktemp("runs") / "run")
    config.save(run.config)
    DCGAN.from_preset(presets.override(config)).save(run.model)
    return run


@pytest.fixture(scope="module")
def quick():
    """Fits and evaluates quickly."""
    certified = "as they are", "jpeg-2x-jpeg"
    with quick_detection.replaced(*certified, others=("jpeg 40",), steps=2, width=2):
        yield


@pytest.fixture(scope="module")
def detected(trained, quick):
    """A run with a detector."""
    run_fitting.fit_run(trained, false_positive_rate=0.1)
    return trained


# Errors


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["detect", "none"], ["none: expected a run's directory"]),
        (["detect", "run", "none"], ["none: expected a run's directory"]),
        (["detect", "evaluate", "none"], ["none: expected a run's directory"]),
        (["detect", "calibrate", "none"], ["--reals"]),
        (["detect", "none", "--nope"], ["--nope"]),
        (["score", "none.png"], ["none.png: expected a run with a detector before the files"]),
        (["score", "none.keras", "x.png"], ["none.keras: expected a detector"]),
        (["score", "none.keras"], ["files: expected images or folders"]),
        (["score", "none.keras", ""], ["files: expected names, found an empty one"]),
        (["score", "x", "--format", "xml"], ["--format: expected table, jsonl or csv", "'xml'"]),
    ],
)
def test_mistakes_are_one_line(dcgan, monkeypatch, tmp_path, arguments, parts):
    monkeypatch.chdir(tmp_path)
    code, out, err = dcgan(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert all(part in err for part in parts)


@pytest.mark.parametrize("value", ["name", "=path", "name="])
def test_fakes_need_a_name_and_a_path(dcgan, trained, value):
    code, _, err = dcgan("detect", "evaluate", trained.path, "--fakes", value)
    assert code == 2
    assert "--fakes: expected NAME=PATH" in err


def test_help_names_the_commands(dcgan):
    code, out, _ = dcgan("detect", "--help")
    assert code == 0
    assert all(name in out for name in ("calibrate", "evaluate", "dcgan detect RUN"))
    assert dcgan("detect")[1].strip() == out.strip()


# Detect


@pytest.mark.slow
def test_detect_does_it_all(dcgan, detected, images):
    code, out, _ = dcgan(
        *["detect", detected.path, "--false-positive-rate", "0.05", "--fakes", f"mine={images}"],
        *["--confidence", "0.9", "--deliveries", "jpeg-2x-jpeg"],
    )
    assert code == 0
    for part in (
        "fitted in",
        "AUROC",
        "mine",
        "histogram-matched one by one",
        "expect an AUROC of",
        "At most 5 % of reals like the 70 it was calibrated on are called fake, with 90 % confidence, "
        "under jpeg-2x-jpeg",
    ):
        assert part in out
    files = detector_files.DetectorFiles(detected)
    assert files.load_config().false_positive_rate == 0.05
    fitted = detector_files.load_fitted(detected)
    assert sorted(fitted.folds) == ["autoencoder", "gan"]
    assert fitted.pool.counts() == {"autoencoder-x": 60, "gan-own": 60}
    report = files.load_report()
    assert set(report["counts"]) == {"reals", "GAN, other seed", "VAE", "mine"}
    assert next(iter(report["generators"])) == report["headline"]["worst_generator"]
    calibration = fitted.detector.calibration
    assert (calibration.confidence, calibration.deliveries) == (0.9, ("jpeg-2x-jpeg",))
    names = {path.name for path in detected.detector_files.iterdir()}
    assert names - {"former.keras"} == {
        *["pool.npz", "scores.npz", "config.json", "training.json", "holdout"],
        *["without_gan.keras", "without_autoencoder.keras", "learned.json"],
    }


def test_the_default_rate_is_one_that_the_images_can_certify(trained, quick, monkeypatch):
    monkeypatch.setattr(detector_fitting, "fit", lambda *inputs, config, progress: config)
    for name in ("save", "save_training"):
        monkeypatch.setattr(detector_files.DetectorFiles, name, lambda self, fitted: None)
    # 1,400 images: a tenth is held out, half of that to calibrate on.
    rate = run_fitting.fit_run(trained).false_positive_rate
    assert rate == pytest.approx(1 - 0.025 ** (1 / 70))


@pytest.mark.slow
def test_evaluate_alone(dcgan, detected):
    message = "Training was stopped after 2 of 50 epochs, by a callback."
    record = {"epochs": 2, "planned": 50, "reason": "stopped", "message": message}
    detector_files.DetectorFiles(detected).training.write_text(json.dumps(record))
    code, out, _ = dcgan("detect", "evaluate", detected.path)
    assert code == 0
    assert f"WARNING: {message}" in out
    assert "VAE" in out
    assert "fitted in" not in out


def test_evaluate_before_detect(dcgan, tmp_path, trained):
    bare = RunDirectory(tmp_path / "bare")
    trained.load_config().save(bare.config)
    code, _, err = dcgan("detect", "evaluate", bare.path)
    assert code == 2
    assert "detector.keras: expected a detector" in err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--deliveries", "jpeg 40,fog", "deliveries: expected names of deliveries"),
        ("--confidence", "1", "confidence: expected above 0 and below 1"),
        ("--false-positive-rate", "0.001", "expected at least 3,688 real images"),
    ],
)
def test_promises_that_cannot_be_kept(dcgan, trained, quick, option, value, message):
    code, _, err = dcgan("detect", trained.path, option, value)
    assert code == 2
    assert message in err


# Calibrate


@pytest.mark.slow
def test_calibrate_on_other_reals(dcgan, detected, tmp_path):
    reals = np.random.default_rng(5).integers(100, 156, (399, 28, 28, 1), np.uint8)
    np.save(tmp_path / "reals.npy", reals)
    before = detected.detector.read_bytes()
    code, out, _ = dcgan(
        *["detect", "calibrate", detected.path, "--reals", tmp_path / "reals.npy"],
        *["--false-positive-rate", "0.01", "--confidence", "0.95", "--deliveries", "as they are"],
    )
    assert code == 0
    assert "at most 1 % of reals like the 399" in out
    assert "95 % confidence, under as they are" in out
    detector = detector_files.load(detected.detector)
    assert detector.calibration.reals == 399
    former = detected.detector_files / "former.keras"
    assert former.read_bytes() == before
    assert f"former    {former}" in out
    assert detector.calibration.fake_above == pytest.approx(
        np.sort(detector.raw_scores(reals))[-1], abs=1e-5
    )


@pytest.mark.slow
def test_calibrate_says_how_many_it_needs(dcgan, detected, tmp_path):
    reals = np.random.default_rng(5).integers(100, 156, (298, 28, 28, 1), np.uint8)
    np.save(tmp_path / "reals.npy", reals)
    before = detected.detector.read_bytes()
    code, _, err = dcgan(
        *["detect", "calibrate", detected.path, "--reals", tmp_path / "reals.npy"],
        *["--false-positive-rate", "0.01", "--confidence", "0.95", "--deliveries", "as they are"],
    )
    assert code == 2
    assert "expected at least 299 real images to certify it" in err
    assert "received 298" in err
    assert detected.detector.read_bytes() == before


@pytest.mark.slow
def test_calibrate_refuses_what_the_run_was_trained_on(dcgan, detected, images):
    before = detected.detector.read_bytes()
    code, _, err = dcgan("detect", "calibrate", detected.path, "--reals", images)
    assert (code, err.count("\n")) == (2, 1)
    assert f"{images}: expected different real images that the detector has not met; 1,260 of" in err
    assert detected.detector.read_bytes() == before


# Score


@pytest.fixture
def photos(tmp_path):
    root = tmp_path / "photos"
    root.mkdir()
    for name, value in (("a.png", 0), ("b.png", 200)):
        PIL.Image.new("L", (40, 30), value).save(root / name)
    (root / "c.png").write_text("text")
    return root


@pytest.mark.slow
def test_table(dcgan, detected, photos):
    code, out, err = dcgan("score", detected.path, photos)
    lines = out.splitlines()
    assert code == 0
    assert err.startswith("promise: at most ")
    assert len(lines) == 4
    assert "p_fake" in lines[0]
    assert lines[3].split()[:3] == ["-", "error", "-"]


@pytest.mark.slow
@pytest.mark.parametrize("is_changed", [False, True])
def test_the_reports_warnings_are_those_of_this_detector(dcgan, detected, photos, tmp_path, is_changed):
    run = RunDirectory(shutil.copytree(detected.path, tmp_path / "run"))
    digest = "another" if is_changed else detector_files.DetectorFiles(run).digest()
    report = {"detector": {"headline": {"warnings": ["Beware."]}, "digest": digest}}
    run.report_json.write_text(json.dumps(report))
    err = dcgan("score", run.path, photos)[2]
    assert ("WARNING: Beware." in err) is not is_changed


@pytest.mark.slow
def test_json_lines(dcgan, detected, photos):
    code, out, _ = dcgan(
        "score", detected.detector, photos / "a.png", photos / "c.png", "--format", "jsonl"
    )
    good, bad = map(json.loads, out.splitlines())
    assert code == 0
    assert 0 <= good["p_fake"] <= 1
    assert good["decision"] in scoring.DECISIONS
    assert (bad["decision"], bad["p_fake"]) == ("error", None)
    assert bad["error"]


@pytest.mark.slow
def test_csv_of_names_from_standard_input(dcgan, detected, photos, monkeypatch):
    listed = f"{photos / 'b.png'}\n\n{photos / 'a.png'}\n".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(listed)))
    code, out, _ = dcgan("score", detected.path, "-", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [row["file"] for row in rows] == [str(photos / "b.png"), str(photos / "a.png")]


@pytest.mark.slow
def test_exit_code_is_1_only_if_all_failed(dcgan, detected, photos):
    assert dcgan("score", detected.path, photos / "c.png", photos / "none.png")[0] == 1
    assert dcgan("score", detected.path, photos / "c.png", photos / "a.png")[0] == 0


@pytest.mark.slow
def test_an_empty_folder_is_a_mistake(dcgan, detected, tmp_path):
    (tmp_path / "empty").mkdir()
    code, _, err = dcgan("score", detected.path, tmp_path / "empty")
    assert code == 2
    assert "expected images, found none" in err


@pytest.mark.slow
def test_the_newest_run_is_the_default(dcgan, detected, photos, monkeypatch, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "newest").symlink_to(detected.path)
    monkeypatch.chdir(tmp_path)
    code, out, _ = dcgan("score", photos / "a.png")
    assert code == 0
    assert len(out.splitlines()) == 2


@pytest.mark.slow
def test_explanations_are_pictures(dcgan, detected, photos, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, _ = dcgan("score", detected.path, photos, "--explain", "maps")
    pictures = sorted(path for path in (tmp_path / "maps").rglob("*") if path.is_file())
    assert code == 0
    names = [path.relative_to(tmp_path).as_posix() for path in pictures]
    assert names == ["maps/photos/a.png.png", "maps/photos/b.png.png"]
    with PIL.Image.open(pictures[0]) as picture:
        assert picture.size == (448, 224)
