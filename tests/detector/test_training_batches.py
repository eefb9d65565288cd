import itertools

import numpy as np
import pytest

from dcgan.detector import corruptions, training_batches
from dcgan.detector.fakes.fake_pool import FakePool, Fakes


@pytest.fixture
def take(monkeypatch):
    """Takes batches without corruptions, as uint8 images and labels."""
    monkeypatch.setattr(corruptions, "augment", lambda images, seed: images)

    def take(reals, pool, *, count=20, batch_size=16, seed=0):
        dataset = training_batches.training_batches(reals, pool, batch_size=batch_size, seed=seed)
        images, labels = zip(*itertools.islice(dataset.as_numpy_iterator(), count), strict=True)
        pixels = np.rint((np.stack(images) + 1) * 127.5).astype(np.uint8)
        return pixels, np.stack(labels)

    return take


def _flat(value, count):
    return np.full((count, 4, 4, 1), value, np.uint8)


def test_nothing_is_tuned_that_an_iterator_waits_for_at_its_end():
    reals, pool = _flat(0, 30), FakePool.join([Fakes("a", "gan", _flat(9, 10))])
    dataset = training_batches.training_batches(reals, pool, batch_size=16, seed=0)
    assert dataset.options().autotune.enabled is False


def test_half_are_fakes_in_random_places(take):
    reals, pool = _flat(0, 30), FakePool.join([Fakes("a", "gan", _flat(9, 10))])
    _, labels = take(reals, pool)
    assert labels.shape == (20, 16)
    assert (labels.sum(axis=1) == 8).all()
    assert len({tuple(row) for row in labels.tolist()}) > 10


def test_labels_fit_images_and_fakes_come_matched_and_plain(take):
    reals, pool = _flat(50, 30), FakePool.join([Fakes("a", "gan", _flat(200, 10))])
    pixels, labels = take(reals, pool, count=40)
    values = pixels[..., 0, 0, 0]
    assert set(values[labels == 0]) == {50}
    # Histogram-matched, they have the reals' value.
    assert set(values[labels == 1]) == {50, 200}
    assert 0.6 < np.mean(values[labels == 1] == 50) < 0.8


def test_fakes_come_as_often_as_there_are_of_them(take, monkeypatch):
    monkeypatch.setattr(training_batches, "_SHARES", (1.0, 0.0, 0.0))
    parts = [Fakes("a", "gan", _flat(10, 30)), Fakes("b", "autoencoder", _flat(20, 10))]
    pixels, labels = take(_flat(0, 30), FakePool.join(parts), count=100)
    values, counts = np.unique(pixels[..., 0, 0, 0][labels == 1], return_counts=True)
    assert values.tolist() == [10, 20]
    np.testing.assert_allclose(counts / counts.sum(), [0.75, 0.25], atol=0.06)


def test_seed_decides(take, pool, spots):
    first, again, other = (take(spots(50, 0), pool, count=3, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_corruptions_reach_both_classes(pool, spots):
    reals = np.zeros_like(spots(50, 0))
    dataset = training_batches.training_batches(reals, pool, batch_size=64, seed=0)
    images, labels = next(dataset.as_numpy_iterator())
    assert np.abs(images[labels == 0] + 1).max() == 0 or images[labels == 0].std() > 0
    assert images.dtype == labels.dtype == np.float32
