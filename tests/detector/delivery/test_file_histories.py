import functools

import numpy as np
import pytest

from dcgan.data import indexed_images
from dcgan.detector.delivery import deliveries, file_histories


@pytest.fixture
def photos():
    return np.random.default_rng(0).integers(0, 256, (40, 16, 16, 3), np.uint8)


def _jpeg(images, quality):
    return deliveries.chain(functools.partial(deliveries.jpeg, quality=quality))(images)


def test_each_image_is_compressed_at_its_own_quality(photos):
    qualities = np.uint8([0, 75, 30, 75])
    compressed = file_histories.compress(photos[:4], qualities)
    np.testing.assert_array_equal(compressed[0], photos[0])
    np.testing.assert_array_equal(compressed[[1, 3]], _jpeg(photos[[1, 3]], 75))
    np.testing.assert_array_equal(compressed[2], _jpeg(photos[2:3], 30)[0])


def test_fakes_get_the_histories_of_reals_unless_they_have_one(photos):
    qualities = np.repeat(np.uint8([0, 90]), 20)
    images, now = file_histories.match_reals(photos, qualities, np.uint8([75, 75, 75]))
    assert now.tolist() == [75] * 20 + [90] * 20
    np.testing.assert_array_equal(images[:20], _jpeg(photos[:20], 75))
    np.testing.assert_array_equal(images[20:], photos[20:])


def test_as_many_fakes_as_reals(photos):
    reals = np.repeat(np.uint8([0, 50]), [30, 10])
    fakes = np.random.default_rng(1).integers(0, 256, (400, 8, 8, 3), np.uint8)
    _, now = file_histories.match_reals(fakes, np.zeros(400, np.uint8), reals)
    assert set(now) == {0, 50}
    assert np.mean(now == 50) == pytest.approx(0.25, abs=0.07)
    _, again = file_histories.match_reals(fakes[::-1], np.zeros(400, np.uint8), reals)
    np.testing.assert_array_equal(again, now[::-1])


@pytest.mark.parametrize("reals", [None, np.zeros(5, np.uint8), np.zeros(0, np.uint8)])
def test_lossless_and_unknown_reals_leave_fakes_alone(photos, reals):
    images, now = file_histories.match_reals(photos, np.zeros(40, np.uint8), reals)
    assert images is photos
    assert not now.any()


@pytest.mark.parametrize("qualities", [None, np.zeros(400, np.uint8)])
def test_reals_are_compressed_as_often_as_fakes_are(photos, qualities):
    reals = np.repeat(photos, 10, axis=0)
    likelihoods = np.array([1.0, 1.0, 2.0])
    matched = file_histories.match_fakes(reals, qualities, np.uint8([0, 0, 60]), likelihoods=likelihoods)
    changed = (matched != reals).any(axis=(1, 2, 3))
    assert changed.mean() == pytest.approx(0.5, abs=0.08)
    np.testing.assert_array_equal(matched[changed], _jpeg(reals[changed], 60))


def test_reals_in_a_file_are_compressed_as_they_are_read(photos):
    options = {"likelihoods": np.ones(2), "seed": 3}
    whole = file_histories.match_fakes(photos, None, np.uint8([0, 60]), **options)
    rows = np.random.default_rng(1).permutation(40)
    in_file = indexed_images.take(photos[rows], np.argsort(rows))
    matched = file_histories.match_fakes(in_file, None, np.uint8([0, 60]), **options)
    assert isinstance(matched, indexed_images.IndexedImages)
    assert matched.shape == whole.shape
    for index in (slice(None), np.array([7, 3, 7]), whole[:, 0, 0, 0] > 99, slice(0, 0), 5):
        np.testing.assert_array_equal(matched[index], whole[index])
    np.testing.assert_array_equal(matched.take(np.array([7, 3]))[:], whole[[7, 3]])
    np.testing.assert_array_equal(matched.hashes, indexed_images.hash_images(whole))


def test_reals_that_are_jpegs_stay(photos):
    matched = file_histories.match_fakes(
        photos, np.full(40, 75, np.uint8), np.full(9, 75, np.uint8), likelihoods=np.ones(9)
    )
    assert matched is photos


def test_says_what_was_noticed_and_done():
    jpegs, none = np.full(10, 75, np.uint8), np.zeros(10, np.uint8)
    assert file_histories.describe(None, none[:0]) == file_histories.describe(none, none) == []
    text, warning = file_histories.describe(jpegs, none[:0])
    assert text.startswith("100% of the reals are JPEG (quality 75)")
    assert "more may be called fake" in warning
    (text,) = file_histories.describe(np.concatenate([jpegs, none]), none[:0])
    assert text.startswith("50% of the reals are JPEG (quality 75)")
    (text,) = file_histories.describe(None, jpegs)
    assert text.startswith("100% of the learned fakes are JPEG (quality 75), of the reals 0%")
