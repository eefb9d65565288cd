import io

import numpy as np
import PIL.Image
import pytest

from dcgan.data import load_images
from dcgan.data.decoding import jpeg_quality


def _saved(kind, mode="RGB", **options):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).convert(mode).save(file, kind, **options)
    return PIL.Image.open(file)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("quality", [5, 30, 50, 75, 90, 95, 100])
def test_quality_is_the_one_it_was_saved_with(quality, mode):
    assert jpeg_quality.read(_saved("JPEG", mode, quality=quality)) == quality


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP"])
def test_other_files_have_none(kind):
    assert jpeg_quality.read(_saved(kind)) == 0


def test_folders_know_which_of_their_images_were_jpegs_of_their_size(tmp_path):
    photo = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    photo.save(tmp_path / "a.jpg", quality=80)
    photo.save(tmp_path / "b.png")
    photo.resize((64, 64)).save(tmp_path / "c.jpg", quality=80)
    photo.save(tmp_path / "d.jpeg", quality=60)
    loaded = load_images(tmp_path, split="all", image_size=32)
    assert loaded.jpeg_qualities.tolist() == [80, 0, 0, 60]
    assert loaded.take(np.array([3, 0])).jpeg_qualities.tolist() == [60, 80]


def test_nothing_is_known_of_arrays():
    assert load_images(np.zeros((3, 8, 8, 1), np.uint8), split="all").jpeg_qualities is None
