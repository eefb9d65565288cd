import numpy as np
import pytest

from dcgan import images
from dcgan.callbacks import FakeReplay


def _load(path):
    with np.load(path) as content:
        return content["images"]


def test_keeps_samples_of_each_epoch(tmp_path, make_model, fit):
    model = make_model()
    fit(model, [FakeReplay(tmp_path / "replay", count=3)], epochs=2)
    paths = sorted((tmp_path / "replay").iterdir())
    assert [path.name for path in paths] == ["epoch_001.npz", "epoch_002.npz"]
    first, second = map(_load, paths)
    assert (first.shape, first.dtype) == ((3, 8, 8, 1), np.uint8)
    np.testing.assert_array_equal(first, images.to_uint8(model.generate(3, seed=0)))
    assert (first != second).any()


def test_seeds_give_other_samples(tmp_path, make_model, fit):
    for seed in (0, 1):
        fit(make_model(), [FakeReplay(tmp_path / str(seed), count=2, seed=seed)], epochs=2)
    drawn = [_load(path).tobytes() for path in tmp_path.glob("*/*.npz")]
    assert len(set(drawn)) == 4


def test_keeps_the_latest_epochs(tmp_path, make_model, fit):
    fit(make_model(), [FakeReplay(tmp_path, count=2, keep=2)], epochs=4)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch_003.npz", "epoch_004.npz"]


@pytest.mark.parametrize("name", ["count", "keep"])
def test_nothing(name):
    with pytest.raises(ValueError, match=f"{name}=0"):
        FakeReplay("replay", **{name: 0})


def _write(directory, *epochs):
    for epoch in epochs:
        np.savez(directory / f"epoch_{epoch:03d}.npz", images=np.zeros((1, 8, 8, 1), np.uint8))


def test_numbers_are_numbers_past_epoch_999(tmp_path, make_model, fit):
    """As text, epoch 1000 comes before 998 and was removed as soon as it was written."""
    _write(tmp_path, 997, 998, 999)
    fit(make_model(), [FakeReplay(tmp_path, count=2, keep=3)], initial_epoch=999, epochs=1001)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("epoch_999.npz", "epoch_1000.npz", "epoch_1001.npz")
    }


def test_a_training_that_begins_again_does_not_lose_its_samples_to_older_ones(tmp_path, make_model, fit):
    _write(tmp_path, 8, 9, 10)
    fit(make_model(), [FakeReplay(tmp_path, count=2, keep=2)], epochs=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch_002.npz", "epoch_003.npz"]


def test_a_generator_that_has_diverged_leaves_no_samples(tmp_path, make_model, fit):
    model = make_model()
    model.generator.set_weights([weight * np.nan for weight in model.generator.get_weights()])
    fit(model, [FakeReplay(tmp_path, count=2)])
    assert not list(tmp_path.iterdir())
