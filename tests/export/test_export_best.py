import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import export
from export import exporting
from export.publishing import blessing
from export.validation import validator


@pytest.fixture
def called(monkeypatch):
    """What is exported and validated, by epoch, without doing it."""
    calls = []

    def export_model(model, base, *, name, keep):
        calls.append((model, base, name, keep))
        return len(calls)

    def validate_model(exported, model, *, limits):
        assert (exported, model) == (len(calls), calls[-1][0])

    monkeypatch.setattr(exporting, "export_model", export_model)
    monkeypatch.setattr(validator, "validate_model", validate_model)
    return calls


@pytest.mark.parametrize(("mode", "epochs"), [("min", [1, 3]), ("max", [1, 2, 5])])
def test_exports_when_the_value_is_the_best_so_far(called, mode, epochs):
    callback = export.ExportBest("base", mode=mode, name="digits", keep=3)
    callback.set_model("model")
    values = [float("nan"), 3.0, 5.0, 2.0, 2.0, 6.0]
    exported = []
    for epoch, value in enumerate(values):
        before = len(called)
        callback.on_epoch_end(epoch, {"val_frechet_distance": value})
        exported += [epoch] * (len(called) - before)
    callback.on_epoch_end(9, {"other": 1.0})
    callback.on_epoch_end(10)
    assert exported == epochs
    assert callback.best == len(epochs) == len(called)
    assert called[0] == ("model", "base", "digits", 3)


@pytest.mark.slow
def test_in_a_training(make_gan, make_images, tmp_path):
    model = make_gan().compile()
    log = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(mine=1.0))
    best = export.ExportBest(tmp_path, monitor="mine")
    dataset = tf.data.Dataset.from_tensor_slices(make_images(8)).batch(4)
    model.fit(dataset, epochs=1, callbacks=[log, best], verbose=0)
    assert best.best.is_blessed()
    scores = tf.saved_model.load(str(best.best.path)).signatures["predict_images"]
    images = make_images(3, seed=1)
    expected = model.discriminator(images, training=False)[:, 0]
    given = scores(images=tf.constant(images))["discriminator_logit"]
    np.testing.assert_allclose(given, expected, atol=1e-5)


def test_a_resumed_training_remembers_the_best(called, tmp_path):
    callback = export.ExportBest("base")
    callback.best = blessing.Candidate(tmp_path)
    callback._least = 2.0
    resumed = export.ExportBest("base")
    resumed.set_state(json.loads(json.dumps(callback.get_state())))
    assert resumed.best == callback.best
    resumed.on_epoch_end(7, {"val_frechet_distance": 2.5})
    assert not called
    resumed.set_model("model")
    resumed.on_epoch_end(8, {"val_frechet_distance": 1.5})
    assert len(called) == 1


def test_the_state_before_there_is_a_best():
    resumed = export.ExportBest("base")
    resumed.set_state(json.loads(json.dumps(export.ExportBest("base").get_state())))
    assert (resumed.best, resumed._least) == (None, float("inf"))


def test_a_mode_that_is_none():
    with pytest.raises(ValueError, match="mode='best'"):
        export.ExportBest("base", mode="best")
