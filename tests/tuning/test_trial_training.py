import math
import time
import types

import numpy as np
import pytest

from dcgan import data
from tuning import TrialRecord, trial_training
from tuning.objectives import Goal

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (128, 8, 8, 1), np.uint8)


@pytest.fixture(scope="module")
def goal(make_config, make_reference, images):
    partition = data.Partition.load(make_config().base, data.ImageSet("noise", "all", images))
    return Goal(make_config(), make_reference(images), partition)


@pytest.fixture
def make_task(goal, images):
    def make(**fields):
        return trial_training.Task(
            **{
                "goal": goal,
                "batches": lambda first: data.batches(images, 16, repeat=True, first_epoch=first),
                "steps": 2,
                "rungs": (1, 3),
                "epochs": 3,
                "finished": list,
                "deadline": None,
                **fields,
            }
        )

    return make


@pytest.fixture
def model(make_gan):
    return make_gan(ema_decay=0.9).compile()


def test_it_is_measured_at_its_rungs(model, make_task, goal):
    record = trial_training.fit(model, make_task())
    assert record.status == "done"
    assert [epochs for epochs, _ in record.curve] == [1, 3]
    assert record.score == record.curve[-1][1] == goal.measure(model)["val_frechet_distance"]
    assert record.metrics.keys() == {"val_frechet_distance", "val_kid"}
    assert (record.first_epoch, record.epochs) == (0, 3)
    assert int(model.step) == 6
    assert set(record.seconds) == {"first_step", "train", "measure", "save"}
    assert min(record.seconds.values()) >= 0


@pytest.mark.slow
def test_a_later_rung_goes_on_where_the_earlier_one_ended(make_gan, make_task, tmp_path):
    first = make_gan().compile()
    trial_training.fit(first, make_task(epochs=1, checkpoint=tmp_path / "0"))
    second = make_gan().compile()
    task = make_task(checkpoint=tmp_path / "1", resume=tmp_path / "0")
    record = trial_training.fit(second, task)
    assert (record.first_epoch, record.epochs) == (1, 3)
    assert [epochs for epochs, _ in record.curve] == [3]
    assert int(second.step) == 6
    assert int(second.generator_optimizer.iterations) == 6
    assert [path.name for path in sorted((tmp_path / "1").glob("*.keras"))] == ["epoch_003.keras"]


def test_a_lost_checkpoint_is_trained_anew(model, make_task, tmp_path):
    task = make_task(checkpoint=tmp_path / "1", resume=tmp_path / "gone")
    assert trial_training.fit(model, task).first_epoch == 0
    assert int(model.step) == 6


def test_a_diverged_training_ends_at_once_with_a_score(make_gan, make_task, goal, tmp_path):
    model = make_gan().compile(loss="least_squares")
    weight = model.discriminator.trainable_weights[-1]
    weight.assign(np.full(weight.shape, np.inf))
    record = trial_training.fit(model, make_task(checkpoint=tmp_path / "0"))
    assert record.status == "failed"
    assert "Lower the learning rate" in record.reason
    assert record.score == goal.worst["val_frechet_distance"]
    assert int(model.step) == 1
    assert not list(tmp_path.rglob("*.keras"))


def test_a_score_that_is_no_number_is_a_failure(model, make_task, goal, monkeypatch):
    monkeypatch.setattr(
        goal, "measure", lambda model: {"val_frechet_distance": math.nan, "val_kid": 0.0}
    )
    record = trial_training.fit(model, make_task())
    assert (record.status, record.reason) == ("failed", "val_frechet_distance is nan.")
    assert math.isfinite(record.score)


def _others(*values, status="done"):
    return [
        TrialRecord(trial=str(n), status=status, score=v, curve=[[1, v], [3, 0.0]])
        for n, v in enumerate(values)
    ]


def test_a_trial_behind_the_median_of_finished_ones_is_stopped(model, make_task):
    record = trial_training.fit(model, make_task(finished=lambda: _others(*[1e-9] * 5), epochs=2))
    assert (record.status, record.epochs) == ("stopped", 1)
    assert "Behind the median of 5 trials" in record.reason


@pytest.mark.parametrize(
    ("others", "stopped"),
    [
        (_others(*[1e-9] * 5), True),
        (_others(*[1e-9] * 4), False),
        (_others(*[1e9] * 5), False),
        (_others(1e-9, 1e-9, 1e9, 1e9, 1e9), False),
        (_others(*[1e-9] * 5, status="failed"), False),
    ],
)
def test_the_median_is_of_at_least_five_trials_that_did_not_fail(make_task, others, stopped):
    rungs = trial_training._Rungs(make_task(finished=lambda: others), guard=None)
    rungs.set_model(types.SimpleNamespace(stop_training=False))
    rungs._compare(1, 5.0)
    assert rungs.model.stop_training is stopped


def test_when_time_is_over_a_trial_is_cut_short_and_measured(model, make_task):
    record = trial_training.fit(model, make_task(deadline=time.time() - 1))
    assert record.status == "cut"
    assert record.curve[0][0] == record.epochs == 0.5
    assert math.isfinite(record.score)
    assert int(model.step) == 1


def test_callbacks_see_what_was_measured(model, make_task):
    class Watch(trial_training.keras.callbacks.Callback):
        seen = ()

        def on_epoch_end(self, epoch, logs=None):
            self.seen = (*self.seen, "val_frechet_distance" in logs)

    watch = Watch()
    trial_training.fit(model, make_task(callbacks=[watch]))
    assert watch.seen == (True, False, True)
