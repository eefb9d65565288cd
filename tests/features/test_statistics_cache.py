import numpy as np
import pytest

from dcgan.features import statistics_cache
from dcgan.features.statistics_cache import Statistics
from dcgan.metrics import Embedding, suite


@pytest.fixture(params=[True, False], ids=["classes", "no classes"])
def statistics(request, normal_features, class_probabilities):
    features, known = normal_features[1], class_probabilities if request.param else None
    real = suite.Real.of(Embedding(features, known))
    return Statistics(real, {"precision": 0.1 + 0.2} if request.param else None)


def _never():
    raise RuntimeError("computed again")


def test_what_is_read_is_what_was_written(tmp_path, statistics):
    path = tmp_path / "deep" / "reference.npz"
    assert statistics_cache.recall(path, lambda: statistics) is statistics
    read = statistics_cache.recall(path, _never)
    assert read.floor == statistics.floor
    assert read.real.moments.count == 250
    np.testing.assert_array_equal(read.real.moments.mean, statistics.real.moments.mean)
    np.testing.assert_array_equal(read.real.moments.scatter, statistics.real.moments.scatter)
    np.testing.assert_array_equal(read.real.kept.features, statistics.real.kept.features)
    if statistics.real.kept.probabilities is None:
        assert read.real.kept.probabilities is None
    else:
        np.testing.assert_array_equal(read.real.kept.probabilities, statistics.real.kept.probabilities)
    assert [file.name for file in path.parent.iterdir()] == ["reference.npz"]


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_file_is_computed_again(tmp_path, statistics, damage):
    path = tmp_path / "reference.npz"
    statistics_cache.recall(path, lambda: statistics)
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    assert statistics_cache.recall(path, lambda: statistics) is statistics
    assert statistics_cache.recall(path, _never).floor == statistics.floor


def test_an_archive_of_something_else_is_computed_again(tmp_path, statistics):
    path = tmp_path / "reference.npz"
    np.savez(path, images=np.zeros(3))
    assert statistics_cache.recall(path, lambda: statistics) is statistics


def test_fingerprint_tells_apart():
    zeros = np.zeros((2, 3), np.uint8)
    parts = [
        (zeros,),
        (zeros.reshape(3, 2),),
        (zeros.astype(np.int8),),
        (zeros + 1,),
        (zeros, None),
        (zeros, 1),
        (zeros, "1"),
    ]
    assert len({statistics_cache.fingerprint(*each) for each in parts}) == len(parts)
    assert statistics_cache.fingerprint(zeros, 1) == statistics_cache.fingerprint(zeros.copy(), 1)
