"""`dcgan.train` that is stopped, refused or interrupted."""

import keras
import numpy as np
import pytest

import dcgan
from dcgan import training
from dcgan.config import RunConfig, TrainingConfig
from dcgan.data import ImageSet
from dcgan.errors import InputError


@pytest.fixture
def config(tiny_network):
    settings = TrainingConfig(batch_size=4, epochs=3, checkpoint_every=1)
    return RunConfig(preset="article", network=tiny_network, training=settings)


@pytest.fixture
def images():
    pixels = np.random.default_rng(0).integers(0, 256, (12, 28, 28, 1), np.uint8)
    return ImageSet(name="noise", split="train", images=pixels)


def stop_in(epoch, batch):
    """A callback that stops after a batch of an epoch, both counted from 0."""
    seen = []

    def look(index, logs):
        callback.model.stop_training |= (len(seen) - 1, index) == (epoch, batch)

    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append(epoch), on_train_batch_end=look
    )
    return callback


@pytest.mark.slow
def test_a_stop_within_an_epoch_is_told_and_gone_on_from(config, images, tmp_path, deterministic):
    stopped = dcgan.train(config, tmp_path / "run", images=images, callbacks=[stop_in(1, 1)])
    assert stopped.stopped.startswith("Training was stopped within an epoch")
    assert not stopped.run.model.exists()
    result = dcgan.train(config, tmp_path / "run", images=images)
    assert (result.first_epoch, result.stopped) == (1, None)
    assert [row["epoch"] for row in result.run.read_metrics()] == [1, 2, 3]
    whole = dcgan.train(config, tmp_path / "whole", images=images)
    for one, other in zip(result.model.variables, whole.model.variables, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_a_stop_at_an_epochs_end_leaves_a_model_that_says_so(config, images, tmp_path):
    result = dcgan.train(config, tmp_path / "run", images=images, callbacks=[stop_in(1, 2)])
    assert result.stopped == "Training was stopped after 2 of 3 epochs, by a callback."
    assert len(result.run.read_metrics()) == 2
    trained = result.run.trained()
    assert (trained.path, trained.epochs, trained.planned) == (result.run.model, 2, 3)
    assert (trained.reason, trained.message, trained.finished) == ("stopped", result.stopped, False)


class Counter(keras.callbacks.Callback):
    """Counts epochs across interruptions."""

    count = 0

    def on_epoch_end(self, epoch, logs=None):
        self.count += 1

    def get_state(self):
        return {"count": self.count}

    def set_state(self, state):
        self.count = state["count"]


@pytest.mark.slow
def test_callbacks_with_a_state_go_on_from_it(config, images, tmp_path):
    dcgan.train(config, tmp_path / "run", images=images, callbacks=[Counter(), stop_in(2, 0)])
    counter = Counter()
    result = dcgan.train(config, tmp_path / "run", images=images, callbacks=[counter])
    assert (result.first_epoch, counter.count) == (2, 3)


def test_other_settings_are_refused_before_data_is_loaded(config, images, tmp_path, monkeypatch):
    config.save(tmp_path / "run" / "config.json")
    monkeypatch.setattr(training.data, "load_images", lambda *args, **options: 1 / 0)
    other = dcgan.presets.override(config, seed=1)
    with pytest.raises(InputError, match="holds a run with seed=0, not 1"):
        dcgan.train(other, tmp_path / "run")


def test_refused_data_claim_no_directory(config, tmp_path):
    few = dcgan.presets.override(config, split="train[:3]")
    with pytest.raises(InputError, match="at least a batch of 4 images, found 3"):
        dcgan.train(few, tmp_path / "run")
    assert not (tmp_path / "run").exists()
