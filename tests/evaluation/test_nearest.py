import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from dcgan.evaluation import nearest_images


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def _blocks(rows, size=7):
    return (rows[start : start + size] for start in range(0, len(rows), size))


def test_agrees_with_scikit_learn(rng):
    queries, candidates = rng.normal(size=(40, 5)) + 9, rng.normal(size=(100, 5)) + 9
    found = nearest_images.find(queries, _blocks(candidates))
    distances, rows = NearestNeighbors(n_neighbors=1).fit(candidates).kneighbors(queries)
    np.testing.assert_array_equal(found.rows, rows[:, 0])
    np.testing.assert_allclose(found.distances, distances[:, 0], rtol=1e-9)


def test_the_first_of_equally_near_ones():
    candidates = np.array([[9.0], [1.0], [1.0], [1.0]])
    found = nearest_images.find(np.array([[1.5]]), _blocks(candidates, 2))
    assert (found.rows[0], found.distances[0]) == (1, 0.5)


def test_a_copy_has_no_distance(rng):
    images = rng.integers(0, 256, (600, 28, 28, 1), np.uint8)
    found = nearest_images.find(nearest_images.pixels(images[590:]), nearest_images.pixel_blocks(images))
    np.testing.assert_array_equal(found.rows, np.arange(590, 600))
    np.testing.assert_allclose(found.distances, 0, atol=0.1)


def test_pixel_distance_is_in_grey_levels():
    images = np.zeros((3, 28, 28, 3), np.uint8)
    images[1] = 10
    images[2, :14] = 10
    pixels = nearest_images.pixels(images)
    assert np.linalg.norm(pixels[0] - pixels[1]) == pytest.approx(10, rel=1e-5)
    assert np.linalg.norm(pixels[0] - pixels[2]) == pytest.approx(10 / 2**0.5, rel=1e-5)


@pytest.mark.parametrize(("size", "side"), [(28, 28), (60, 60), (64, 32), (100, 33), (128, 32)])
def test_large_images_are_averaged_down(rng, size, side):
    images = rng.integers(0, 256, (2, size, size, 1), np.uint8)
    pixels = nearest_images.pixels(images)
    assert pixels.shape == (2, side * side)
    factor = size // side
    first = images[0, :factor, :factor].mean()
    assert pixels[0, 0] * side + 127.5 == pytest.approx(first, abs=1e-3)


def test_new_images_are_as_close_as_test_images(rng):
    train, test, samples = (rng.normal(size=(count, 4)) for count in (3000, 1000, 1000))
    found = nearest_images.compare(samples, test, candidates=_blocks(train, 500))
    assert len(found.samples.rows) == len(found.test.rows) == 1000
    assert found.close_share == pytest.approx(0.05, abs=0.02)


def test_copies_are_closer_than_test_images(rng):
    train, test = rng.normal(size=(3000, 4)), rng.normal(size=(200, 4))
    copies = train[:100] + 1e-3
    found = nearest_images.compare(copies, test, candidates=_blocks(train, 500))
    np.testing.assert_array_equal(found.samples.rows, np.arange(100))
    assert found.close_share == 1
