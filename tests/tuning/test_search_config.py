import pytest

from dcgan.errors import InputError
from tuning import Budget, SearchConfig


@pytest.mark.parametrize(
    ("epochs", "rungs"),
    [(1, (1,)), (2, (1, 2)), (9, (1, 3, 9)), (10, (1, 3, 9, 10)), (27, (1, 3, 9, 27))],
)
def test_rungs(epochs, rungs):
    assert SearchConfig(epochs=epochs).rungs == rungs


@pytest.mark.parametrize(
    ("images", "batch_size", "steps"), [(60_000, 64, 156), (640, 64, 10), (640, 256, 2), (10, 64, 1)]
)
def test_steps_of_an_epoch(images, batch_size, steps):
    assert SearchConfig().steps(batch_size, images=images) == steps


def test_every_objective_has_its_direction():
    directions = {
        name: SearchConfig(objective=name).direction
        for name in ("val_frechet_distance", "val_kid", "detector_auroc")
    }
    assert directions == {
        "val_frechet_distance": "min",
        "val_kid": "min",
        "detector_auroc": "max",
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"algorithm": "grid"}, "algorithm: expected one of hyperband, bayesian, random"),
        ({"objective": "loss"}, "objective: expected one of val_frechet_distance"),
        ({"epochs": 0}, "epochs: expected at least 1. Received: 0"),
        ({"epoch_images": 0}, "epoch_images: expected at least 1"),
        ({"samples": 99}, "samples: expected at least 100. Received: 99"),
        ({"seed": -1}, "seed: expected at least 0"),
    ],
)
def test_bad_configs_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        SearchConfig(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"trials": 0}, "trials: expected above 0. Received: 0"),
        ({"epochs": -1}, "max_epochs: expected above 0"),
        ({"minutes": 0.0}, "max_minutes: expected above 0"),
        ({"minutes": float("nan")}, "max_minutes: expected above 0"),
    ],
)
def test_bad_budgets_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        Budget(**values)


def test_only_hyperband_ends_by_itself():
    assert Budget().for_algorithm("hyperband") == Budget()
    assert Budget().for_algorithm("random") == Budget(trials=20)
    assert Budget(minutes=1.0).for_algorithm("random") == Budget(minutes=1.0)
