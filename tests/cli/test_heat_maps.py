import os
import pathlib

import numpy as np
import PIL.Image
import pytest

from dcgan.cli import heat_maps
from dcgan.detector import saliency
from dcgan.errors import InputError


@pytest.fixture
def explain(tmp_path, monkeypatch):
    """Writes pictures of files with these names; returns them by path below the directory."""
    monkeypatch.setattr(saliency, "heat_maps", lambda _, images: images[..., 0] / 255)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    directory = tmp_path / "maps"

    def explain(*names):
        levels = np.arange(len(names), dtype=np.uint8)[:, None, None, None] + 1
        heat_maps.writer(None, directory)(list(names), np.tile(levels, (1, 8, 8, 1)))
        return {
            path.relative_to(directory).as_posix(): np.asarray(PIL.Image.open(path))[0, 0, 0]
            for path in directory.rglob("*")
            if path.is_file()
        }

    return explain


def test_folders_are_those_of_the_files(explain):
    assert explain("a/b/x.png", "a_b/x.png", "x.png", "./a/y.jpg") == {
        "a/b/x.png.png": 1,
        "a_b/x.png.png": 2,
        "x.png.png": 3,
        "a/y.jpg.png": 4,
    }


def test_files_outside_the_working_directory(explain, tmp_path):
    found = explain("../x.png", "x.png", str(tmp_path / "work" / "y.png"), str(tmp_path / "z.png"))
    outside = pathlib.Path("_outside", *tmp_path.parts[1:]).as_posix()
    assert found == {
        f"{outside}/x.png.png": 1,
        "x.png.png": 2,
        "y.png.png": 3,
        f"{outside}/z.png.png": 4,
    }


def test_a_step_up_from_a_link(explain, tmp_path):
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "work" / "link").symlink_to(tmp_path / "far" / "away")
    assert len(explain("link/../x.png", "x.png")) == 2


@pytest.mark.parametrize("letter", ["x", "五", os.fsdecode(b"\xe9")])
def test_the_longest_names(explain, letter):
    count = 250 // len(os.fsencode(letter))
    found = explain(letter * count + "a.p", letter * count + "b.p")
    assert sorted(found.values()) == [1, 2]
    assert all(name.endswith(".png") for name in found)


def test_a_picture_that_cannot_be_written_ends_nothing(explain, capsys):
    assert explain("a", "a.png/b", "c\n") == {"a.png": 1, "c\n.png": 3}
    assert capsys.readouterr().err == "a.png/b: no heat map (File exists)\n"


def test_a_full_disk_ends_it(explain, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dcgan.images.save_png", full)
    with pytest.raises(OSError, match="No space left"):
        explain("a")


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"--explain: expected a directory .*file \(File exists\)"):
        heat_maps.writer(None, tmp_path / "file")
