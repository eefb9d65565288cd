import math
import random

import pytest

from tuning import Space, TrialRecord, importance


@pytest.fixture(scope="module")
def space():
    return Space().change(loss="hinge")


@pytest.fixture(scope="module")
def ended(space):
    """Forty trials of which the learning rate decides, the batch size a little."""
    draw = random.Random(0)
    trials = []
    for seed in range(40):
        values = space.sample(seed)
        score = 10 * abs(math.log10(values["generator_learning_rate"]) + 3)
        score += values["batch_size"] / 256 + 0.1 * draw.random()
        trials.append(TrialRecord(trial=str(seed), status="done", score=score, values=values, epochs=9))
    return trials


def test_what_decides_comes_first(space, ended):
    shares = importance.measure(ended, space, direction="min")
    assert next(iter(shares)) == "generator_learning_rate"
    assert shares["generator_learning_rate"] > 0.6
    assert sum(shares.values()) == pytest.approx(1)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert "loss" not in shares


@pytest.mark.slow
def test_failures_count_as_the_worst(space, ended):
    """All that have batch normalisation fail, whatever their score says."""
    failing = [
        TrialRecord(
            trial=record.trial,
            status="failed" if record.values["generator_norm"] == "batch" else "done",
            score=1.0,
            values=record.values,
        )
        for record in ended
    ]
    for direction in ("min", "max"):
        shares = importance.measure(failing, space, direction=direction)
        assert next(iter(shares)) == "generator_norm"


def test_few_trials_say_nothing(space, ended):
    assert importance.measure(ended[:7], space, direction="min") == {}
    assert importance.measure(ended, Space({}), direction="min") == {}


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("generator_learning_rate", 1e-4, 0),
        ("generator_learning_rate", math.sqrt(1e-4 * 5e-3), 0.5),
        ("beta_1", 0.9, 1),
        ("batch_size", 64, 1 / 3),
        ("loss", "hinge", 0),
        ("augmentation", "translation", 0.5),
    ],
)
def test_positions_on_an_axis(space, name, value, place):
    assert importance.position(space, name, value) == pytest.approx(place)
