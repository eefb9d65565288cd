import errno
import os
import re

import pytest

from dcgan.errors import InputError
from dcgan.system import files


def test_writes_whole_file_and_parents(tmp_path):
    path = tmp_path / "a" / "b" / "report.json"
    files.write_text(path, "{}ä\n")
    assert path.read_bytes() == "{}ä\n".encode()
    assert [file.name for file in path.parent.iterdir()] == ["report.json"]


def test_nothing_is_at_the_path_until_the_end(tmp_path):
    path = tmp_path / "weights.keras"
    with files.write_atomically(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".keras"
        assert temporary.name.startswith(".")
        temporary.write_bytes(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file_and_no_temporary(tmp_path, error):
    path = tmp_path / "report.json"
    path.write_text("old")

    def fail():
        with files.write_atomically(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "No space left"), "[Errno 28] No space left: '{path}'"),
        (OSError("the library's own text"), "the library's own text"),
        (FileNotFoundError(errno.ENOENT, "No such file", "source"), "[Errno 2] No such file: 'source'"),
    ],
)
def test_errors_name_the_file_that_was_to_be_written(tmp_path, error, text):
    path = tmp_path / "report.json"

    def fail():
        with files.write_atomically(path):
            raise error

    with pytest.raises(OSError, match=re.escape(text.format(path=path))):
        fail()


def test_errors_do_not_name_the_temporary_file(tmp_path):
    path = tmp_path / f"{'x' * 300}.json"
    with pytest.raises(OSError, match=rf"too long: '{path}'$"):
        files.write_text(path, "{}")


def test_replaces_the_old_file(tmp_path):
    path = tmp_path / "report.json"
    files.write_text(path, "old, and longer")
    files.write_text(path, "new")
    assert path.read_text() == "new"


def test_a_failed_rename_leaves_no_temporary(tmp_path):
    (tmp_path / "report.json").mkdir()
    with pytest.raises(IsADirectoryError):
        files.write_text(tmp_path / "report.json", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_content_is_on_the_disk_before_the_rename(tmp_path, monkeypatch):
    events, replace = [], files.os.replace
    monkeypatch.setattr(files, "sync", lambda path: events.append(f"sync {path.suffix}"))
    monkeypatch.setattr(files.os, "replace", lambda *paths: (events.append("replace"), replace(*paths)))
    files.write_text(tmp_path / "report.json", "new")
    assert events == ["sync .json", "replace", "sync "]


@pytest.mark.parametrize("kind", ["pipe", "link to a device"])
def test_a_device_or_a_pipe_is_not_replaced(tmp_path, kind):
    path = tmp_path / "grid.png"
    os.mkfifo(path) if kind == "pipe" else path.symlink_to(os.devnull)
    with pytest.raises(InputError, match=r"grid\.png: expected a place for a file\. .* a device or a"):
        files.write_text(path, "{}")
    assert not path.is_file()
