import os
import pathlib

import numpy as np
import PIL.Image
import pytest

from dcgan import scoring


class Brightness:
    """Calls bright images fake, and white ones unfamiliar."""

    image_shape = (8, 8, 1)

    def __init__(self):
        self.batches = []

    def score(self, images):
        assert images.dtype == np.uint8
        self.batches.append(len(images))
        mean = images.mean(axis=(1, 2, 3)) / 255
        familiarity = np.where(mean == 1, 0.002, 0.75)
        return {
            "p_fake": mean,
            "decision": np.where(mean == 1, 1, np.digitize(mean, [0.4, 0.6])),
            "familiarity": familiarity,
            "discriminator_logit": 1 - mean,
        }


@pytest.fixture
def folder(tmp_path):
    """A folder of good, odd and bad files."""
    root = tmp_path / "images"
    (root / "deep").mkdir(parents=True)
    (root / ".hidden").mkdir()

    def save(name, value, mode="L", size=(8, 8), **options):
        PIL.Image.new(mode, size, value).save(root / name, **options)

    save("black.png", 0)
    save("grey.png", 128)
    save("deep/white.jpg", 255, size=(20, 10))
    save("colour.bmp", (255, 255, 255), mode="RGB", size=(40, 40))
    save(".hidden/seen.png", 0)
    deep = np.full((8, 8), 200 << 8, np.uint16)
    PIL.Image.fromarray(deep).save(root / "sixteen.png")
    (root / "text.png").write_text("not an image")
    (root / "notes.txt").write_text("nor this")
    whole = (root / "deep" / "white.jpg").read_bytes()
    (root / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    return root


def test_every_file_of_a_mixed_folder_has_its_row(folder):
    rows = {
        os.path.relpath(row.file, folder): row for row in scoring.score_files(Brightness(), [folder])
    }
    assert list(rows) == [
        *["black.png", "colour.bmp", "deep/white.jpg", "grey.png"],
        *["sixteen.png", "text.png", "truncated.jpg"],
    ]
    assert rows["black.png"].decision == "real"
    assert rows["grey.png"].decision == "unsure"
    assert rows["sixteen.png"].decision == "fake"
    assert rows["deep/white.jpg"].decision == rows["colour.bmp"].decision == "unsure"
    assert rows["grey.png"].reason == "uncertain"
    assert rows["colour.bmp"].reason == "unfamiliar"
    assert (rows["colour.bmp"].familiarity, rows["grey.png"].familiarity) == (0.002, 0.75)
    assert [row.is_unfamiliar for row in rows.values()].count(True) == 2
    assert rows["black.png"].reason is rows["sixteen.png"].reason is rows["text.png"].reason is None
    assert rows["sixteen.png"].p_fake == pytest.approx(200 / 255)
    assert rows["sixteen.png"].discriminator_logit == pytest.approx(55 / 255)
    for name in ("text.png", "truncated.jpg"):
        assert rows[name].decision == "error"
        assert rows[name].p_fake is rows[name].discriminator_logit is None
        assert rows[name].familiarity is None
    assert rows["text.png"].error == "not a PNG, JPEG, WebP, BMP, GIF or TIFF image"
    assert "truncated" in rows["truncated.jpg"].error


def test_named_files_are_tried_whatever_their_names(folder):
    rows = list(scoring.score_files(Brightness(), [folder / "notes.txt", folder / "none.png"]))
    assert [row.decision for row in rows] == ["error", "error"]
    assert "no such file" in rows[1].error


def test_no_part_of_a_folder_is_left_out_in_silence(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (folder / "black.png").rename(tmp_path / "elsewhere" / "black.png")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "loop").symlink_to(folder)
    (folder / "away").symlink_to(tmp_path / "unmounted")
    (folder / "folder.png").mkdir()
    (folder / "grey.png").rename(folder / "folder.png" / "grey.png")
    rows = {
        os.path.relpath(row.file, folder): row for row in scoring.score_files(Brightness(), [folder])
    }
    assert rows["link/black.png"].decision == "real"
    assert rows["folder.png/grey.png"].decision == "unsure"
    assert rows["folder.png"].error == "a folder, not a file"
    assert rows["away"].error == "no such file"
    assert len(rows) == 9


def test_a_folder_that_cannot_be_listed_has_a_row(folder, monkeypatch):
    scan = os.scandir

    def refuse(path):
        if pathlib.Path(path).name == "deep":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    errors = {row.file: row.error for row in scoring.score_files(Brightness(), [folder])}
    assert errors[str(folder / "deep")] == "folder cannot be listed: Permission denied"
    assert len(errors) == 7
    (row,) = scoring.score_files(Brightness(), [folder / "deep"])
    assert row.error == "folder cannot be listed: Permission denied"


def test_names_that_no_file_can_have_have_rows():
    rows = scoring.score_files(Brightness(), ["x" * 300, "a\0b.png"])
    assert [row.error for row in rows] == ["File name too long", "no such file"]


def test_rows_keep_their_order_over_batches(folder, monkeypatch):
    monkeypatch.setattr(scoring, "_BATCH", 3)
    names = ["text.png", "black.png", "grey.png", "none.png", "text.png", "text.png", "black.png"]
    scorer = Brightness()
    rows = list(scoring.score_files(scorer, [folder / name for name in names]))
    assert [pathlib.Path(row.file).name for row in rows] == names
    # A batch with nothing to score is not scored.
    assert scorer.batches == [2, 1]


def test_images_are_handed_on_with_their_names(folder):
    seen = []
    rows = scoring.score_files(
        Brightness(), [folder], on_images=lambda names, images: seen.append((names, images))
    )
    good = [row.file for row in rows if row.error is None]
    ((names, images),) = seen
    assert names == good
    assert images.shape == (5, 8, 8, 1)


@pytest.mark.parametrize("name", ["p_fake", "familiarity", "discriminator_logit"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_an_error(name, value):
    outputs = {"p_fake": [0.1], "familiarity": [0.5], "discriminator_logit": [1.0]}
    outputs |= {"decision": ["real"], "error": [""], name: [value]}
    (row,) = scoring.to_rows(["a"], outputs)
    assert (row.decision, row.error, row.p_fake) == ("error", scoring.NOT_FINITE, None)


def test_arrays_are_scored_by_name():
    images = np.stack([np.zeros((8, 8, 1), np.uint8), np.full((8, 8, 1), 204, np.uint8)])
    rows = list(scoring.score_images(Brightness(), images, names=["a", "b"]))
    assert [(row.file, row.decision, row.p_fake) for row in rows] == [
        ("a", "real", 0),
        ("b", "fake", 0.8),
    ]
    assert isinstance(rows[0].p_fake, float)
