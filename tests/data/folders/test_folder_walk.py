import os
import pathlib

import pytest

from dcgan.data.folders import folder_walk


@pytest.fixture
def root(tmp_path):
    """A folder with folders, hidden ones, and a folder that is named as a file."""
    for name in ("b/2.png", "b/c/1.png", "a.png/3.png", ".hidden/4.png", "b/.5.png", "b-c.png"):
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path / "root"


@pytest.fixture
def forbid(monkeypatch):
    """Makes a folder impossible to list, which permissions are not for every user."""

    def forbid(folder):
        scan = os.scandir

        def refuse(path):
            if pathlib.Path(path) == folder:
                raise PermissionError(13, "Permission denied", str(path))
            return scan(path)

        monkeypatch.setattr(os, "scandir", refuse)

    return forbid


def names(root, **options):
    return [(entry.relative, entry.error) for entry in folder_walk.walk(root, **options)]


def test_all_in_order(root):
    found = ["a.png", "a.png/3.png", "b", "b/2.png", "b/c", "b/c/1.png", "b-c.png"]
    assert names(root) == [(name, None) for name in found]
    folders = [entry.name for entry in folder_walk.walk(root) if entry.is_folder]
    assert folders == ["a.png", "b", "c"]


def test_hidden_ones_on_request(root):
    found = {name for name, _ in names(root, hidden=True)}
    assert found - {name for name, _ in names(root)} == {".hidden", ".hidden/4.png", "b/.5.png"}


def test_only_folders_that_are_asked_for(root):
    found = names(root, enter=lambda relative: relative != "b")
    assert [name for name, _ in found] == ["a.png", "a.png/3.png", "b", "b-c.png"]


def test_links_are_followed_and_their_loops_end(root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "6.png").write_bytes(b"")
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (root / "b" / "loop").symlink_to(root)
    (root / "again").symlink_to(root / "link")
    found = [name for name, _ in names(root)]
    # The folder that two links lead to is listed once, and the loop is not entered.
    assert [name for name in found if name.endswith("6.png")] == ["again/6.png"]
    assert {"link", "b/loop"} < set(found)
    assert len(found) == 11


def test_links_that_lead_nowhere(root):
    (root / "gone").symlink_to(root / "none")
    (root / "self").symlink_to(root / "self")
    problems = {name: error for name, error in names(root) if error}
    assert problems == {"gone": "broken link"}
    assert folder_walk.why_no_file(root / "self") == "Too many levels of symbolic links"


@pytest.mark.parametrize("folder", ["b", ""])
def test_a_folder_that_cannot_be_listed(root, forbid, folder):
    forbid(root / folder)
    problems = [name for name in names(root) if name[1]]
    assert problems == [(folder, "folder cannot be listed: Permission denied")]
    error = folder_walk.why_no_file(root / folder)
    assert error == "folder cannot be listed: Permission denied"


def test_why_a_path_leads_to_no_file(root):
    assert folder_walk.why_no_file(root / "b-c.png") is None
    assert folder_walk.why_no_file(root / "a.png") == "a folder, not a file"
    assert folder_walk.why_no_file(root / "none.png") == "no such file"
    assert folder_walk.why_no_file(root / "b-c.png" / "x.png") == "Not a directory"
    assert folder_walk.why_no_file(root / ("x" * 300)) == "File name too long"
    assert folder_walk.why_no_file(pathlib.Path("a\0b")) == "no such file"
    os.mkfifo(root / "pipe")
    assert folder_walk.why_no_file(root / "pipe") == "not a file"
    assert not folder_walk.is_folder(root / ("x" * 300))
