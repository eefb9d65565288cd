import numpy as np
import pytest

from dcgan.detector.fakes.fake_pool import FakePool
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
