import pathlib
import time

import keras_tuner
import pytest

from tuning import Budget, oracles

pytestmark = pytest.mark.usefixtures("quick_process")

ALGORITHMS = ["hyperband", "bayesian", "random"]


@pytest.fixture
def make_oracle(make_config, tiny_space, tmp_path):
    def make(algorithm, budget=None, *, out="search", origin=None, **values):
        oracle = oracles.make(
            make_config(algorithm=algorithm, **values),
            (budget or Budget()).for_algorithm(algorithm),
            space=tiny_space,
            path=tmp_path / out / "state.json",
            origin=time.time() if origin is None else origin,
        )
        oracle.verbose = 0
        oracle._set_project_dir(str(tmp_path), out)
        oracle.reload()
        return oracle

    return make


def step(oracle, *, score=None, tuner="tuner0"):
    """Runs one trial; returns it, or None at the end."""
    trial = oracle.create_trial(tuner)
    if trial.status == "STOPPED":
        return None
    values = trial.hyperparameters.values
    value = 1000 * values["generator_learning_rate"] if score is None else score
    epochs = values.get("tuner/epochs", 9) - values.get("tuner/initial_epoch", 0)
    oracle.update_trial(trial.trial_id, {"val_frechet_distance": value, "trained_epochs": epochs})
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
    return trial


def finish(oracle):
    trials = []
    while (trial := step(oracle)) is not None:
        trials.append(dict(trial.hyperparameters.values))
    return trials


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_seed_repeats_a_search(make_oracle, algorithm):
    budget = Budget(trials=10)
    first = finish(make_oracle(algorithm, budget, out="a"))
    assert first == finish(make_oracle(algorithm, budget, out="b"))
    assert first != finish(make_oracle(algorithm, budget, out="c", seed=1))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_reloaded_after_each_trial_it_goes_on_the_same(make_oracle, algorithm):
    budget = Budget(trials=10)
    whole = finish(make_oracle(algorithm, budget, out="whole"))
    trials = []
    for _ in range(20):
        oracle = make_oracle(algorithm, budget, out="parts")
        if (trial := step(oracle)) is None:
            break
        trials.append(dict(trial.hyperparameters.values))
    assert trials == whole


def test_a_trial_that_had_not_ended_is_handed_out_again(make_oracle):
    budget = Budget(trials=3)
    oracle = make_oracle("random", budget)
    step(oracle)
    second = oracle.create_trial("tuner0")
    again = make_oracle("random", budget).create_trial("tuner1")
    assert (again.trial_id, again.hyperparameters.values) == ("0001", second.hyperparameters.values)


def test_the_state_is_never_half_written(make_oracle, monkeypatch, tmp_path):
    oracle = make_oracle("random")
    step(oracle)
    before = (tmp_path / "search" / "state.json").read_text()
    monkeypatch.setattr(pathlib.Path, "replace", lambda self, other: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        oracle.save()
    assert (tmp_path / "search" / "state.json").read_text() == before


def test_hyperband_goes_through_its_rungs(make_oracle, make_config):
    trials = finish(make_oracle("hyperband"))
    rungs = [(t["tuner/initial_epoch"], t["tuner/epochs"]) for t in trials]
    assert rungs[:13] == [(0, 1)] * 9 + [(1, 3)] * 3 + [(3, 9)]
    planned = oracles.planned_epochs(make_config(), Budget())
    assert planned == sum(last - first for first, last in rungs)
    # The best of a rung goes on, with its own values.
    best = min(trials[:9], key=lambda t: t["generator_learning_rate"])
    assert trials[12]["generator_learning_rate"] == best["generator_learning_rate"]


def test_failures_do_not_stop_hyperband(make_oracle):
    oracle = make_oracle("hyperband")
    trials = []
    while (trial := step(oracle, score=1e4)) is not None:
        trials.append(trial)
    assert len(trials) == len(finish(make_oracle("hyperband", out="other")))


@pytest.mark.parametrize(
    ("budget", "trials"), [(Budget(trials=15), 15), (Budget(epochs=10), 10), (Budget(epochs=12), 11)]
)
def test_budgets_in_trials_and_epochs(make_oracle, budget, trials):
    assert len(finish(make_oracle("hyperband", budget))) == trials


@pytest.mark.slow
def test_with_a_budget_hyperband_begins_anew(make_oracle):
    whole = len(finish(make_oracle("hyperband", out="whole")))
    assert len(finish(make_oracle("hyperband", Budget(trials=whole + 5)))) == whole + 5


def test_a_raised_budget_goes_on(make_oracle):
    ended = finish(make_oracle("hyperband", out="search"))
    oracle = make_oracle("hyperband", Budget(trials=len(ended) + 2), out="search")
    assert len(finish(oracle)) == 2


def test_the_time_ends_a_search(make_oracle, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    oracle = make_oracle("random", Budget(minutes=10), origin=401.0)
    assert step(oracle) is not None
    assert not oracle.is_spent()
    oracle = make_oracle("random", Budget(minutes=10), origin=399.0)
    assert oracle.is_spent()
    assert step(oracle) is None


@pytest.mark.parametrize("objective", ["val_frechet_distance", "detector_auroc"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_failed_trials_rank_behind_all_others(make_oracle, algorithm, objective):
    """Here by a penalty that is better than the score of a trial that has finished."""
    oracle = make_oracle(algorithm, objective=objective)
    worse = 29.19 if objective == "val_frechet_distance" else -1.0
    for score, failed in ((20.25, 1.0), (worse, 0.0), (20.25, 1.0), (15.0, 0.0)):
        trial = oracle.create_trial("tuner0")
        metrics = {objective: score, "trained_epochs": 1.0, "failed": failed}
        oracle.update_trial(trial.trial_id, metrics)
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    best = [trial.trial_id for trial in oracle.get_best_trials(4)]
    assert best[:2] == ["0003", "0001"]
    assert oracle.trials["0000"].score == oracle.trials["0002"].score


def test_one_failure_does_not_flatten_what_a_bayesian_search_sees(make_oracle):
    oracle = make_oracle("bayesian")
    scores = [
        step(oracle, score=score) and oracle.trials[trial_id].score
        for trial_id, score in (("0000", 5.0), ("0001", 10.0), ("0002", 1400.0))
    ]
    assert scores == sorted(scores)
    assert (scores[2] - scores[1]) / (scores[1] - scores[0]) < 10


@pytest.mark.parametrize("owner", oracles.KERAS_TUNER_INTERNALS)
def test_the_private_members_of_keras_tuner_exist(owner):
    oracle = owner(objective=keras_tuner.Objective("score", "min"))
    assert all(hasattr(oracle, name) for name in oracles.KERAS_TUNER_INTERNALS[owner])
