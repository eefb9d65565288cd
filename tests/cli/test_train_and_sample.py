"""A run that the command line trains, samples and describes."""

import csv
import json
import os
import subprocess
import sys

import imageio.v3 as imageio
import numpy as np
import pytest

from dcgan.config import RunConfig, TrainingConfig

QUIET = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "images.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (20, 28, 28, 1), np.uint8)
    np.savez(path, images=pixels)
    return path


@pytest.fixture(scope="module")
def config(tmp_path_factory, tiny_network):
    path = tmp_path_factory.mktemp("config") / "tiny.json"
    training = TrainingConfig(batch_size=8, epochs=2, ema_decay=0.9, checkpoint_every=1)
    RunConfig(preset="article", network=tiny_network, training=training).save(path)
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data, config):
    """A run that a process of its own has trained, with that process and where it worked.

    Its environment says all that is wrong about Keras, and its home directory is empty.
    """
    work = tmp_path_factory.mktemp("work")
    keras = tmp_path_factory.mktemp("keras")
    (keras / "keras.json").write_text(
        '{"backend": "torch", "image_data_format": "channels_first", "floatx": "float16"}'
    )
    (work / "home").mkdir()
    hostile = {"KERAS_BACKEND": "jax", "KERAS_HOME": str(keras), "TF_USE_LEGACY_KERAS": "1"}
    environment = {**QUIET, **hostile, "HOME": str(work / "home")}
    command = [sys.executable, "-m", "dcgan", "train", "--config", config, "--data", data]
    process = subprocess.run(
        [*command, "--out", "runs/tiny"], cwd=work, env=environment, capture_output=True, text=True
    )
    return work, work / "runs" / "tiny", process


def test_train_from_nothing(trained):
    _, run_path, process = trained
    assert process.returncode == 0, process.stderr
    names = {path.name for path in run_path.iterdir() if not path.name.startswith(".")}
    assert names >= {
        "config.json",
        "samples",
        "progress.gif",
        "checkpoints",
        "metrics.csv",
        "timings.csv",
        "logs",
        "replay",
        "dcgan.keras",
    }
    samples = sorted(path.name for path in (run_path / "samples").iterdir())
    assert samples == ["epoch_001.png", "epoch_002.png"]
    assert imageio.imread(run_path / "samples" / "epoch_001.png").ndim == 2
    checkpoints = sorted(path.name for path in (run_path / "checkpoints").glob("*.keras"))
    assert checkpoints == ["epoch_001.keras", "epoch_002.keras"]
    assert list((run_path / "logs").rglob("events.out.tfevents.*"))
    with (run_path / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert all(np.isfinite(float(value)) for row in rows for value in row.values())


def test_train_says_what_it_does(trained, data):
    _, _, process = trained
    out = process.stdout.splitlines()
    assert [line.split()[0] for line in out] == ["model", "samples", "gif", "metrics"]
    assert out[0].split()[1] == os.path.join("runs", "tiny", "dcgan.keras")  # noqa: PTH118
    # A file without a test split keeps two of its twenty images for it.
    warning, first, *epochs = process.stderr.splitlines()
    assert warning.startswith(f"{data}: distances are not measured: 2 images are held out")
    assert first == f"{data}, preset article, into runs/tiny: 2 epochs of 2 steps"
    assert [line[:9] for line in epochs if line] == ["epoch   1", "epoch   2"]
    # Nothing of TensorFlow's own chatter.
    for chatter in ("TensorFlow", "tensorflow", "oneDNN", "CUDA", "Warning", "WARNING"):
        assert chatter not in process.stderr


def test_train_writes_only_into_the_run(trained):
    work, run_path, _ = trained
    outside = [p for p in work.rglob("*") if not p.is_relative_to(run_path)]
    assert sorted(outside) == [work / "home", work / "runs"]
    hidden = [p.name for p in run_path.rglob(".*")]
    assert hidden in ([], [".lock"])


def test_train_records_what_was_asked_for(trained, data, tiny_network):
    config = RunConfig.load(trained[1] / "config.json")
    assert config.network == tiny_network
    assert config.data == str(data)
    assert config.training.epochs == 2


def test_training_again_finds_all_done(run_cli, trained, data, config, deterministic):
    _, run_path, _ = trained
    kept = ["metrics.csv", "config.json", "samples", "checkpoints"]
    before = {name: _contents_of(run_path / name) for name in kept}
    code, out, err = run_cli("train", "--config", config, "--data", data, "--out", run_path)
    assert code == 0, err
    assert "All 2 epochs were already done." in err
    assert f"model    {run_path / 'dcgan.keras'}" in out
    assert {name: _contents_of(run_path / name) for name in kept} == before


def _contents_of(path):
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--batch-size", "4"], "holds a run with batch_size=8, not 4. "),
        (["--seed", "1"], "holds a run with seed=0, not 1. "),
        (["--loss", "hinge"], "holds a run with loss='non_saturating', not 'hinge'. "),
        (["--features", "random"], "holds a run with features='auto', not 'random'. "),
        (["--epochs", "1"], "holds a run with epochs=2, not 1. "),
    ],
)
def test_other_settings_are_another_run(run_cli, trained, data, config, option, message):
    _, run_path, _ = trained
    before = _contents_of(run_path / "checkpoints")
    code, _, err = run_cli("train", "--config", config, "--data", data, "--out", run_path, *option)
    assert code == 2
    assert err.startswith(f"dcgan: {run_path}: {message}")
    assert err.count("\n") == 1
    assert _contents_of(run_path / "checkpoints") == before


def test_an_interrupted_training_says_how_to_go_on(run_cli, data, config, monkeypatch, deterministic):
    def interrupt(self, *args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("dcgan.model.DCGAN.fit", interrupt)
    code, out, err = run_cli("train", "--config", config, "--data", data)
    assert (code, out) == (130, "")
    assert err == "The same command resumes from the last checkpoint.\nInterrupted.\n"


def test_sample_writes_every_form(run_cli, trained, tmp_path):
    _, run_path, _ = trained
    places = tmp_path / "g.png", tmp_path / "s.npz", tmp_path / "all"
    code, out, _ = run_cli(
        *["sample", run_path, "--count", "5", "--seed", "3"],
        *["--grid", places[0], "--npz", places[1], "--png-dir", places[2]],
    )
    assert (code, out.splitlines()) == (0, [str(place) for place in places])
    # Three columns and two rows of 28 pixels, with 2 between and around them.
    assert imageio.imread(places[0]).shape == (62, 92)
    samples = np.load(places[1])["images"]
    assert (samples.shape, samples.dtype) == ((5, 28, 28, 1), np.uint8)
    for number, sample in enumerate(samples, 1):
        read = imageio.imread(places[2] / f"{number:06d}.png")
        np.testing.assert_array_equal(read, sample[..., 0])
    run_cli("sample", run_path, "--count", "2", "--seed", "4", "--npz", tmp_path / "other.npz")
    assert not np.array_equal(np.load(tmp_path / "other.npz")["images"], samples[:2])


def test_sample_writes_a_grid_into_the_run_by_default(run_cli, trained):
    _, run_path, _ = trained
    code, out, _ = run_cli("sample", run_path)
    assert (code, out) == (0, f"{run_path / 'samples.png'}\n")
    assert imageio.imread(run_path / "samples.png").shape == (122, 122)


def test_sample_of_a_damaged_model(run_cli, trained, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("config.json", "dcgan.keras"):
        content = (trained[1] / name).read_bytes()
        (copy / name).write_bytes(content if name == "config.json" else content[:5000])
    code, out, err = run_cli("sample", copy)
    assert (code, out) == (2, "")
    assert err.startswith(f"dcgan: {copy / 'dcgan.keras'}: expected a DCGAN")
    assert err.count("\n") == 1


def test_sample_to_a_place_that_cannot_be_written_to(run_cli, trained, tmp_path):
    (tmp_path / "file").touch()
    code, _, err = run_cli("sample", trained[1], "--grid", tmp_path / "file" / "g.png")
    assert code == 2
    assert err.startswith(f"dcgan: {tmp_path / 'file'}")
    assert err.count("\n") == 1


def test_info(run_cli, trained):
    _, run_path, _ = trained
    code, out, err = run_cli("info", run_path)
    assert (code, err) == (0, "")
    assert "2 of 2 epochs, finished" in out
    assert f"{run_path / 'dcgan.keras'}\n" in out
    assert f"{run_path / 'samples'}/\n" in out
    settings = json.loads((run_path / "config.json").read_text())
    for name in (*settings["network"], *settings["training"]):
        assert f".{name} " in out
