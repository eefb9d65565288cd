import numpy as np
import pytest

from dcgan import presets
from dcgan.config import RunConfig
from dcgan.detector.fakes import snapshots
from dcgan.detector.fit_progress import FitProgress
from dcgan.model import DCGAN


@pytest.fixture
def model(tiny_network):
    return DCGAN.from_preset(presets.override(RunConfig(network=tiny_network), seed=3))


@pytest.mark.slow
def test_draws_at_four_times_while_it_learns(model, monkeypatch):
    drawn = []

    def draw(model, count, seed):
        drawn.append((count, seed, int(model.optimizer.iterations)))
        return np.full((count, 28, 28, 1), seed, np.uint8)

    monkeypatch.setattr(snapshots.sampling, "draw", draw)
    reals = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), np.uint8)
    shares = []
    progress = FitProgress(lambda stage, share: shares.append((stage, share)), "zoo", part=1, parts=2)
    gan = snapshots.LearningGan(
        name="gan-x", model=model, count=10, steps=8, warm_up=4, batch_size=8, seed=0, latent_seed=1
    )
    before = model.generator.get_weights()
    fakes = snapshots.draw_while_training(gan, reals, callback=progress)
    assert shares == [("zoo", 0.5 + step / 16) for step in range(1, 9)]
    assert (fakes.generator, fakes.family) == ("gan-x", "gan")
    # Other latents at each time, after the warm-up.
    assert drawn == [(2, 5, 5), (3, 6, 6), (2, 7, 7), (3, 8, 8)]
    assert fakes.images[:, 0, 0, 0].tolist() == [5, 5, 6, 6, 6, 7, 7, 8, 8, 8]
    assert any((a != b).any() for a, b in zip(before, model.generator.get_weights(), strict=True))


@pytest.mark.slow
def test_a_conditional_gan_learns_with_labels(tiny_network):
    config = presets.override(RunConfig(network=tiny_network), network={"classes": 3}, seed=3)
    model = DCGAN.from_preset(config)
    reals = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 1), np.uint8)
    labels = np.repeat([0, 2], 20)
    gan = snapshots.LearningGan(
        name="gan-x", model=model, count=8, steps=4, batch_size=10, seed=0, latent_seed=1
    )
    callback = FitProgress(lambda stage, share: None, "zoo", part=0, parts=1)
    fakes = snapshots.draw_while_training(gan, reals, labels=labels, callback=callback)
    assert fakes.images.shape == (8, 28, 28, 1)
    np.testing.assert_array_equal(model.class_counts, [20, 0, 20])
