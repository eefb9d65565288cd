import json
import pathlib
import time

import pytest

from tuning import Budget, oracles

pytestmark = pytest.mark.usefixtures("quick_process")

ALGORITHMS = ["hyperband", "bayesian", "random"]


@pytest.fixture
def make_oracle(make_config, tiny_space, tmp_path):
    def make(algorithm, budget=None, *, out="search", **values):
        config = make_config(algorithm=algorithm, **values)
        oracle = oracles.make(config, (budget or Budget()).for_algorithm(algorithm))
        oracle.verbose = 0
        oracle._set_project_dir(str(tmp_path), out)
        hp = oracle.get_space()
        tiny_space.declare(hp)
        oracle.update_space(hp)
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
        if pathlib.Path(oracle._get_oracle_fname()).is_file():
            oracle.reload()
        if (trial := step(oracle)) is None:
            break
        trials.append(dict(trial.hyperparameters.values))
    assert trials == whole


def test_a_trial_begun_after_the_last_save_is_forgotten(make_oracle):
    """Killed between the trial's file and the oracle's."""
    budget = Budget(trials=3)
    oracle = make_oracle("random", budget)
    step(oracle)
    state = pathlib.Path(oracle._get_oracle_fname()).read_text()
    second = oracle.create_trial("tuner0").hyperparameters.values
    pathlib.Path(oracle._get_oracle_fname()).write_text(state)
    again = make_oracle("random", budget)
    again.reload()
    assert list(again.trials) == ["0000"]
    assert again.create_trial("tuner0").hyperparameters.values == second


def test_the_state_is_never_half_written(make_oracle, monkeypatch):
    oracle = make_oracle("random")
    step(oracle)
    before = pathlib.Path(oracle._get_oracle_fname()).read_text()
    monkeypatch.setattr(pathlib.Path, "replace", lambda self, other: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        oracle.save()
    assert pathlib.Path(oracle._get_oracle_fname()).read_text() == before


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


def test_with_a_budget_hyperband_begins_anew(make_oracle):
    whole = len(finish(make_oracle("hyperband", out="whole")))
    assert len(finish(make_oracle("hyperband", Budget(trials=whole + 5)))) == whole + 5


def test_a_raised_budget_goes_on(make_oracle):
    ended = finish(make_oracle("hyperband", out="search"))
    oracle = make_oracle("hyperband", Budget(trials=len(ended) + 2), out="search")
    oracle.reload()
    assert len(finish(oracle)) == 2


def test_time_counts_over_all_sessions(make_oracle, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    oracle = make_oracle("random", Budget(minutes=10))
    now[0] += 400
    assert step(oracle) is not None
    now[0] += 5000
    again = make_oracle("random", Budget(minutes=10))
    again.reload()
    assert not again.is_spent()
    now[0] += 199
    assert not again.is_spent()
    now[0] += 2
    assert again.is_spent()
    assert step(again) is None


def test_one_failure_does_not_flatten_what_a_bayesian_search_sees(make_oracle):
    oracle = make_oracle("bayesian")
    scores = [
        step(oracle, score=score) and oracle.trials[trial_id].score
        for trial_id, score in (("0000", 5.0), ("0001", 10.0), ("0002", 1400.0))
    ]
    assert scores == sorted(scores)
    assert (scores[2] - scores[1]) / (scores[1] - scores[0]) < 10


def test_the_trial_of_a_worker_that_is_gone_goes_to_another(make_oracle):
    oracle = make_oracle("random", Budget(trials=2))
    lost = oracle.create_trial("worker0")
    oracle.release("worker0")
    assert oracle.create_trial("worker1").trial_id == lost.trial_id
    oracle.release("nobody")
    json.dumps(oracle.get_state())
