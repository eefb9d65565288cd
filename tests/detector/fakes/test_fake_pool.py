import numpy as np
import pytest

from dcgan.detector.fakes.fake_pool import LEARNED, FakePool, Fakes
from dcgan.errors import InputError


def test_joins_and_counts(pool):
    assert pool.images.shape == (150, 12, 12, 1)
    assert pool.counts() == {"autoencoder-a": 50, "gan-a": 60, "gan-b": 40}
    assert set(pool.families[pool.generators == "gan-b"]) == {"gan"}


def test_keeps_what_is_chosen(pool):
    part = pool.where(pool.families == "gan")
    assert part.counts() == {"gan-a": 60, "gan-b": 40}
    np.testing.assert_array_equal(part.images, pool.images[:100])


def test_save_and_load(pool, tmp_path):
    pool.save(tmp_path / "deep" / "pool.npz")
    loaded = FakePool.load(tmp_path / "deep" / "pool.npz")
    np.testing.assert_array_equal(loaded.images, pool.images)
    assert loaded.generators.tolist() == pool.generators.tolist()
    assert loaded.families.tolist() == pool.families.tolist()
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["pool.npz"]


@pytest.mark.parametrize("content", [None, b"text"])
def test_missing_or_damaged_file(tmp_path, content):
    path = tmp_path / "pool.npz"
    if content:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"pool\.npz: expected a pool of fakes"):
        FakePool.load(path)


def _learned(count, seed=0, name="learned-x"):
    images = np.random.default_rng(seed).integers(0, 256, (count, 12, 12, 1), np.uint8)
    return FakePool.join([Fakes(name, LEARNED, images)])


def test_one_in_ten_is_held_back_and_of_the_users_at_least_five(pool):
    assert np.flatnonzero(pool.held_back).tolist() == list(range(0, 150, 10))
    both = pool.extend(_learned(20)).extend(_learned(100, 1, "learned-y"))
    np.testing.assert_array_equal(both.held_back[:150], pool.held_back)
    assert both.held_back[150:170].sum() == 5
    assert both.held_back[170:].sum() == 10


def test_what_is_held_back_stays_so_when_more_fakes_come(pool):
    few = pool.extend(_learned(73))
    many = few.extend(_learned(40, 1))
    np.testing.assert_array_equal(many.held_back[: len(few.images)], few.held_back)
    assert many.held_back[150:].sum() == 12


def test_pool_with_learned_fakes_comes_back(pool, tmp_path):
    whole = pool.extend(_learned(20))
    whole.save(tmp_path / "pool.npz")
    loaded = FakePool.load(tmp_path / "pool.npz")
    assert loaded.counts() == pool.counts() | {"learned-x": 20}
    assert loaded.is_learned.sum() == 20
    np.testing.assert_array_equal(loaded.jpeg_qualities, whole.jpeg_qualities)
