import numpy as np
import pytest

from dcgan.detector import start
from dcgan.detector.start import start_files


def _images(count=4, size=32):
    return np.random.default_rng(0).uniform(-1, 1, (count, size, size, 3)).astype(np.float32)


@pytest.mark.parametrize("shape", [(32, 32), (33, 47), (64, 64)])
def test_takes_images_of_every_size(shape):
    network = start.load_start((*shape, 3))
    logits = network(np.random.default_rng(0).uniform(-1, 1, (2, *shape, 3)))
    assert logits.shape == (2, 1)
    assert np.isfinite(logits).all()


def test_framing_is_no_clue_but_at_the_border():
    """What a shift changes of a repeated image falls as the border's share does."""

    def change(repeats):
        network = start.load_start((32 * repeats, 32 * repeats, 3))
        still, moved = (
            network(np.tile(images, (1, repeats, repeats, 1)))
            for images in (_images(), np.roll(_images(), (4, 8), axis=(1, 2)))
        )
        return np.abs(still - moved).max()

    assert change(8) < 0.7 * change(4)


def test_weights_come_back_up_to_float16(tmp_path):
    network = start.build_start_network((32, 32, 3), width=4, seed=3)
    network.get_layer("norm1").moving_variance.assign([1e-9, 1.0, 2.0, 1e6])
    start.save_start(network, tmp_path / "start.npz")
    back = start.load_start((32, 32, 3), path=tmp_path / "start.npz")
    for stored, weight in zip(back.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_allclose(stored, weight, rtol=1e-3, atol=1e-7)


def test_what_travels_in_the_package_is_small_and_described():
    assert start_files.WEIGHTS.stat().st_size < 4_000_000
    card = start.read_card()
    for generator in card["generators"]:
        assert set(generator) == {"name", "family", "author", "images"}
    for deliveries in card["left_out"].values():
        for row in deliveries.values():
            assert 0 <= row["worst_auroc"] <= row["mean_auroc"] <= 1


def test_seed_decides_the_weights():
    first, again, other = (
        start.build_start_network((32, 32, 3), width=4, seed=seed).get_weights() for seed in (0, 0, 1)
    )
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(first, other, strict=True))
