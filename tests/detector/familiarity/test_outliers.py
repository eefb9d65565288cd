import numpy as np
import pytest
from PIL import Image

from dcgan.detector.familiarity import outliers

_KINDS = list(outliers.KINDS)


@pytest.fixture
def images(spots):
    return spots(20, 0)


@pytest.mark.parametrize("kind", _KINDS, ids=[kind.__name__ for kind in _KINDS])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_keeps_size_and_mode_and_changes_the_image(kind, channels, images):
    rng = np.random.default_rng(0)
    changed = 0
    for pixels in images:
        image = Image.fromarray(pixels[..., 0] if channels == 1 else np.repeat(pixels, 3, axis=-1))
        before = np.asarray(image).copy()
        made = kind(image, rng)
        assert (made.size, made.mode) == (image.size, image.mode)
        np.testing.assert_array_equal(image, before)
        changed += bool((np.asarray(made) != before).any())
    assert changed > 15


def test_inverted_is_inverted():
    image = Image.fromarray(np.arange(144, dtype=np.uint8).reshape(12, 12))
    np.testing.assert_array_equal(
        outliers.invert(image, np.random.default_rng(0)), 255 - np.asarray(image)
    )


def test_letterboxed_images_keep_one_side(images):
    rng = np.random.default_rng(0)
    white = Image.fromarray(np.full((12, 12), 200, np.uint8))
    white.putpixel((6, 6), 0)
    # The bars have the colour of the border, so that only the dark pixel tells the size.
    made = np.stack([np.asarray(outliers.letterbox(white, rng)) for _ in range(10)])
    assert (made[:, 0] == 200).all()
    reframed = [np.asarray(outliers.reframe(Image.fromarray(images[0, ..., 0]), rng)) for _ in range(20)]
    # A smaller image has less light than the image, wherever its sheet is black.
    assert np.median([one.astype(int).sum() for one in reframed]) < images[0].astype(int).sum()


def test_shuffled_tiles_hold_the_same_pixels(images):
    image = Image.fromarray(images[0, ..., 0])
    made = np.asarray(outliers.shuffle(image, np.random.default_rng(1)))
    # 12 pixels are three tiles of 4, or several of 2, 3 or 6; 7 tiles leave the rest alone.
    np.testing.assert_array_equal(np.sort(made.ravel()), np.sort(np.asarray(image).ravel()))


def test_draws_are_repeatable_and_of_all_kinds(images):
    assert sum(outliers.KINDS.values()) == pytest.approx(1)
    first, again, other = (
        outliers.draw(images, count=30, rng=np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert (first.shape, first.dtype) == ((30, 12, 12, 1), np.uint8)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert outliers.draw(
        np.repeat(images, 3, axis=-1), count=40, rng=np.random.default_rng(0)
    ).shape == (
        *(40, 12, 12),
        3,
    )
