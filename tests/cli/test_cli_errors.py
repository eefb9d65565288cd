"""What goes wrong is one line, and its exit code says whose mistake it is."""

import errno
import os
import subprocess
import sys

import pytest

from dcgan import cli, presets
from dcgan.cli import info as info_command
from dcgan.errors import InputError, ServerError


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
        (["train", "--loss", "bce"], ["loss: expected one of non_saturating, least", "'bce'"]),
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
    unset = {"TF_CONFIG", "TF_CPP_MIN_LOG_LEVEL"}
    environment = {key: value for key, value in os.environ.items() if key not in unset}
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
