import contextlib
import errno
import fcntl
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import threading

import pytest

from dcgan.errors import InputError
from export.publishing import versions

_ROOT = pathlib.Path(__file__).parents[2]
_SCRIPT = _ROOT / "tests" / "scripts" / "publishers.py"


def write(directory):
    (directory / "file").write_text(directory.name)


def publish(model, write=write, keep=3):
    return versions.publish(model, write, keep=keep)


def run_script(*arguments):
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, _SCRIPT, *arguments]
    return subprocess.run(
        list(map(str, command)), env=environment, check=True, timeout=120, capture_output=True
    ).stdout


@contextlib.contextmanager
def few_bytes():
    """No file may grow beyond 1,000 bytes, which fails as a full disk does; pytest's output neither."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_versions_count_up_and_the_oldest_go(tmp_path):
    model = tmp_path / "base" / "model"
    assert [publish(model).name for _ in range(5)] == ["1", "2", "3", "4", "5"]
    assert list(versions.find(model)) == [3, 4, 5]
    assert sorted(path.name for path in model.iterdir()) == ["3", "4", "5"]


def test_numbers_go_on_from_the_largest(tmp_path):
    for name in ("7", "20260101", "canary", "007x"):
        (tmp_path / name).mkdir()
    (tmp_path / "20260102").write_text("a file is no version")
    assert publish(tmp_path).name == "20260103"
    assert versions.find(tmp_path / "none") == {}


def test_a_number_appears_with_everything_in_it(tmp_path):
    def check(directory):
        assert not directory.name.isdigit()
        assert versions.find(tmp_path) == {}
        write(directory)

    path = publish(tmp_path, check)
    assert re.fullmatch("incoming-[0-9a-f]+", (path / "file").read_text())


def test_content_is_on_the_disk_before_it_has_a_number(tmp_path, monkeypatch):
    model, synced = tmp_path / "model", []

    def sync(path):
        synced.append((path.name, list(versions.find(model))))

    monkeypatch.setattr(versions.files, "sync", sync)
    publish(model)
    assert synced[0] == ("file", [])
    assert synced[-1] == ("model", [1])
    assert all(numbers == [] for _, numbers in synced[:-1])


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path):
    assert int(run_script("killed", tmp_path / "model")) > 20


@pytest.mark.slow
def test_eight_at_once(tmp_path):
    run_script("race", tmp_path / "model")


def test_one_publishes_while_the_other_waits(tmp_path):
    model = tmp_path / "model"
    other = threading.Thread(target=publish, args=(model,))

    def write_slowly(directory):
        other.start()
        other.join(0.5)
        write(directory)

    assert publish(model, write_slowly).name == "1"
    other.join()
    assert list(versions.find(model)) == [1, 2]


def test_what_killed_processes_left_goes(tmp_path):
    model = tmp_path / "model"
    for name in ("incoming-1", "pruned-2"):
        (model / name).mkdir(parents=True)
    (tmp_path / ".models.17.tmp.config").write_text("")
    publish(model)
    assert [path.name for path in model.iterdir()] == ["1"]
    assert not list(tmp_path.glob(".models*"))


def test_no_number_comes_back_after_a_directory_was_emptied_by_hand(tmp_path):
    model = tmp_path / "model"
    for expected in ("1", "2"):
        assert publish(model).name == expected
    shutil.rmtree(model / "1")
    shutil.rmtree(model / "2")
    assert publish(model).name == "3"
    shutil.rmtree(model)
    assert publish(model).name == "4"
    assert publish(tmp_path / "other").name == "1"


def test_a_number_is_remembered_before_it_is_used(tmp_path, monkeypatch):
    def cut_off(path, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "rename", cut_off)
        with pytest.raises(KeyboardInterrupt):
            publish(tmp_path / "model")
    assert publish(tmp_path / "model").name == "2"


def test_a_damaged_memory(tmp_path):
    (tmp_path / ".model.highest").write_text("seven")
    expected = r"\.model\.highest: expected the highest version number that was ever used$"
    with pytest.raises(InputError, match=expected):
        publish(tmp_path / "model")
    assert versions.find(tmp_path / "model") == {}


def test_names_that_a_server_reads_as_numbers(tmp_path):
    for name in ("00000012", "3", str(2**63), "9" * 30, "1.5", "-4", "\u0663"):
        (tmp_path / name).mkdir()
    assert versions.find(tmp_path) == {3: tmp_path / "3", 12: tmp_path / "00000012"}
    (tmp_path / "12").mkdir()
    assert versions.find(tmp_path)[12] == tmp_path / "12"
    assert publish(tmp_path).name == "13"
    (tmp_path / str(2**63 - 1)).mkdir()
    with pytest.raises(InputError, match="expected numbers below 9223372036854775807"):
        publish(tmp_path)


def test_protected_versions_stay(tmp_path):
    model = tmp_path / "model"
    for _ in range(4):
        versions.add(model, write, keep=1, protected=[1, 3, 99])
    assert list(versions.find(model)) == [1, 3, 4]


def test_an_error_leaves_nothing_behind(tmp_path):
    def fail(directory):
        write(directory)
        raise KeyError("no disk's fault")

    with pytest.raises(KeyError):
        publish(tmp_path, fail)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path):
    def fill(directory):
        (directory / "file").write_bytes(bytes(2_000))

    expected = rf"^{tmp_path}: expected .* \({os.strerror(errno.EFBIG)}\)$"
    with pytest.raises(InputError, match=expected), few_bytes():
        publish(tmp_path, fill)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file: expected a directory .*\(File exists\)$"):
        publish(tmp_path / "file" / "model")

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    for owner, name in ((pathlib.Path, "mkdir"), (versions.os, "open"), (fcntl, "flock")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, refuse)
            with pytest.raises(InputError, match=r"\(Permission denied\)$"):
                publish(tmp_path / "model")


def test_at_least_one_is_kept(tmp_path):
    with pytest.raises(ValueError, match="keep=0"):
        publish(tmp_path, keep=0)


@pytest.mark.parametrize("name", ["detector", "mnist-v2", "a.b_c"])
def test_names_of_models(name):
    versions.check_name(name)


@pytest.mark.parametrize("name", ["", "7", "a/b", "..", "a b", "é", "a\n"])
def test_what_is_no_name(name):
    with pytest.raises(InputError, match="name: expected"):
        versions.check_name(name)
