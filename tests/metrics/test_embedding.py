import numpy as np
import pytest

from dcgan.metrics import Embedding


@pytest.fixture
def embedding():
    probabilities = np.linspace(0, 1, 20)
    return Embedding(np.arange(60.0).reshape(20, 3), np.stack([probabilities, 1 - probabilities], 1))


def test_take_keeps_features_and_probabilities_together(embedding):
    taken = embedding.take(np.array([7, 2]))
    np.testing.assert_array_equal(taken.features[:, 0], [21, 6])
    np.testing.assert_array_equal(taken.probabilities, embedding.probabilities[[7, 2]])


def test_sample_draws_different_rows_in_order(embedding):
    drawn = embedding.sample(12, seed=3).features[:, 0]
    assert len(drawn) == 12
    assert (np.diff(drawn) > 0).all()
    np.testing.assert_array_equal(drawn, embedding.sample(12, seed=3).features[:, 0])
    assert not np.array_equal(drawn, embedding.sample(12, seed=4).features[:, 0])


def test_sample_of_more_than_there_are_is_all(embedding):
    assert embedding.sample(20, seed=0) is embedding


def test_concatenate(embedding):
    parts = [embedding.take(np.arange(7)), embedding.take(np.arange(7, 20))]
    joined = Embedding.concatenate(parts)
    np.testing.assert_array_equal(joined.features, embedding.features)
    np.testing.assert_array_equal(joined.probabilities, embedding.probabilities)


def test_concatenate_without_probabilities():
    joined = Embedding.concatenate([Embedding(np.zeros((2, 3))), Embedding(np.ones((1, 3)))])
    assert joined.count == 3
    assert joined.probabilities is None
