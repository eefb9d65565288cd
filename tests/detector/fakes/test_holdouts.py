import numpy as np
import pytest

from dcgan import presets
from dcgan.config import NetworkConfig, RunConfig, TrainingConfig
from dcgan.detector.fakes import holdouts


@pytest.fixture
def config():
    network = NetworkConfig(latent_dim=4, generator_width=4, discriminator_width=4, max_width=4)
    return RunConfig(network=network, training=TrainingConfig(batch_size=16))


@pytest.fixture
def reals(spots):
    return np.pad(spots(60, 0), ((0, 0), (8, 8), (8, 8), (0, 0)))


def _draw(config, reals, directory, *, count=6, steps=20):
    return holdouts.draw_holdouts(config, reals, count=count, steps=steps, directory=directory)


@pytest.mark.slow
def test_hard_and_quick_kinds_are_drawn_and_kept(config, reals, tmp_path, monkeypatch):
    seen = []
    fakes = holdouts.draw_holdouts(
        *(config, reals),
        count=6,
        steps=20,
        directory=tmp_path,
        progress=lambda stage, share: seen.append((stage, share)),
    )
    assert list(fakes) == ["GAN, other seed", "diffusion", "VAE", "PCA mixture"]
    assert all((part.shape, part.dtype) == ((6, 28, 28, 1), np.uint8) for part in fakes.values())
    assert {stage for stage, _ in seen} == {"holdout fakes"}
    names = ["diffusion.npz", "gan_other_seed.npz", "pca_mixture.npz", "vae.npz"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names

    def fail(*_):
        raise AssertionError("drawn again")

    monkeypatch.setattr(holdouts, "_DRAWS", dict.fromkeys(fakes, fail))
    kept = _draw(config, reals, tmp_path)
    for name, images in fakes.items():
        np.testing.assert_array_equal(kept[name], images)


def test_others_are_drawn_where_the_kept_ones_do_not_fit(config, reals, tmp_path, monkeypatch):
    drawn = []

    def draw(config, reals, count, steps, callback):
        drawn.append((count, steps))
        return reals[:count]

    monkeypatch.setattr(holdouts, "_DRAWS", {"VAE": draw})
    _draw(config, reals, tmp_path)
    _draw(config, reals, tmp_path, steps=40)
    _draw(config, reals, tmp_path, count=5, steps=40)
    _draw(config, reals, tmp_path, count=5, steps=40)
    (tmp_path / "vae.npz").write_bytes(b"damaged")
    _draw(config, reals, tmp_path, count=5, steps=40)
    assert drawn == [(6, 20), (6, 40), (5, 40), (5, 40)]


def test_the_gan_of_a_conditional_run_is_unconditional(config, reals, monkeypatch):
    """Since its fakes are drawn for no class, and the reals come without labels."""
    configs = []

    def from_preset(config, **options):
        configs.append(config)
        raise KeyboardInterrupt

    monkeypatch.setattr(holdouts.DCGAN, "from_preset", from_preset)
    conditional = presets.override(config, network={"classes": 5})
    with pytest.raises(KeyboardInterrupt):
        holdouts._draw_gan(conditional, reals, 6, 20, None)
    assert [each.network.classes for each in configs] == [0]
