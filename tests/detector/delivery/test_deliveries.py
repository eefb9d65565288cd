import io

import numpy as np
import PIL.Image
import pytest

from dcgan.detector.delivery import deliveries, named_deliveries
from dcgan.detector.delivery.named_deliveries import NAMED


@pytest.fixture(scope="module", params=[1, 3], ids=["grey", "RGB"])
def photos(request):
    """Smooth images with a dark border, shape (6, 20, 24, channels), uint8."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(90, 160, (6, 5, 6, request.param), np.uint8)
    fine = coarse.repeat(4, axis=1).repeat(4, axis=2) + rng.integers(0, 9, (6, 20, 24, 1), np.uint8)
    fine[:, [0, -1]] = fine[:, :, [0, -1]] = 10
    return fine


def _one(step, pixels, **options):
    image = PIL.Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    return np.asarray(step(image, np.random.default_rng(3), **options)).reshape(pixels.shape)


@pytest.mark.parametrize("name", NAMED)
def test_named_deliveries_keep_shape_and_repeat(photos, name):
    delivered = NAMED[name](photos, 5)
    assert (delivered.shape, delivered.dtype) == (photos.shape, np.uint8)
    np.testing.assert_array_equal(delivered, NAMED[name](photos, 5))
    assert (delivered == photos).all() == (name == "as they are")
    # The images stay recognisable.
    assert np.abs(delivered.astype(int) - photos).mean() < 45


def test_no_images(photos):
    assert NAMED["jpeg 75"](photos[:0], 0).shape == (0, *photos.shape[1:])


def test_jpeg_and_webp_are_pillows(photos):
    image = PIL.Image.fromarray(photos[0][..., 0] if photos.shape[-1] == 1 else photos[0])
    for step, kind, options in ((deliveries.jpeg, "JPEG", {}), (deliveries.webp, "WEBP", {"method": 0})):
        file = io.BytesIO()
        image.save(file, kind, quality=60, **options)
        expected = np.asarray(PIL.Image.open(file).convert(image.mode)).reshape(photos.shape[1:])
        np.testing.assert_array_equal(_one(step, photos[0], quality=60), expected)


def test_shifts_are_whole_pixels():
    pixels = np.arange(49, dtype=np.uint8).reshape(7, 7, 1)
    found = set()
    for seed in range(200):
        image, rng = PIL.Image.fromarray(pixels[..., 0]), np.random.default_rng(seed)
        moved = np.asarray(deliveries.shift(image, rng, most=1, edge=True))
        down, across = divmod(int(moved[3, 3]), 7)
        found.add((3 - down, 3 - across))
        rows, columns = np.clip(np.arange(7) - 3 + down, 0, 6), np.clip(np.arange(7) - 3 + across, 0, 6)
        np.testing.assert_array_equal(moved, pixels[rows][:, columns, 0])
    assert found == {(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)}


def test_what_comes_in_from_outside_has_the_backgrounds_colour():
    pixels = np.full((9, 9, 1), 30, np.uint8)
    pixels[4, 4] = 200
    for step in (deliveries.rotate, deliveries.shift):
        moved = _one(step, pixels, **({"edge": False} if step is deliveries.shift else {}))
        assert (moved[[0, -1]] == 30).all()


def test_contrast_and_brightness():
    pixels = np.array([[[0], [100], [200], [255]]], np.uint8)
    contrast = _one(deliveries.contrast, pixels, factor=1.1).ravel()
    np.testing.assert_array_equal(contrast, [0, 97, 207, 255])
    brightness = _one(deliveries.brightness, pixels, factor=0.85).ravel()
    np.testing.assert_array_equal(brightness, [0, 85, 170, 217])


def test_jitter_moves_by_one_level(photos):
    moved = _one(deliveries.jitter, photos[0]).astype(int) - photos[0]
    assert set(np.unique(moved)) == {-1, 0, 1}


def test_noise_has_its_deviation():
    grey = np.full((100, 100, 1), 128, np.uint8)
    assert (_one(deliveries.noise, grey, deviation=4.0) - 128.0).std() == pytest.approx(4, rel=0.05)


def test_random_chains_leave_some_and_differ(photos):
    images = photos[:1].repeat(400, axis=0)
    delivered = deliveries.random_chains(images, rng=np.random.default_rng(0))
    assert delivered.shape == images.shape
    same = (delivered == images).all(axis=(1, 2, 3))
    assert 0.02 < same.mean() < 0.25
    assert len(np.unique(delivered.reshape(400, -1), axis=0)) > 300
    again = deliveries.random_chains(images, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(delivered, again)


def test_steps_shares_sum_to_one():
    assert sum(deliveries.STEPS.values()) == pytest.approx(1)


def test_each_delivery_in_turn(photos):
    names = ["as they are", "jpeg 50", "noise"]
    found = dict(named_deliveries.deliver_each(photos, names, seed=7))
    assert list(found) == names
    for number, name in enumerate(names):
        np.testing.assert_array_equal(found[name], NAMED[name](photos, 7 + number))
