import errno
import os
import pathlib
import signal
import subprocess
import sys

import fake_training
import keras_tuner
import numpy as np
import pytest

from dcgan import data
from dcgan.config import RunConfig
from dcgan.errors import InputError
from tuning import Budget, DCGANHyperModel, SearchConfig, best_config, run, trial_records, trial_training
from tuning.search_directory import SearchDirectory

pytestmark = pytest.mark.usefixtures("quick_process")

ALGORITHMS = ["hyperband", "bayesian", "random"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_search_finds_what_is_good(search, fake, make_config, tmp_path, algorithm):
    seen = []
    result = search(
        config=make_config(algorithm=algorithm), budget=Budget(trials=10), on_change=seen.append
    )
    assert [len(ended) for ended in seen] == list(range(1, 11))
    assert len(result.records) == 10
    assert result.best == min(result.ranked, key=lambda record: record.score)
    directory = SearchDirectory(tmp_path / "search")
    assert all(p.is_file() for p in (directory.trials_csv, directory.trials_json))
    config = RunConfig.load(directory.best)
    assert config == result.best_config == best_config(directory.path)
    # What the space leaves alone is the base's, so that it trains in full.
    assert config.training.epochs == 2
    assert config.training.batch_size == result.best.values["batch_size"]


def test_the_same_seed_ends_with_the_same_trials(search, fake, make_config):
    first, second, other = (
        fake_training.without_times(search(out, config=config, budget=Budget(trials=4)).records)
        for out, config in (("a", None), ("b", None), ("c", make_config(seed=1)))
    )
    assert first == second != other


def test_a_finished_search_trains_nothing_again(search, fake, tmp_path):
    budget = Budget(trials=10)
    first = search(budget=budget)
    trained = fake_training.trained(tmp_path / "search")
    assert search(budget=budget).records == first.records
    assert fake_training.trained(tmp_path / "search") == trained
    assert len(trained) == len(set(trained)) == len(first.records)


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_interrupted_anywhere_it_ends_with_the_same_trials(
    search, fake, make_config, monkeypatch, tmp_path, algorithm
):
    options = {"config": make_config(algorithm=algorithm), "budget": Budget(trials=9)}
    whole = search("whole", **options)
    calls = [0]

    def interrupt(original):
        def wrapped(*args, **arguments):
            calls[0] += 1
            if calls[0] % 4 == 0:
                raise KeyboardInterrupt
            return original(*args, **arguments)

        return wrapped

    for place, name in ((trial_training, "fit"), (trial_records.TrialRecord, "save")):
        monkeypatch.setattr(place, name, interrupt(getattr(place, name)))
    for _ in range(20):
        try:
            parts = search("parts", **options)
            break
        except KeyboardInterrupt:
            continue
    assert calls[0] > 18
    assert fake_training.without_times(parts.records) == fake_training.without_times(whole.records)


KILLED = """
import sys
sys.path[:0] = {path!r}
import fake_training
fake_training.install()
from tuning import search, Budget
from tuning.search_directory import SearchDirectory
config, space = SearchDirectory(sys.argv[1]).load()
search(config, sys.argv[1], space=space, budget=Budget(trials=14))
"""


@pytest.mark.slow
def test_killed_and_called_again_it_ends_with_the_same_trials(
    search, fake, make_config, tiny_space, tmp_path
):
    """Killed by SIGKILL within a trial, in a process of its own."""
    config = make_config()
    whole = search("whole", config=config, budget=Budget(trials=14))
    directory = SearchDirectory(tmp_path / "killed")
    images = data.Partition.load(config.base)
    digests = f"{images.rest.digest} {images.held_out.digest}"
    directory.claim(config, tiny_space, images=digests)
    fuse = tmp_path / "fuse"
    fuse.write_text("0010")
    here = pathlib.Path(__file__).parent
    script = KILLED.format(path=[str(here), str(here.parent.parent)])
    process = subprocess.run(
        [sys.executable, "-c", script, str(directory.path)],
        env={**os.environ, "FAKE_FUSE": str(fuse)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert len(trial_records.read_all(directory.records)) == 10
    killed = search("killed", config=config, budget=Budget(trials=14), images=None, reference=None)
    assert fake_training.without_times(killed.records) == fake_training.without_times(whole.records)
    trained = fake_training.trained(directory.path)
    assert sorted(trained) == sorted([*(record.trial for record in whole.records), "0010"])


def diverge(model, task):
    """Stands for a training that leads nowhere."""
    fake_training._mark(task.checkpoint)
    return task.goal.failure("It diverged.")


@pytest.mark.slow
def test_diverged_trials_have_a_score_and_never_stop_a_search(search, fake, monkeypatch):
    train = trial_training.fit

    def fail_often(model, task):
        return (diverge if model.values["batch_size"] == 16 else train)(model, task)

    monkeypatch.setattr(trial_training, "fit", fail_often)
    result = search()
    failed = [record for record in result.records if record.failed]
    assert 3 < len(failed) < len(result.records)
    assert {record.reason for record in failed} == {"It diverged."}
    worst = {record.score for record in failed}
    assert len(worst) == 1
    assert worst.pop() > 0
    assert result.best.values["batch_size"] == 8
    assert all(record.values["batch_size"] == 8 for record in result.ranked)


def test_a_trial_that_goes_on_from_a_failed_one_fails_at_once(search, fake, monkeypatch, tmp_path):
    monkeypatch.setattr(trial_training, "fit", diverge)
    result = search(budget=Budget(trials=13))
    assert len(result.records) == 13
    assert len(fake_training.trained(tmp_path / "search")) == 9
    with pytest.raises(InputError, match=r"expected a trial that does not fail: It diverged"):
        _ = result.best


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["hyperband", "bayesian"])
def test_a_broken_environment_ends_a_search_which_goes_on_once_it_is_mended(
    search, fake, make_config, monkeypatch, tmp_path, algorithm
):
    options = {"config": make_config(algorithm=algorithm), "budget": Budget(trials=9)}
    whole = search("whole", **options)
    train, trained = trial_training.fit, []

    def run_out_of_memory(model, task):
        trained.append(task.checkpoint.name)
        if len(trained) > 4:
            raise MemoryError(f"after {len(trained)}\ntrials")
        return train(model, task)

    monkeypatch.setattr(trial_training, "fit", run_out_of_memory)
    for _ in range(2):
        with pytest.raises(InputError) as error:
            search("parts", **options)
        assert "3 trials in a row failed, the first, trial 0004, with: MemoryError: after" in str(
            error.value
        )
    assert trained == [*(f"{number:04}" for number in range(4)), *["0004", "0005", "0006"] * 2]
    records = trial_records.read_all(tmp_path / "parts" / "trials")
    assert [record.status for record in records] == ["done"] * 4 + ["error"] * 3
    assert (tmp_path / "parts" / "trials.csv").exists()
    monkeypatch.setattr(trial_training, "fit", train)
    parts = search("parts", **options)
    assert {r.trial for r in parts.records} == {r.trial for r in whole.records}
    assert fake_training.without_times(parts.ranked)[:1] == fake_training.without_times(whole.ranked)[:1]


def test_a_record_that_cannot_be_written_ends_a_search(search, fake, monkeypatch):
    def write(record, directory):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(trial_records.TrialRecord, "save", write)
    with pytest.raises(OSError, match="No space left on device"):
        search()


def test_a_trial_whose_process_dies_every_time_is_given_up(search, fake, monkeypatch, tmp_path):
    train = trial_training.fit

    def die(model, task):
        if task.checkpoint.name == "0002":
            raise KeyboardInterrupt
        return train(model, task)

    monkeypatch.setattr(trial_training, "fit", die)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            search(budget=Budget(trials=5))
    result = search(budget=Budget(trials=5))
    assert {record.trial: record.reason for record in result.records if record.failed} == {
        "0002": "Its process has died 3 times."
    }


@pytest.mark.slow
def test_only_checkpoints_that_are_needed_are_kept(search, fake, monkeypatch):
    train = trial_training.fit

    def keep(model, task):
        task.checkpoint.mkdir(parents=True)
        return train(model, task)

    monkeypatch.setattr(trial_training, "fit", keep)
    result = search()
    kept = {path.name for path in result.directory.checkpoints.iterdir()}
    assert result.best.trial in kept
    assert len(kept) < 5 < len(result.records)


@pytest.fixture
def make_tuner(fake, make_config, noise, noise_reference, tiny_space, tmp_path, monkeypatch):
    """Makes one of KerasTuner's own tuners, as a program does that is started again."""
    monkeypatch.setattr(keras_tuner.Tuner, "_try_build", lambda self, hp: self.hypermodel.build(hp))
    space = tiny_space.change(**{
        name: parameter.ends[0]
        for name, parameter in tiny_space.parameters.items()
        if name not in ("batch_size", "latent_dim")
    })  # fmt: skip

    def make(cls=keras_tuner.GridSearch, **options):
        hypermodel = DCGANHyperModel(
            make_config(), tmp_path / "own", space=space, images=noise, reference=noise_reference
        )
        names = {"directory": tmp_path / "own", "project_name": "kt"}
        return cls(hypermodel, hypermodel.objective, **names, **options)

    return make


GRID = [(8, 4), (8, 8), (16, 4), (16, 8)]


def _points(records):
    return [(record.values["batch_size"], record.values["latent_dim"]) for record in records]


@pytest.mark.slow
def test_any_tuner_can_be_used(make_tuner):
    result = run(make_tuner(), verbose=0)
    assert sorted(_points(result.records)) == GRID
    assert result.best.values["batch_size"] == 8
    assert result.directory.trials_csv.is_file()


@pytest.mark.parametrize("killed", [1, 2, 3])
def test_a_grid_search_goes_on_after_a_restart(make_tuner, monkeypatch, killed):
    train, calls = trial_training.fit, []

    def interrupt(model, task):
        calls.append(model)
        if len(calls) == killed + 1:
            raise KeyboardInterrupt
        return train(model, task)

    monkeypatch.setattr(trial_training, "fit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(make_tuner(), verbose=0)
    result = run(make_tuner(), verbose=0)
    assert sorted(_points(result.records)) == GRID
    assert len(calls) == len(GRID) + 1


def test_another_tuner_sees_no_score_of_a_failed_trial(make_tuner, monkeypatch):
    train = trial_training.fit

    def fail_often(model, task):
        if model.values["batch_size"] == 8:
            return task.goal.failure("It diverged.")
        return train(model, task)

    monkeypatch.setattr(trial_training, "fit", fail_often)
    tuner = make_tuner(max_consecutive_failed_trials=10)
    result = run(tuner, verbose=0)
    assert sorted(_points(result.records)) == GRID
    assert {trial.status for trial in tuner.oracle.trials.values() if trial.score is None} == {"FAILED"}
    best = tuner.get_best_hyperparameters(4)[:2]
    assert {hp.values["batch_size"] for hp in best} == {16}


def test_an_overwritten_search_leaves_nothing(make_tuner, monkeypatch):
    first = run(make_tuner(keras_tuner.RandomSearch, max_trials=4, seed=1), verbose=0)
    assert first.best_config
    again = make_tuner(keras_tuner.RandomSearch, max_trials=2, seed=2, overwrite=True)
    second = run(again, verbose=0)
    assert [record.trial for record in second.records] == ["0", "1"]
    assert {record.trial for record in second.ranked} == {"0", "1"}
    assert len(second.directory.trials_csv.read_text().splitlines()) == 3
    assert second.best_config.training.batch_size == second.best.values["batch_size"]
    assert second.records[0].elapsed < first.records[-1].elapsed
    monkeypatch.setattr(trial_training, "fit", lambda model, task: task.goal.failure("It diverged."))
    run(make_tuner(keras_tuner.RandomSearch, max_trials=1, overwrite=True), verbose=0)
    assert not second.directory.best.exists()


@pytest.mark.parametrize("place", ["build", "fit"])
def test_a_broken_environment_ends_the_search_of_another_tuner(make_tuner, monkeypatch, tmp_path, place):
    tuner = make_tuner(keras_tuner.RandomSearch, max_trials=10)

    def run_out_of_memory(*arguments):
        raise MemoryError("no\nmore")

    owner = tuner.hypermodel if place == "build" else trial_training
    monkeypatch.setattr(owner, place, run_out_of_memory)
    with pytest.raises(
        InputError, match=r"own: 3 trials in a row failed, the first, trial 00, with: Mem"
    ):
        run(tuner, verbose=0)
    rows = (tmp_path / "own" / "trials.csv").read_text().splitlines()
    assert len(rows) == 4
    assert all(",error," in row for row in rows[1:])


def test_a_batch_larger_than_the_data_is_refused(search, fake, tiny_space):
    with pytest.raises(InputError, match="batch_size: expected at most the number of images"):
        search(space=tiny_space.change(batch_size=[8, 256]))


def test_a_search_on_given_images_is_measured_against_them(search, fake):
    pixels = np.random.default_rng(1).integers(0, 256, (1000, 28, 28, 1), np.uint8)
    result = search(images=pixels, reference=None, budget=Budget(trials=1))
    assert result.best_config.data.startswith("given:")
    with pytest.raises(InputError, match=r"holds a search on other images: given:"):
        search(images=255 - pixels, reference=None, budget=Budget(trials=2))
    with pytest.raises(InputError, match=r"holds another search \(base\.data="):
        search(images=None, reference=None, budget=Budget(trials=2))


def test_given_images_of_another_shape_are_refused(search, fake):
    with pytest.raises(InputError, match=r"expected images of shape \(28, 28, 1\)"):
        search(images=data.ImageSet("odd", "train", np.zeros((200, 32, 32, 3), np.uint8)))


def test_a_search_needs_a_feature_extractor_and_images_to_test_on(search, make_config, tmp_path, noise):
    config = make_config()
    base = RunConfig(**{**vars(config.base), "features": "none"})
    with pytest.raises(InputError, match="features none: expected a feature extractor"):
        search(config=SearchConfig(base=base), reference=None)
    assert not (tmp_path / "search" / "search.json").exists()
