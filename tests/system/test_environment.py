import os
import subprocess
import sys

import keras
import pytest

import dcgan
import export
import tuning
from dcgan import presets
from dcgan.errors import InputError
from dcgan.system import environment


@pytest.fixture
def before_keras(monkeypatch, tmp_path):
    """Pretends that Keras is not imported yet; returns the file of its settings."""
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "keras.json"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"backend": "torch"}', "backend: expected tensorflow. Received: torch"),
        (
            '{"image_data_format": "channels_first"}',
            "image_data_format: expected channels_last. Received: channels_first",
        ),
        ('{"floatx": "float16"}', "floatx: expected float32. Received: float16"),
    ],
)
def test_settings_of_keras_that_cannot_work_are_named(before_keras, text, message):
    before_keras.write_text(text)
    with pytest.raises(InputError) as error:
        _ = dcgan.DCGAN
    assert str(error.value) == f"{before_keras}: {message}"
    for package, name in ((tuning, "search"), (export, "export_model")):
        with pytest.raises(InputError):
            getattr(package, name)
    # What does not need Keras is there all the same.
    assert export.Client
    assert dcgan.RunConfig().preset == presets.get("mnist").preset


@pytest.mark.parametrize("text", [None, "{", '{"backend": "tensorflow", "epsilon": 1e-7}'])
def test_other_settings_do_not_matter(before_keras, text):
    if text is not None:
        before_keras.write_text(text)
    environment.check()


def test_the_backend_of_the_environment_comes_first(before_keras, monkeypatch):
    before_keras.write_text('{"backend": "tensorflow"}')
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(InputError, match=r"^KERAS_BACKEND: backend: expected tensorflow"):
        _ = tuning.search


def test_what_keras_was_told_since_counts(monkeypatch):
    environment.check()
    monkeypatch.setattr(keras.config, "image_data_format", lambda: "channels_first")
    with pytest.raises(InputError, match=r"^Keras's settings: image_data_format: expected"):
        environment.check()


def test_windows_is_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(os, "name", "nt")
    with pytest.raises(InputError, match="expected Linux or macOS; on Windows, use the Windows Sub"):
        environment.check()


def test_nothing_of_it_needs_what_windows_lacks(tmp_path):
    """So that the line is seen and no error of an import."""
    script = (
        "import os, sys\n"
        "sys.modules['fcntl'] = None\n"
        "from dcgan.cli import main\n"
        "import export.publishing.versions, dcgan.runs.run_directory, tuning\n"
        "os.name = 'nt'\n"
        "sys.argv = ['dcgan', 'info', 'none']\n"
        "main()\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert process.returncode == 2
    assert process.stderr.startswith("dcgan: operating system: expected Linux or macOS")
    assert process.stderr.count("\n") == 1


def _run(command, tmp_path, **environment_):
    path = os.pathsep.join(sys.path)
    return subprocess.run(
        ["sh", "-c", f"{sys.executable} -m dcgan {command}"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path, **environment_},
        capture_output=True,
        check=False,
    )


def test_closed_streams_change_no_exit_code(tmp_path):
    presets.get("mnist").save(tmp_path / "run" / "config.json")
    assert _run("info none 2>&-", tmp_path).returncode == 2
    assert _run("info run >&- 2>&- <&-", tmp_path).returncode == 0
    # Nor does what would go to the stream go into a file instead.
    before = (tmp_path / "run" / "config.json").read_bytes()
    _run("info run >&-", tmp_path)
    assert (tmp_path / "run" / "config.json").read_bytes() == before


def test_names_beyond_the_terminals_characters_are_escaped(tmp_path):
    presets.get("mnist").save(tmp_path / "caf\u00e9" / "config.json")
    process = _run("info caf*", tmp_path, PYTHONIOENCODING="ascii")
    assert process.returncode == 0, process.stderr
    assert b"caf\\xe9/config.json" in process.stdout
