import keras
import numpy as np
import pytest

import helpers
from dcgan.model import DCGAN

pytestmark = pytest.mark.usefixtures("eager")


def test_keras_callbacks(tmp_path, make_gan, make_images):
    model = make_gan().compile()
    callbacks = [
        keras.callbacks.ModelCheckpoint(
            tmp_path / "best.keras", monitor="val_d_loss", mode="min", save_best_only=True
        ),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.TensorBoard(tmp_path / "logs"),
        keras.callbacks.TerminateOnNaN(),
    ]
    history = helpers.fit(
        model,
        make_images(),
        epochs=2,
        validation_data=(make_images(4, seed=1),),
        callbacks=callbacks,
    )
    rows = np.genfromtxt(tmp_path / "log.csv", delimiter=",", names=True)
    np.testing.assert_allclose(rows["val_g_loss"], history["val_g_loss"], rtol=1e-6)
    assert list((tmp_path / "logs").rglob("events.out.tfevents.*"))
    assert isinstance(keras.models.load_model(tmp_path / "best.keras"), DCGAN)


@pytest.mark.slow
@pytest.mark.parametrize(("monitor", "mode"), [("g_loss", "min"), ("val_g_loss", "max")])
def test_early_stopping(make_gan, make_images, monitor, mode):
    """A loss that must gain at least 100 never does."""
    model = make_gan().compile()
    stop = keras.callbacks.EarlyStopping(monitor, mode=mode, patience=2, min_delta=100)
    history = helpers.fit(
        model,
        make_images(),
        epochs=9,
        validation_data=(make_images(4, seed=1),),
        callbacks=[stop],
    )
    # The first epoch is the best there is, two more show no gain.
    assert len(history["g_loss"]) == 3


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_learning_rate_callbacks_act_on_both_optimizers(make_gan, make_images, precision):
    model = make_gan(precision=precision)
    model.compile(keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.02))
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = helpers.fit(model, make_images(), epochs=2, callbacks=[halve])
    np.testing.assert_allclose(history["learning_rate_generator"], [0.005, 0.0025], rtol=1e-5)
    np.testing.assert_allclose(history["learning_rate_discriminator"], [0.01, 0.005], rtol=1e-5)
    plateau = keras.callbacks.ReduceLROnPlateau(
        "g_loss", mode="min", factor=0.1, patience=1, min_delta=100
    )
    helpers.fit(model, make_images(), epochs=2, callbacks=[plateau])
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(2.5e-4)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(5e-4)


def test_callbacks_that_know_a_single_optimizer(make_gan, make_images, recwarn):
    """As those of Weights & Biases and MLflow, which look for its rate, config and steps."""
    model, seen = make_gan(), []
    model.compile(keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.02))

    def look(epoch, logs):
        optimizer = model.optimizer
        seen.append((float(optimizer.learning_rate.numpy()), int(optimizer.iterations.numpy())))

    look_at_it = keras.callbacks.LambdaCallback(on_epoch_end=look)
    helpers.fit(model, make_images(), epochs=2, callbacks=[look_at_it])
    # Two steps an epoch.
    assert seen == [(pytest.approx(0.01), 2), (pytest.approx(0.01), 4)]
    config = model.optimizer.get_config()
    assert config["generator"]["learning_rate"] == pytest.approx(0.01)
    assert config["discriminator"]["learning_rate"] == pytest.approx(0.02)
    assert not [each for each in recwarn if "lambda" in str(each.message)]
    with pytest.raises(AttributeError, match="individual sub-optimizers"):
        model.optimizer.learning_rate = 0.1


@pytest.mark.slow
def test_backup_and_restore(tmp_path, make_gan, make_images, deterministic):
    """A training that breaks off in its second epoch goes on from there, as if nothing had been."""

    def train(*callbacks):
        model = make_gan(dropout=0.5, ema_decay=0.9).compile(run_eagerly=True)
        epochs = []
        watch = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: epochs.append(epoch))
        helpers.fit(model, make_images(), epochs=3, callbacks=[*callbacks, watch])
        return model, epochs

    def break_off(epoch, logs):
        if epoch == 1:
            raise InterruptedError

    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    with pytest.raises(InterruptedError):
        train(backup, keras.callbacks.LambdaCallback(on_epoch_begin=break_off))
    resumed, epochs = train(keras.callbacks.BackupAndRestore(tmp_path / "backup"))
    assert epochs == [1, 2]
    helpers.assert_same(resumed.variables, train()[0].variables)
