import json
import logging
import zipfile

import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers
from dcgan.callbacks import RunCheckpoint
from dcgan.errors import InputError
from dcgan.runs import checkpoint_files

pytestmark = pytest.mark.usefixtures("eager")


class Companion:
    """Counts the epochs it has seen, across interruptions."""

    def __init__(self, **state):
        self.state = state
        self.reason = None

    def get_state(self):
        return dict(self.state)

    def set_state(self, state):
        self.state = dict(state)


@pytest.fixture
def fit(make_gan, make_images):
    """Fits to `epochs`, goes on with what the directory holds, and returns model and epoch."""

    def fit(directory, epochs, *, callbacks=(), **options):
        model = make_gan(dropout=0.3).compile()
        checkpoint = RunCheckpoint(directory, **options)
        first = checkpoint.restore(model)
        helpers.fit(
            model,
            make_images(4),
            epochs=epochs,
            initial_epoch=first,
            callbacks=[*callbacks, checkpoint],
        )
        return model, first

    return fit


@pytest.fixture(scope="module")
def two_checkpoints(tmp_path_factory, make_gan, make_images):
    """A directory with checkpoints after epochs 2 and 3, and the two generators' weights."""
    directory = tmp_path_factory.mktemp("checkpoints")
    model, weights = make_gan().compile(), {}
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: weights.update({epoch + 1: model.generator.get_weights()})
    )
    checkpoint = RunCheckpoint(directory, every=1, companions=[Companion(value=7)])
    helpers.fit(model, make_images(4), epochs=3, callbacks=[keep, checkpoint])
    return directory, weights


@pytest.fixture
def damaged(tmp_path, two_checkpoints):
    """A copy of that directory, to be damaged."""
    directory, weights = two_checkpoints
    for path in directory.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path, weights


def _names(directory):
    return sorted(path.name for path in directory.iterdir())


def _epochs(directory):
    return [checkpoint_files.epoch_of(path) for path in checkpoint_files.list_all(directory)]


def _restore(directory, make_gan, **options):
    model = make_gan().compile()
    return RunCheckpoint(directory, **options).restore(model), model.generator.get_weights()


def test_saves_every_few_epochs_and_the_last(tmp_path, fit):
    fit(tmp_path, 5, every=2, keep=9)
    assert _epochs(tmp_path) == [2, 4, 5]


def test_keeps_the_newest_with_their_states(tmp_path, fit):
    (tmp_path / ".epoch_001.99.tmp.keras").touch()
    (tmp_path / "epoch_000.json").touch()
    (tmp_path / "notes.txt").touch()
    fit(tmp_path, 4, every=1, keep=2)
    names = [f"epoch_00{epoch}.{suffix}" for epoch in (3, 4) for suffix in ("json", "keras")]
    assert _names(tmp_path) == [*names, "notes.txt"]


def test_restores_the_newest(two_checkpoints, make_gan):
    directory, weights = two_checkpoints
    epoch, restored = _restore(directory, make_gan)
    assert epoch == 3
    helpers.assert_same(restored, weights[3])
    assert not np.array_equal(weights[2][0], weights[3][0])


def test_nothing_to_restore(tmp_path, make_gan):
    assert _restore(tmp_path / "none", make_gan)[0] == 0


def test_a_model_that_is_not_compiled_is_not_restored(two_checkpoints, make_gan):
    with pytest.raises(InputError, match="restore: expected a compiled model, since optimizers are"):
        RunCheckpoint(two_checkpoints[0]).restore(make_gan())


@pytest.mark.slow
def test_an_interrupted_training_ends_as_an_uninterrupted_one(tmp_path, fit, deterministic):
    whole, _ = fit(tmp_path / "whole", 4, every=1)
    fit(tmp_path / "parts", 2, every=1)
    parts, first = fit(tmp_path / "parts", 4, every=1)
    assert first == 2
    helpers.assert_same(whole.variables, parts.variables)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_truncated_newest_falls_back(damaged, make_gan, caplog, share):
    directory, weights = damaged
    newest = directory / "epoch_003.keras"
    content = newest.read_bytes()
    newest.write_bytes(content[: int(share * len(content))])
    with caplog.at_level(logging.WARNING, logger="dcgan"):
        epoch, restored = _restore(directory, make_gan)
    assert epoch == 2
    helpers.assert_same(restored, weights[2])
    assert "epoch_003.keras is damaged" in caplog.text


def test_one_flipped_byte_falls_back(damaged, make_gan, caplog):
    directory, weights = damaged
    newest = directory / "epoch_003.keras"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 0x10
    newest.write_bytes(content)
    with caplog.at_level(logging.WARNING, logger="dcgan"):
        epoch, restored = _restore(directory, make_gan)
    assert epoch == 2
    helpers.assert_same(restored, weights[2])
    assert "epoch_003.keras is damaged (wrong checksum of model.weights.h5)" in caplog.text


@pytest.mark.parametrize("damage", ["{", None])
def test_a_lost_state_falls_back(damaged, make_gan, caplog, damage):
    directory, _ = damaged
    state = directory / "epoch_003.json"
    state.unlink() if damage is None else state.write_text(damage)
    assert _restore(directory, make_gan)[0] == 2
    assert "epoch_003.keras is damaged" in caplog.text


def test_all_damaged_starts_anew(damaged, make_gan, caplog):
    directory, _ = damaged
    for path in directory.glob("*.keras"):
        path.write_bytes(path.read_bytes()[:100])
    epoch, weights = _restore(directory, make_gan)
    assert epoch == 0
    helpers.assert_same(weights, make_gan().generator.get_weights())
    assert caplog.text.count("is damaged") == 2


@pytest.mark.slow
def test_any_flipped_bit_of_an_archive_is_found_or_harmless(tmp_path):
    """Bits of time stamps and the like decide nothing; the weights must be what they were."""
    path = tmp_path / "epoch_001.keras"
    path.with_suffix(".json").write_text("[]")
    members = {"config.json": b'{"a": 1}', "model.weights.h5": bytes(range(40))}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert checkpoint_files.find_damage(path) is None
    content = path.read_bytes()
    for position in range(0, 8 * len(content), 3):
        flipped = bytearray(content)
        flipped[position // 8] ^= 1 << position % 8
        path.write_bytes(flipped)
        if checkpoint_files.find_damage(path) is None:
            with zipfile.ZipFile(path) as archive:
                assert archive.read("model.weights.h5") == members["model.weights.h5"]


def test_companions_states_come_back(two_checkpoints, make_gan, make_images):
    directory, _ = two_checkpoints
    model, companion = make_gan().compile(), Companion(value=0)
    checkpoint = RunCheckpoint(directory, companions=[companion])
    checkpoint.restore(model)
    assert companion.state == {"value": 0}
    # Only when training begins: until then a companion's own `on_train_begin` may forget them.
    checkpoint.on_train_begin()
    assert companion.state == {"value": 7}


def test_companions_states_are_saved_as_they_are_then(tmp_path, fit):
    companion = Companion(epochs=0)
    count = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: companion.state.update(epochs=epoch + 1)
    )
    fit(tmp_path, 3, every=2, keep=9, companions=[companion], callbacks=[count])
    states = {path.name: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    assert states == {"epoch_002.json": [{"epochs": 2}], "epoch_003.json": [{"epochs": 3}]}


@pytest.mark.slow
def test_nothing_is_saved_once_a_companion_has_a_reason(tmp_path, fit):
    companion = Companion()

    def fail(epoch, logs):
        companion.reason = "collapsed" if epoch == 2 else companion.reason

    watch = keras.callbacks.LambdaCallback(on_epoch_end=fail)
    fit(tmp_path, 5, every=2, companions=[companion], callbacks=[watch])
    assert _epochs(tmp_path) == [2]


class Stopper(keras.callbacks.Callback):
    """Stops a training after a batch of an epoch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.moment = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training |= (self.epoch, batch) == self.moment


@pytest.mark.slow
@pytest.mark.parametrize("every", [1, 2, 5])
@pytest.mark.parametrize("batch", [0, 1])
def test_an_epoch_that_is_broken_off_does_not_count(tmp_path, make_gan, make_images, every, batch):
    """Epochs of three batches, of which the third's end is the epoch's."""
    checkpoint = RunCheckpoint(tmp_path, every=every, keep=9)
    stopper = Stopper(2, batch)
    helpers.fit(make_gan().compile(), make_images(12), epochs=5, callbacks=[stopper, checkpoint])
    assert checkpoint.broken_off
    assert _epochs(tmp_path) == {1: [1, 2], 2: [2], 5: []}[every]


@pytest.mark.slow
def test_a_stop_after_the_last_batch_of_an_epoch_counts(tmp_path, make_gan, make_images):
    checkpoint = RunCheckpoint(tmp_path, every=5)
    stopper = Stopper(2, 2)
    helpers.fit(make_gan().compile(), make_images(12), epochs=5, callbacks=[stopper, checkpoint])
    assert not checkpoint.broken_off
    assert _epochs(tmp_path) == [3]


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [None, 1])
def test_a_stop_in_data_of_unknown_length(tmp_path, make_gan, make_images, epoch):
    batches = tf.data.Dataset.from_tensor_slices(make_images(12)).batch(4)
    batches = batches.filter(lambda batch: True)
    checkpoint = RunCheckpoint(tmp_path, every=1, keep=9)
    callbacks = [*([Stopper(epoch, 1)] if epoch else []), checkpoint]
    make_gan().compile().fit(batches, epochs=3, verbose=0, callbacks=callbacks)
    assert _epochs(tmp_path) == ([1] if epoch else [1, 2, 3])


@pytest.mark.slow
def test_an_interrupted_save_leaves_the_old_checkpoints(tmp_path, fit, monkeypatch):
    fit(tmp_path, 2, every=2)

    def save_half(self, path, **options):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.Model, "save", save_half)
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, 4, every=2)
    assert _epochs(tmp_path) == [2]
    assert not list(tmp_path.glob(".*"))


def test_epochs_are_sorted_as_numbers(tmp_path):
    for epoch in (1000, 999, 5):
        (tmp_path / f"epoch_{epoch:03d}.keras").touch()
    (tmp_path / "epoch_best.keras").touch()
    assert _epochs(tmp_path) == [5, 999, 1000]


@pytest.mark.parametrize("options", [{"every": 0}, {"keep": 0}])
def test_numbers_below_one(tmp_path, options):
    with pytest.raises(ValueError, match="Expected every and keep of at least 1"):
        RunCheckpoint(tmp_path, **options)
