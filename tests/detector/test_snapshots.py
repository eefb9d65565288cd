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
