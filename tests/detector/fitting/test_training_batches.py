import itertools

import numpy as np
import pytest

from dcgan.detector.delivery import deliveries
from dcgan.detector.fakes import own_generator
from dcgan.detector.fakes.fake_pool import LEARNED, FakePool, Fakes
from dcgan.detector.fitting import training_batches


def _take(reals, pool, *, count=20, batch_size=16, steps=1000, seed=0):
    """Takes batches, as uint8 images and labels."""
    dataset = training_batches.training_batches(
        reals, pool, batch_size=batch_size, steps=steps, seed=seed
    )
    images, labels = zip(*itertools.islice(dataset.as_numpy_iterator(), count), strict=True)
    assert images[0].dtype == labels[0].dtype == np.float32
    return np.rint((np.stack(images) + 1) * 127.5).astype(np.uint8), np.stack(labels)


@pytest.fixture
def undelivered(monkeypatch):
    """Lets images pass as they are."""
    monkeypatch.setattr(deliveries, "random_chains", lambda images, rng: images)


def _flat(value, count):
    return np.full((count, 4, 4, 1), value, np.uint8)


def test_nothing_is_tuned_that_an_iterator_waits_for_at_its_end():
    reals, pool = _flat(0, 30), FakePool.join([Fakes("a", "gan", _flat(9, 10))])
    dataset = training_batches.training_batches(reals, pool, batch_size=16, steps=9, seed=0)
    assert dataset.options().autotune.enabled is False


@pytest.mark.usefixtures("undelivered")
def test_half_are_fakes_and_come_matched_and_plain():
    reals, pool = _flat(50, 30), FakePool.join([Fakes("a", "gan", _flat(200, 10))])
    pixels, labels = _take(reals, pool, count=60)
    assert labels.shape == (60, 16)
    assert (labels.sum(axis=1) == 8).all()
    values = pixels[..., 0, 0, 0]
    assert set(values[labels == 0]) == {50}
    # Histogram-matched, they have the reals' value.
    assert set(values[labels == 1]) == {50, 200}
    assert np.mean(values[labels == 1] == 50) == pytest.approx(0.3, abs=0.07)


@pytest.mark.usefixtures("undelivered")
def test_fakes_are_matched_together_and_one_by_one(monkeypatch):
    dark, bright = _flat(10, 10), _flat(90, 10)
    reals = np.concatenate([dark, bright])
    # Together, half of each flat fake's pixels become dark; alone, each becomes one of the reals.
    pool = FakePool.join([Fakes("a", "gan", _flat(200, 40))])
    for shares, mixed in (((0.0, 1.0, 0.0), True), ((0.0, 0.0, 1.0), False)):
        monkeypatch.setattr(training_batches, "_SHARES", shares)
        pixels, labels = _take(reals, pool, count=10)
        kinds = [len(np.unique(image)) for image in pixels[labels == 1]]
        assert (np.mean(kinds) > 1.5) == mixed
        assert set(pixels[labels == 1].ravel()) == {10, 90}


@pytest.mark.usefixtures("undelivered")
def test_generators_count_by_the_root_of_their_fakes_and_the_own_one_twice(monkeypatch):
    monkeypatch.setattr(training_batches, "_SHARES", (1.0, 0.0, 0.0))
    parts = [
        Fakes(own_generator.NAME, "gan", _flat(10, 4)),
        Fakes("b", "autoencoder", _flat(20, 36)),
        Fakes("c", "autoencoder", _flat(30, 1)),
    ]
    pixels, labels = _take(_flat(0, 30), FakePool.join(parts), count=200)
    values, counts = np.unique(pixels[..., 0, 0, 0][labels == 1], return_counts=True)
    assert values.tolist() == [10, 20, 30]
    np.testing.assert_allclose(counts / counts.sum(), np.array([4, 6, 1]) / 11, atol=0.04)


def test_seed_decides(pool, spots):
    first, again, other = (_take(spots(50, 0), pool, count=3, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_deliveries_reach_both_classes_alike_and_come_in_over_half_the_training(monkeypatch):
    monkeypatch.setattr(deliveries, "random_chains", lambda images, rng: np.full_like(images, 255))
    reals, pool = _flat(0, 30), FakePool.join([Fakes("a", "gan", _flat(0, 10))])
    pixels, labels = _take(reals, pool, count=60, batch_size=64, steps=80)
    sent = pixels[..., 0, 0, 0] == 255
    expected = np.minimum(1, 0.1 + 0.9 * np.arange(60) / 40)
    shares = sent.mean(axis=1)
    np.testing.assert_allclose(shares.reshape(6, 10).mean(1), expected.reshape(6, 10).mean(1), atol=0.06)
    assert sent[40:].all()
    early = sent[:40], labels[:40]
    assert early[0][early[1] == 0].mean() == pytest.approx(early[0][early[1] == 1].mean(), abs=0.06)


def test_fakes_come_through_real_chains(pool, spots):
    pixels, _ = _take(spots(50, 0), pool, count=4, steps=1)
    known = {image.tobytes() for image in (*spots(50, 0), *pool.images)}
    images = pixels[1:].reshape(-1, *pixels.shape[2:])
    assert np.mean([image.tobytes() in known for image in images]) < 0.4


def test_fakes_that_the_user_gave_are_seven_in_ten(pool, spoiled):
    given = [Fakes("learned-x", LEARNED, spoiled(9, "stripes", 0))]
    given.append(Fakes("learned-y", LEARNED, spoiled(36, "stripes", 1)))
    whole = pool.extend(FakePool.join(given))
    shares = training_batches.likelihoods(whole)
    shares /= shares.sum()
    assert shares[whole.is_learned].sum() == pytest.approx(0.7)
    assert shares[whole.generators == "learned-y"].sum() == pytest.approx(0.7 * 2 / 3)


@pytest.mark.usefixtures("undelivered")
@pytest.mark.parametrize(("channels", "expected"), [(1, 0.0), (3, 0.3)])
def test_of_some_colour_images_only_a_region_is_seen(monkeypatch, channels, expected):
    monkeypatch.setattr(training_batches, "_SHARES", (1.0, 0.0, 0.0))
    # Half are brighter: of two, one is as often as not.
    reals = np.full((60, 16, 16, channels), 40, np.uint8)
    reals[:30] = 60
    fakes = np.full((9, 16, 16, channels), 200, np.uint8)
    pixels, labels = _take(reals, FakePool.join([Fakes("a", "gan", fakes)]), count=120)
    partial = (pixels[labels == 1] != 200).any(axis=(1, 2, 3))
    assert partial.mean() == pytest.approx(expected, abs=0.08)
    mixed = np.ptp(pixels[labels == 0], axis=(1, 2, 3)) > 0
    assert mixed.mean() == pytest.approx(expected / 2, abs=0.05)
    assert pixels[labels == 0].max() == 60


@pytest.mark.usefixtures("undelivered")
@pytest.mark.parametrize(("channels", "expected"), [(1, 0.0), (3, 0.5)])
def test_images_are_mirrored_in_colour_only(channels, expected):
    reals = np.zeros((9, 16, 16, channels), np.uint8)
    reals[:, :, :8] = 200
    pixels, labels = _take(reals, FakePool.join([Fakes("a", "gan", reals)]), count=40)
    assert np.isin(pixels[labels == 0], (0, 200)).all()
    is_mirrored = pixels[labels == 0][:, 0, 0, 0] == 0
    assert is_mirrored.mean() == pytest.approx(expected, abs=0.1)
