import dataclasses

import pytest

from dcgan.metrics import HIGHER_IS_BETTER, Score


@pytest.fixture
def score():
    return Score(
        name="kid",
        value=0.0123456,
        spread=0.001,
        features="mnist",
        real_count=10_000,
        fake_count=5_000,
        seed=3,
        floor=-0.0001,
    )


def test_distances_are_better_lower_and_the_rest_higher():
    lower = {name for name, higher in HIGHER_IS_BETTER.items() if not higher}
    assert lower == {"frechet_distance", "kid", "class_divergence"}


def test_knows_its_direction(score):
    assert not score.higher_is_better
    assert dataclasses.replace(score, name="precision").higher_is_better


def test_rejects_an_unknown_metric(score):
    with pytest.raises(ValueError, match="name='beauty'"):
        dataclasses.replace(score, name="beauty")
