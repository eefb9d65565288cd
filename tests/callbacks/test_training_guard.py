import json
import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan.callbacks import TrainingGuard, sample_variety

WON = (9.0, 1.0, 1.0)
HEALTHY = (1.5, 0.83, 0.85)


class Painter:
    """A model whose samples a test sets."""

    def __init__(self, samples):
        self.samples = samples
        self.stop_training = False

    def generate(self, count=1, *, seed=0, latents=None):
        assert count == 64
        return self.samples


def _varied(contrast=0.6):
    return contrast * np.random.default_rng(0).standard_normal((64, 8, 8, 1)).astype(np.float32)


def _one_image():
    return np.repeat(_varied()[:1], 64, axis=0)


def _run(guard, model, epochs, logs=None, batches=2000, state=None):
    """Ends epochs until the guard stops the training; returns how many ended."""
    guard.set_model(model)
    guard.on_train_begin()
    if state is not None:
        guard.set_state(state)
    for epoch in range(epochs):
        guard.on_epoch_begin(epoch)
        guard.on_train_batch_end(batches - 1)
        guard.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    return epoch + 1


def test_a_healthy_training_runs_on(make_model, fit):
    guard = TrainingGuard(patience=1)
    history = fit(make_model(), [guard], epochs=4, rows=(HEALTHY,))
    assert len(history.epoch) == 4
    assert guard.reason is None
    assert guard.message is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("column", [0, 1, 2])
def test_stops_at_the_batch_whose_logs_are_not_finite(make_model, fit, value, column):
    rows = np.tile(HEALTHY, (6, 1))
    rows[2, column] = value
    guard, batches = TrainingGuard(), []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: batches.append(batch))
    model = make_model()
    fit(model, [count, guard], epochs=3, rows=rows)
    assert batches == [0, 1, 2]
    assert guard.reason == "not_finite"
    assert "epoch 1, batch 3" in guard.message
    assert f"{model.LOGGED[column]} is {value}" in guard.message


def test_misses_nothing_with_several_steps_an_execution(make_model, fit):
    rows = np.tile(HEALTHY, (6, 1))
    rows[1, 0] = np.nan
    guard = TrainingGuard()
    history = fit(make_model(steps_per_execution=3), [guard], epochs=3, rows=rows)
    assert guard.reason == "not_finite"
    assert "epoch 1, batch 3" in guard.message
    assert len(history.epoch) == 1


def test_reads_values_that_only_the_epoch_logs():
    guard, model = TrainingGuard(), Painter(_varied())
    assert _run(guard, model, 3, {"val_g_loss": float("nan")}) == 1
    assert guard.reason == "not_finite"
    assert "epoch 1: val_g_loss is nan" in guard.message


@pytest.mark.parametrize("wrap", [float, np.float32, tf.constant, lambda value: np.array([value])])
def test_takes_logs_of_any_numeric_type(wrap):
    guard = TrainingGuard()
    guard.set_model(Painter(_varied()))
    guard.on_train_batch_end(0, {"g_loss": wrap(1.0)})
    assert guard.reason is None
    guard.on_train_batch_end(1, {"g_loss": wrap(np.nan)})
    assert guard.reason == "not_finite"


def test_stops_a_saturated_pair_after_patience_epochs(make_model, fit):
    # 501 batches an epoch: the first falls into the warm-up.
    guard = TrainingGuard(patience=3)
    model = make_model(steps_per_execution=100)
    history = fit(model, [guard], epochs=9, rows=(WON,) * 501)
    assert len(history.epoch) == 4
    assert guard.reason == "saturated"
    assert "after epoch 4" in guard.message
    assert "real_accuracy 1, fake_accuracy 1, g_loss 9" in guard.message


@pytest.mark.parametrize(
    "logs",
    [
        {"g_loss": 4.9, "real_accuracy": 1.0, "fake_accuracy": 1.0},
        {"g_loss": 9.0, "real_accuracy": 0.99, "fake_accuracy": 1.0},
        {"g_loss": 9.0, "real_accuracy": 1.0, "fake_accuracy": 0.99},
        {"g_loss": 9.0, "real_accuracy": 1.0},
        None,
    ],
)
def test_one_sign_alone_is_not_saturation(logs):
    assert _run(TrainingGuard(patience=1), Painter(_varied()), 5, logs) == 5


def test_an_epoch_of_recovery_starts_the_count_again():
    guard, model = TrainingGuard(patience=2), Painter(_varied())
    guard.set_model(model)
    names = ("g_loss", "real_accuracy", "fake_accuracy")
    guard.set_state({"batches": 5000, "streaks": {"saturated": 0, "collapsed": 0}})
    for epoch, values in enumerate([WON, HEALTHY, WON, HEALTHY, WON]):
        guard.on_epoch_end(epoch, dict(zip(names, values, strict=True)))
    assert guard.reason is None
    guard.on_epoch_end(5, dict(zip(names, WON, strict=True)))
    assert guard.reason == "saturated"


@pytest.mark.parametrize(
    "samples",
    [_one_image(), _one_image() + _varied(0.05), np.full((64, 8, 8, 1), -1, np.float32)],
    ids=["one image", "one image with noise", "black"],
)
def test_stops_a_collapsed_generator_after_patience_epochs(samples):
    guard = TrainingGuard()
    assert _run(guard, Painter(samples), 9) == 5
    assert guard.reason == "collapsed"
    assert "after epoch 5" in guard.message


def test_a_faint_untrained_generator_is_not_collapsed():
    assert _run(TrainingGuard(patience=1), Painter(_varied(contrast=0.015)), 5) == 5


def test_the_first_batches_are_not_looked_at():
    saturated = {"g_loss": 9.0, "real_accuracy": 1.0, "fake_accuracy": 1.0}
    guard, model = TrainingGuard(patience=1), Painter(_one_image())
    assert _run(guard, model, 10, saturated, batches=100) == 10
    assert _run(guard, model, 20, batches=101) == 10
    assert guard.reason == "collapsed"


def test_a_resumed_training_goes_on_counting():
    killed = TrainingGuard(patience=3)
    _run(killed, Painter(_one_image()), 2)
    state = json.loads(json.dumps(killed.get_state()))
    resumed = TrainingGuard(patience=3)
    assert _run(resumed, Painter(_one_image()), 9, batches=10, state=state) == 1
    assert resumed.reason == "collapsed"


def test_a_state_does_not_change_with_the_guard():
    guard = TrainingGuard()
    _run(guard, Painter(_one_image()), 1)
    state = guard.get_state()
    _run(guard, Painter(_one_image()), 2, state=state)
    assert state == {"batches": 2000, "streaks": {"saturated": 0, "collapsed": 1}}


def test_a_repeated_training_starts_afresh():
    guard = TrainingGuard(patience=2)
    assert _run(guard, Painter(_one_image()), 9) == 2
    assert _run(guard, Painter(_one_image()), 1) == 1
    assert guard.reason is None
    assert guard.message is None


def test_warns_once(make_model, fit, caplog):
    rows = np.full((4, 3), np.nan)
    guard = TrainingGuard()
    with caplog.at_level(logging.WARNING, logger="dcgan"):
        fit(make_model(), [guard], epochs=2, rows=rows)
    assert [record.getMessage() for record in caplog.records] == [guard.message]


def test_variety_is_the_share_of_variance_between_samples():
    # Pixels have the means 0 and 1 and each the variance 1/16 over samples: total 1/4 + 1/16.
    samples = np.array([[-0.25, 0.75], [0.25, 1.25]]).reshape(2, 1, 2, 1)
    assert sample_variety(samples) == pytest.approx(0.2)


def test_variety_at_its_bounds():
    assert sample_variety(_one_image()) == pytest.approx(0, abs=1e-12)
    assert sample_variety(np.array([-1.0, 1.0]).reshape(2, 1, 1, 1)) == 1
    assert sample_variety(_varied(contrast=0.005)) == 0


def test_variety_does_not_depend_on_brightness_and_contrast():
    samples = _varied() + _one_image()
    assert sample_variety(0.3 * samples + 0.2) == pytest.approx(sample_variety(samples), rel=1e-5)


def test_refuses_no_patience():
    with pytest.raises(ValueError, match="Received: patience=0"):
        TrainingGuard(patience=0)
