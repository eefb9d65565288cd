import keras
import pytest

from dcgan.callbacks import OptimizerCallback


def _rates(model):
    return float(model.generator_optimizer.learning_rate), float(
        model.discriminator_optimizer.learning_rate
    )


def _halve(epoch, rate):
    return rate / 2


class Recorder(keras.callbacks.Callback):
    """Records the name and arguments of every hook that Keras calls."""

    def __init__(self):
        super().__init__()
        self.calls = []
        for hook in dir(keras.callbacks.Callback):
            if hook.startswith("on_"):
                setattr(self, hook, self._record(hook))

    def _record(self, hook):
        return lambda *args, logs=None: self.calls.append(hook)


def test_scheduler_acts_on_the_named_optimizer(make_model, fit):
    model = make_model(optimizer="adam", generator_rate=0.5, discriminator_rate=0.25)
    before = float(model.optimizer.learning_rate)
    scheduler = keras.callbacks.LearningRateScheduler(_halve)
    fit(model, [OptimizerCallback(scheduler, "generator_optimizer")], epochs=3)
    assert _rates(model) == (0.0625, 0.25)
    assert float(model.optimizer.learning_rate) == before


def test_two_schedulers_log_two_rates(make_model, fit):
    callbacks = [
        OptimizerCallback(keras.callbacks.LearningRateScheduler(_halve), name)
        for name in ("generator_optimizer", "discriminator_optimizer")
    ]
    history = fit(make_model(), callbacks, epochs=2).history
    assert history["learning_rate_generator"] == [0.25, 0.125]
    assert history["learning_rate_discriminator"] == [0.125, 0.0625]
    assert "learning_rate" not in history


def test_a_rate_logged_by_another_callback_stays(make_model, fit):
    callbacks = [
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(learning_rate=9.0)),
        OptimizerCallback(keras.callbacks.LearningRateScheduler(_halve), "generator_optimizer"),
    ]
    history = fit(make_model(), callbacks).history
    assert history["learning_rate"] == [9.0]
    assert history["learning_rate_generator"] == [0.25]


def test_a_callback_that_logs_no_rate_adds_none(make_model, fit):
    callbacks = [
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(learning_rate=9.0)),
        OptimizerCallback(keras.callbacks.Callback(), "generator_optimizer"),
    ]
    assert "learning_rate_generator" not in fit(make_model(), callbacks).history


def test_plateau_reads_the_models_logs(make_model, fit):
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="g_loss", factor=0.1, patience=1, mode="min")
    model = make_model()
    fit(model, [OptimizerCallback(plateau, "discriminator_optimizer")], epochs=2)
    assert _rates(model) == pytest.approx((0.5, 0.025))


def test_other_attributes_are_the_models_own(make_model, fit):
    stop = keras.callbacks.EarlyStopping(monitor="g_loss", mode="min", patience=1)
    model = make_model()
    history = fit(model, [OptimizerCallback(stop, "generator_optimizer")], epochs=9)
    assert model.stop_training is True
    assert len(history.epoch) == 2
    assert stop.model.latent_dim == model.latent_dim


def test_setting_the_optimizer_sets_the_named_one(make_model):
    model = make_model()
    inner = keras.callbacks.Callback()
    OptimizerCallback(inner, "generator_optimizer").set_model(model)
    inner.model.optimizer = replacement = keras.optimizers.Adam()
    assert model.generator_optimizer is replacement
    assert inner.model.optimizer is replacement


@pytest.mark.parametrize("steps_per_execution", [1, 2])
def test_forwards_every_hook_and_the_parameters(make_model, fit, steps_per_execution):
    rows = ((1.0, 1.0, 1.0),) * 4
    plain, wrapped = Recorder(), Recorder()
    model = make_model(steps_per_execution=steps_per_execution)
    fit(model, [plain, OptimizerCallback(wrapped, "generator_optimizer")], epochs=2, rows=rows)
    assert wrapped.calls == plain.calls
    assert {"on_train_begin", "on_train_batch_end", "on_epoch_end", "on_train_end"} <= {*plain.calls}
    assert wrapped.params == plain.params == {"verbose": 0, "epochs": 2, "steps": 4}


def test_forwards_prediction_and_evaluation_hooks(make_model):
    wrapped = Recorder()
    callback = OptimizerCallback(wrapped, "generator_optimizer")
    for hook in dir(keras.callbacks.Callback):
        if hook.startswith("on_"):
            getattr(callback, hook)(0)
    assert wrapped.calls == [name for name in dir(keras.callbacks.Callback) if "on_" in name[:3]]


@pytest.mark.parametrize("name", ["optimiser", "latent_dim", "optimizer"])
def test_refuses_what_is_no_optimizer(make_model, name):
    callback = OptimizerCallback(keras.callbacks.Callback(), name)
    model = make_model(optimizer=None)
    with pytest.raises(
        ValueError, match=f"discriminator_optimizer, generator_optimizer.*Received: .*='{name}'"
    ):
        callback.set_model(model)


def test_says_that_a_model_has_no_optimizer():
    callback = OptimizerCallback(keras.callbacks.Callback(), "optimizer")
    with pytest.raises(ValueError, match="it has none"):
        callback.set_model(keras.Sequential())
