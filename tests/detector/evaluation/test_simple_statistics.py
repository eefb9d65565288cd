import numpy as np
import pytest

from dcgan.detector.delivery import deliveries
from dcgan.detector.evaluation import simple_statistics
from dcgan.detector.fakes.fake_pool import FakePool, Fakes


def test_shape_and_shares():
    images = np.zeros((3, 12, 12, 1), np.uint8)
    images[1] = 255
    statistics = simple_statistics.compute(images)
    # 9 rings of frequency to the corner, 9 bins of gradients, 16 of grey levels.
    assert statistics.shape == (3, 9 + 9 + 16)
    assert statistics[0, 9:18].tolist() == [1] + [0] * 8
    assert (statistics[0, 18], statistics[1, -1]) == (1, 1)


def test_power_lies_at_its_frequency():
    wave = 100 + 50 * np.cos(2 * np.pi * 3 * np.arange(12) / 12)
    image = np.rint(np.tile(wave, (12, 1)))[np.newaxis, ..., np.newaxis].astype(np.uint8)
    spectrum = simple_statistics.compute(image)[0, :9]
    assert np.argmax(spectrum[1:]) + 1 == 3


def test_an_easy_pool_is_told(spots, spoiled):
    found = simple_statistics.measure(spots(400, 0), spoiled(400, "checks", 1))
    assert found["auroc"] > 0.9
    assert found["too_easy"]
    assert found["found"] > 0.3


def test_reals_and_fakes_are_delivered_alike(spots, spoiled, monkeypatch):
    """Where delivery leaves nothing of an image, nothing tells fakes from reals."""
    monkeypatch.setattr(deliveries, "random_chains", lambda images, rng: np.zeros_like(images))
    assert simple_statistics.measure(spots(40, 0), spoiled(40, "checks", 1))["auroc"] == 0.5


def test_share_of_the_pool_that_is_easy(spots, spoiled):
    pool = FakePool.join(
        [
            Fakes("easy", "gan", spoiled(100, "checks", 1)),
            Fakes("hard", "gan", spots(300, 2)),
            Fakes("rare", "gan", spoiled(3, "checks", 3)),
        ]
    )
    found = simple_statistics.measure_pool(spots(400, 0), pool)
    assert found["easy_share"] == pytest.approx(100 / 403)
    assert not found["too_easy"]


def test_reals_in_the_fakes_place_are_not_told(spots):
    found = simple_statistics.measure(spots(400, 0), spots(400, 1))
    assert found["auroc"] == pytest.approx(0.5, abs=0.08)
    assert not found["too_easy"]
