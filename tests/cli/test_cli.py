import csv
import errno
import importlib.metadata
import json
import os
import pathlib
import re
import subprocess
import sys

import imageio.v3 as imageio
import numpy as np
import pytest
import typer.main

import dcgan
from dcgan import cli, presets
from dcgan.cli import app
from dcgan.cli import info as info_command
from dcgan.config import RunConfig, TrainingConfig
from dcgan.errors import InputError, ServerError

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


# Help


def test_what_needs_no_tensorflow_does_not_load_it(tmp_path):
    presets.get("mnist").save(tmp_path / "run" / "config.json")
    script = (
        "import sys\n"
        "from dcgan.cli import main\n"
        "other_run = ['train', '--seed', '1', '--out', 'run']\n"
        "for arguments in (['--help'], ['train', '--help'], [], ['info', 'none'], other_run):\n"
        "    sys.argv = ['dcgan', *arguments]\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as exit:\n"
        "        print('code', exit.code)\n"
        "print('loaded', sorted({'tensorflow', 'keras', 'imageio'} & set(sys.modules)))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    lines = process.stdout.splitlines()
    assert [line for line in lines if line.startswith("code")] == [
        *["code 0"] * 3,
        *["code 2"] * 2,
    ]
    assert lines[-1] == "loaded []"
    assert process.stderr.count("\n") == 2
    assert "run: holds a run with seed=0, not 1" in process.stderr


def test_help_names_commands_and_options(run_cli):
    code, out, err = run_cli("--help")
    assert (code, err) == (0, "")
    assert all(command in out for command in ("train", "sample", "info"))
    assert run_cli()[:2] == (0, out)
    code, out, _ = run_cli("train", "--help")
    options = ["--data", "--preset", "--config", "--epochs", "--batch-size", "--out", "--precision"]
    assert code == 0
    assert all(
        option in out
        for option in [
            *options,
            "--image-size",
            "--augmentation",
            "--strategy",
            "--features",
            "--seed",
            "--skip-bad",
            "--memory",
            "--cache",
        ]
    )
    # What an option is without being given: all but --config, --skip-bad and --help.
    assert out.count("[default: ") == 14


def test_defaults_in_words_are_shown(run_cli, monkeypatch):
    """Written into a help text in brackets, they would be taken for markup and vanish."""
    monkeypatch.setenv("COLUMNS", "200")
    for command, default in {
        "evaluate": "the run's",
        "export": "RUN/serving",
        "push": "the newest candidate, or the version before the live one",
        "sample": "all, in proportion to the data",
        "score": "table; with --beam, jsonl",
        "serving-config": "where a rollback leads",
    }.items():
        _, out, _ = run_cli(command, "--help")
        assert f"[default: ({default})]" in " ".join(out.replace("│", " ").split())


def test_no_help_text_has_markup_in_it():
    def texts(command):
        yield from (option.help or "" for option in command.params if hasattr(option, "help"))
        for inner in getattr(command, "commands", {}).values():
            yield from texts(inner)

    assert not [text for text in texts(typer.main.get_command(app.app)) if re.search(r"\[[a-z]", text)]


# What the user can mend


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["nope"], ["nope"]),
        (["train", "--nope"], ["--nope"]),
        (["train", "extra"], ["extra"]),
        (["train", "--epochs", "many"], ["--epochs", "integer"]),
        (["train", "--epochs", "0"], ["epochs: expected at least 1. Received: 0"]),
        (["train", "--image-size", "30"], ["image_size: expected a multiple of 4, 16 to 256", "30"]),
        (["train", "--batch-size", "-1"], ["batch_size: expected at least 1. Received: -1"]),
        (
            ["train", "--augmentation", "ada,color"],
            ["augmentation: expected ada, or any", "'ada,color'"],
        ),
        (["train", "--seed", "-1"], ["seed: expected 0 to 2147483647. Received: -1"]),
        (["train", "--preset", "nope"], ["preset: expected one of article, mnist", "'nope'"]),
        (["train", "--precision", "float8"], ["precision: expected one of float32", "'float8'"]),
        (["train", "--strategy", "tpu"], ["strategy: expected one of one_device", "'tpu'"]),
        (["train", "--strategy", "multiworker"], ["--strategy multiworker", "TF_CONFIG"]),
        (["train", "--config", "none.json"], ["none.json: expected a config file"]),
        (["train", "--config", "notes.txt"], ["notes.txt: expected JSON"]),
        (["train", "--config", "binary.json"], ["binary.json: expected a config file"]),
        (["train", "--config", "c.json", "--preset", "mnist"], ["--config", "--preset"]),
        (["train", "--features", "none.keras"], ["features none.keras: expected mnist", "random"]),
        (["train", "--data", "./none.npz"], ["./none.npz: "]),
        (["train", "--data", "empty"], ["empty"]),
        (["train", "--data", "notes.txt"], ["notes.txt: "]),
        (["train", "--data", "binary.npz"], ["binary.npz: "]),
        (["train", "--data", "no_such_set"], ["no_such_set: "]),
        (["train", "--split", "middle"], ["middle"]),
        (["train", "--split", "train[:9]"], ["mnist: expected at least a batch of 32", "found 9"]),
        (
            ["train", "--out", "notes.txt", "--split", "test[:64]"],
            ["notes.txt: expected a directory"],
        ),
        (["sample"], ["RUN"]),
        (["sample", "."], [".: expected a run's directory"]),
        (["sample", ".", "--count", "0"], ["--count"]),
        (["sample", "untrained"], ["untrained: expected a trained run"]),
        (["info"], ["RUN"]),
        (["info", "none"], ["none: expected a run's directory"]),
    ],
)
def test_errors_are_one_line(run_cli, arguments, parts):
    with open("notes.txt", "w") as file:  # noqa: PTH123
        file.write("two\nlines\n")
    for name in ("binary.json", "binary.npz"):
        with open(name, "wb") as file:  # noqa: PTH123
            file.write(b"\xff\xfe\x00")
    os.mkdir("empty")  # noqa: PTH102
    presets.get("mnist").save("untrained/config.json")
    code, out, err = run_cli(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("dcgan: ")
    assert err.endswith("\n")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err
    assert "Traceback" not in err
    assert not os.path.exists("runs")  # noqa: PTH110


@pytest.mark.slow
def test_an_error_is_one_line_with_tensorflow_loaded(tmp_path):
    """In a process of its own, whose standard error TensorFlow would write to as well."""
    environment = {key: value for key, value in QUIET.items() if key != "TF_CONFIG"}
    command = [sys.executable, "-m", "dcgan", "train", "--strategy", "multiworker"]
    process = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.startswith("dcgan: --strategy multiworker: expected the environment")
    assert process.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def fail(monkeypatch):
    """Makes `dcgan info` fail with an error."""

    def fail(error):
        def open_run(path):
            raise error

        monkeypatch.setattr(info_command.RunDirectory, "open", open_run)

    return fail


def test_an_interruption(run_cli, fail):
    fail(KeyboardInterrupt())
    assert run_cli("info", "any") == (130, "", "Interrupted.\n")


def test_an_interrupted_training_says_how_to_go_on(run_cli, data, config, monkeypatch, deterministic):
    def interrupt(self, *args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("dcgan.model.DCGAN.fit", interrupt)
    code, out, err = run_cli("train", "--config", config, "--data", data)
    assert (code, out) == (130, "")
    assert err == "The same command resumes from the last checkpoint.\nInterrupted.\n"


def test_a_full_disk_is_one_line(run_cli, fail):
    fail(OSError(errno.ENOSPC, "No space left on device", "runs/mnist/dcgan.keras"))
    code, _, err = run_cli("info", "any")
    assert code == 2
    assert err.startswith("dcgan: expected free space on the disk ([Errno 28] No space left")
    assert err.count("\n") == 1
    fail(OSError(errno.EIO, "Input/output error"))
    with pytest.raises(OSError, match="Input/output"):
        run_cli("info", "any")


def test_an_error_of_a_server_is_one_line(run_cli, fail):
    fail(ServerError("http://host: expected scores from detector (refused)"))
    assert run_cli("info", "any") == (
        2,
        "",
        "dcgan: http://host: expected scores from detector (refused)\n",
    )


def test_an_error_only_shows_on_a_terminal(run_cli, fail):
    fail(InputError(f"\x1b[31m{os.fsdecode(bytes([233]))}\u202e.png: expected an image"))
    _, _, err = run_cli("info", "any")
    assert err == "dcgan: \\x1b[31m\\xe9\\u202e.png: expected an image\n"


@pytest.mark.parametrize(
    ("output", "code", "err"),
    [
        (
            "/dev/full",
            2,
            "dcgan: expected free space on the disk ([Errno 28] No space left on device)\n",
        ),
        (None, 1, ""),
    ],
)
def test_output_that_nobody_takes(output, code, err):
    reader, writer = os.pipe()
    os.close(reader)
    with open(output or writer, "wb") as stdout:  # noqa: PTH123 - A descriptor is no path.
        command = [sys.executable, "-c", "from dcgan import cli; cli.main()", "--help"]
        ended = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == code
    assert ended.stderr.startswith(err)
    assert ended.stderr.count("\n") == (output is not None)


def test_a_path_that_cannot_be_used_is_one_line(run_cli):
    name = "x" * 300
    for arguments in (("info", name), ("train", "--data", name), ("train", "--out", name)):
        code, _, err = run_cli(*arguments)
        assert code == 2
        assert err.endswith("expected a path that can be used (File name too long)\n")
        assert err.count("\n") == 1


def test_a_bug_is_not_hidden(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["dcgan", "info", "any"])
    monkeypatch.setattr(info_command.RunDirectory, "open", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main()


# Training


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


# Sampling


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


# Info


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


def test_info_in_a_pipe_shows_whole_values(run_cli, tmp_path):
    run, data = tmp_path / ("r" * 100), f"/{'d' * 150}/{'e' * 150}"
    presets.override(presets.get("mnist"), data=data).save(run / "config.json")
    code, out, _ = run_cli("info", run)
    assert code == 0
    title, _, names, *_ = out.splitlines()
    assert title.strip() == str(run)
    assert any(data in line for line in out.splitlines())
    assert "config" in names
    assert len(names) < 400


def test_a_terminal_that_is_too_narrow_shortens_nothing(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    data = "/" + "0123456789" * 20
    config = presets.override(presets.get("mnist"), data=data)
    monkeypatch.setattr(info_command.RunDirectory, "open", info_command.RunDirectory)
    monkeypatch.setattr(info_command.RunDirectory, "load_config", lambda run: config)
    info_command.info(pathlib.Path("dcgan"))
    digits = "".join(character for character in capsys.readouterr().out if character in "0123456789")
    assert data[1:] in digits


def test_the_version(run_cli):
    assert dcgan.__version__ == importlib.metadata.version("dcgan")
    assert run_cli("--version") == (0, f"dcgan {dcgan.__version__}\n", "")


def test_info_of_a_run_that_has_only_begun(run_cli):
    presets.get("article").save("begun/config.json")
    code, out, _ = run_cli("info", "begun")
    assert code == 0
    assert "0 of 50 epochs, not finished" in out


def test_info_of_a_run_with_a_hostile_name(run_cli, tmp_path):
    run = tmp_path / "[bold]r[/x]:smile:\x1b[31m"
    presets.get("mnist").save(run / "config.json")
    code, out, err = run_cli("info", run)
    assert (code, err) == (0, "")
    assert r"[bold]r[/x]:smile:\x1b[31m/config.json" in out
    assert "\x1b" not in out
