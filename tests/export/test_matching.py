"""Patterns of files, against those of Beam itself where both must agree."""

import os
import pathlib

import pytest

pytest.importorskip("apache_beam", reason="apache-beam is not here")

from apache_beam.io.filesystems import FileSystems

from export.bulk_input import matching


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("x.png", "a/1.png", "a/b/2.png", "a/b/3.jpg", "c/4.png", ".h/5.png", "a/.6.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paths(pattern):
    return [found.path for found in matching.match(pattern) if not found.error]


@pytest.mark.parametrize(
    "pattern",
    [
        *["{}/**", "{}/*.png", "{}/*/*", "{}/a/**.png", "{}/**/2.*", "{}/a/b/[23].png", "{}/?/4.png"],
        *["{}/a*/*/*", "{}/x.png", "{}/none*", "./*/b/*", "{}/a/b/[!2].*", "{}/*.*", "{}/[a-b]/**"],
    ],
)
def test_as_beam_does(folder, pattern):
    pattern = pattern.format(folder)
    (found,) = FileSystems.match([pattern])
    assert sorted(paths(pattern)) == sorted(file.path for file in found.metadata_list)


def test_in_the_working_directory(folder):
    assert paths("*.png") == ["x.png"]
    assert paths("**.png") == [".h/5.png", "a/.6.png", "a/1.png", "a/b/2.png", "c/4.png", "x.png"]


def test_a_name_comes_before_a_pattern(folder):
    for name in ("x[1].png", "x1.png", "y?.png"):
        (folder / name).write_bytes(b"")
    assert paths(f"{folder}/x[1].png") == [f"{folder}/x[1].png"]
    assert paths("y?.png") == ["y?.png"]


def test_links_are_followed(folder, tmp_path_factory):
    far = tmp_path_factory.mktemp("far")
    (far / "7.png").write_bytes(b"")
    (folder / "a" / "link").symlink_to(far)
    (folder / "a" / "loop").symlink_to(folder)
    assert paths("a/*/7.png") == ["a/link/7.png"]
    assert "a/link/7.png" in paths("a/**")


def test_what_is_no_file_is_told(folder, monkeypatch):
    (folder / "d.png").mkdir()
    (folder / "e.tfrecord-00000-of-00001").mkdir()
    (folder / "gone").symlink_to(folder / "nowhere")
    scan = os.scandir

    def refuse(path):
        if pathlib.Path(path).name in ("b", ".h"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    unlisted = "folder cannot be listed: Permission denied"
    errors = {found.path: found.error for found in matching.match("**") if found.error}
    assert errors == {
        ".h": unlisted,
        "a/b": unlisted,
        "d.png": "a folder, not a file",
        "e.tfrecord-00000-of-00001": "a folder, not a file",
        "gone": "broken link",
    }
    # Only where files could be overlooked.
    assert [found.error for found in matching.match("c/*.png")] == [None]
    assert [found.path for found in matching.match("*/*/2.png")] == [".h", "a/b", "gone"]
