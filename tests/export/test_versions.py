import contextlib
import errno
import fcntl
import os
import pathlib
import re
import resource
import subprocess
import sys

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
    assert versions.list_versions(model) == [3, 4, 5]
    assert sorted(path.name for path in model.iterdir()) == ["3", "4", "5"]


def test_numbers_go_on_from_the_largest(tmp_path):
    for name in ("7", "20260101", "canary", "007x"):
        (tmp_path / name).mkdir()
    (tmp_path / "20260102").write_text("a file is no version")
    assert publish(tmp_path).name == "20260103"
    assert versions.list_versions(tmp_path / "none") == []


def test_a_number_appears_with_everything_in_it(tmp_path):
    def check(directory):
        assert not directory.name.isdigit()
        assert versions.list_versions(tmp_path) == []
        write(directory)

    path = publish(tmp_path, check)
    assert re.fullmatch("incoming-[0-9a-f]+", (path / "file").read_text())


def test_content_is_on_the_disk_before_it_has_a_number(tmp_path, monkeypatch):
    synced = []

    def sync(path):
        synced.append((path.name, versions.list_versions(tmp_path)))

    monkeypatch.setattr(versions.files, "sync", sync)
    publish(tmp_path)
    assert [name for name, _ in synced[:1]] == ["file"]
    assert [numbers for _, numbers in synced] == [[], [], [1]]
    assert synced[-1][0] == tmp_path.name


def test_killed_at_any_moment(tmp_path):
    assert int(run_script("killed", tmp_path / "model")) > 20


def test_eight_at_once(tmp_path):
    run_script("race", tmp_path / "model")


def test_what_another_process_still_writes_stays(tmp_path):
    mine, left = tmp_path / "incoming-1", tmp_path / "incoming-2"
    mine.mkdir()
    left.mkdir()
    descriptor = os.open(mine, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    publish(tmp_path)
    os.close(descriptor)
    assert mine.is_dir()
    assert not left.exists()
    publish(tmp_path)
    assert not mine.exists()


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
    with pytest.raises(InputError, match=r"file/model: expected a directory .*\(Not a directory\)$"):
        publish(tmp_path / "file" / "model")

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(pathlib.Path, "mkdir", refuse)
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
