"""Why and where training ended is known to the run, and to all that comes after."""

import json
import shutil

import keras
import numpy as np
import pytest

import dcgan
from dcgan import callbacks, evaluation
from dcgan.config import RunConfig, TrainingConfig
from dcgan.data import ImageSet
from dcgan.errors import InputError
from dcgan.runs import training_record
from dcgan.runs.run_directory import RunDirectory
from dcgan.runs.training_record import TrainingRecord
from dcgan.system import keras_limits
from export import exporting, model_card
from export.validation import validator


@pytest.fixture
def config(tiny_network):
    settings = TrainingConfig(batch_size=4, epochs=3, checkpoint_every=1)
    return RunConfig(preset="article", network=tiny_network, training=settings, features="none")


@pytest.fixture
def images():
    pixels = np.random.default_rng(0).integers(0, 256, (12, 28, 28, 1), np.uint8)
    return ImageSet(name="noise", split="train", images=pixels)


@pytest.fixture
def limit():
    """Sets Keras's own limits, as its environment variables do."""
    yield lambda epochs, steps: (
        keras.config.set_max_epochs(epochs),
        keras.config.set_max_steps_per_epoch(steps),
    )
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)


class Stop(keras.callbacks.Callback):
    """Stops after an epoch, counted from 1."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training |= epoch + 1 == self.epoch


class Broken(keras.callbacks.Callback):
    """Sets the generator's weights to NaN."""

    def on_train_begin(self, logs=None):
        self.model.generator.set_weights([w * np.nan for w in self.model.generator.get_weights()])


@pytest.mark.slow
def test_a_training_that_ends_says_so(config, images, tmp_path):
    result = dcgan.train(config, tmp_path / "run", images=images)
    assert result.stopped is None
    trained = result.run.trained()
    assert (trained.finished, trained.epochs, trained.reason) == (True, 3, "finished")
    assert json.loads(result.run.training.read_text())["model_epochs"] == 3


@pytest.mark.slow
def test_keras_limit_on_epochs_is_told_and_gone_on_from(config, images, tmp_path, limit):
    limit(2, None)
    with pytest.warns(UserWarning, match="Limiting epochs"):
        result = dcgan.train(config, tmp_path / "run", images=images)
    assert result.stopped == "Training ended after 2 of 3 epochs, by KERAS_MAX_EPOCHS=2."
    assert (result.run.trained().epochs, result.run.trained().reason) == (2, "limited")
    limit(None, None)
    result = dcgan.train(config, tmp_path / "run", images=images)
    assert (result.first_epoch, result.stopped) == (2, None)
    assert result.run.trained().epochs == 3


def test_keras_limit_on_steps_is_refused(config, images, tmp_path, limit):
    limit(None, 2)
    message = "KERAS_MAX_STEPS_PER_EPOCH=2: expected it unset, or at least an epoch's 3 steps"
    with pytest.raises(InputError, match=message):
        dcgan.train(config, tmp_path / "run", images=images)
    assert not (tmp_path / "run").exists()
    limit(None, 3)
    keras_limits.check_steps(3)


@pytest.mark.parametrize(("epochs", "steps", "name"), [(4, None, "EPOCHS=4"), (None, 9, "EPOCH=9")])
def test_nothing_is_fitted_under_keras_limits(limit, epochs, steps, name):
    limit(epochs, steps)
    with pytest.raises(
        InputError, match=rf"{name}: expected it unset, since it would cut the zoo short"
    ):
        keras_limits.refuse("the zoo")


@pytest.mark.slow
def test_the_command_line_tells_of_an_early_end(run_cli, config, tmp_path, limit, deterministic):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).integers(0, 256, (40, 28, 28), np.uint8))
    config.save(tmp_path / "config.json")
    command = ["train", "--config", tmp_path / "config.json", "--data", tmp_path / "a.npy"]
    limit(1, None)
    with pytest.warns(UserWarning, match="Limiting epochs"):
        code, _, err = run_cli(*command, "--out", tmp_path / "run")
    message = "Training ended after 1 of 3 epochs, by KERAS_MAX_EPOCHS=1."
    assert (code, err.splitlines()[-1]) == (1, message)
    assert message in run_cli("info", tmp_path / "run")[1]
    assert run_cli("sample", tmp_path / "run")[2] == f"{tmp_path / 'run'}: {message}\n"


# What comes after


@pytest.fixture(scope="module")
def stopped_run(tmp_path_factory, tiny_network):
    """A run on 40 images that a callback has stopped after 2 of 6 epochs."""
    path = tmp_path_factory.mktemp("stopped")
    np.save(path / "a.npy", np.random.default_rng(0).integers(0, 256, (100, 28, 28), np.uint8))
    settings = TrainingConfig(batch_size=16, epochs=6)
    config = RunConfig(
        preset="article",
        data=str(path / "a.npy"),
        network=tiny_network,
        training=settings,
        features="none",
    )
    return dcgan.train(config, path / "run", callbacks=[Stop(2)]).run.path


STOPPED = "Training was stopped after 2 of 6 epochs, by a callback."


@pytest.fixture
def run(stopped_run, tmp_path):
    return RunDirectory(shutil.copytree(stopped_run, tmp_path / "run"))


def test_the_evaluation_knows(run):
    report = evaluation.evaluate(run.path)
    assert report.notes[0] == STOPPED
    written = json.loads(report.json.read_text())["evaluation"]
    assert (written["epochs"], written["training"]["planned"]) == (2, 6)
    assert STOPPED in report.html.read_text()


@pytest.mark.slow
def test_the_card_and_the_blessing_know(run):
    candidate = exporting.export_model(run.path)
    card = model_card.read(candidate.path)
    assert card["training"] == {"epochs": 2, "planned": 6, "reason": "stopped", "message": STOPPED}
    text = (candidate.path / "assets.extra" / "model_card.md").read_text()
    assert f"- Trained for 2 of 6 epochs: {STOPPED}\n" in text
    found = validator.validate_model(candidate, run.path)
    assert found.blessed
    assert candidate.read_report()["training"] == card["training"]


@pytest.mark.slow
def test_a_model_of_a_training_that_failed_is_not_blessed(run):
    record = TrainingRecord.load(run.training)
    values = {**vars(record), "reason": "not_finite", "message": "Training stopped: g_loss is nan."}
    TrainingRecord(**values).save(run.training)
    candidate = exporting.export_model(run.path)
    found = validator.validate_model(candidate, run.path)
    assert (found.blessed, found.infra_blessed) == (False, True)
    assert found.reasons == ("the run's training failed: Training stopped: g_loss is nan.",)


@pytest.mark.slow
def test_a_training_that_failed_is_recorded_with_its_reason(config, images, tmp_path):
    result = dcgan.train(config, tmp_path / "run", images=images, callbacks=[Stop(1)])
    model = result.run.model.read_bytes()
    diverged = dcgan.train(config, tmp_path / "run", images=images, callbacks=[Broken()])
    assert "Training stopped in epoch 2, batch 1: d_loss is nan." in diverged.stopped
    assert result.run.model.read_bytes() == model
    trained = result.run.trained()
    assert (trained.epochs, trained.reason, trained.path) == (1, "not_finite", result.run.model)


def test_a_training_that_left_no_model_says_why(run_cli, config, images, tmp_path):
    """Its logs have a row of the epoch that it was stopped in, which is not behind it."""
    run = dcgan.train(config, tmp_path / "run", images=images, callbacks=[Broken()]).run
    record = TrainingRecord.load(run.training)
    assert record.message.startswith("Training stopped in epoch 1, batch 1: d_loss is nan.")
    told = f"{record.epochs} of 3 epochs, without a model: {record.message}"
    assert told in run_cli("info", run.path)[1]
    code, _, err = run_cli("sample", run.path)
    assert (code, record.message in err, err.count("\n")) == (2, True, 1)
    run.training.write_text("[]")
    assert "of 3 epochs, not finished" in run_cli("info", run.path)[1]


def test_a_run_that_went_on_and_was_killed_is_its_newest_checkpoint(run):
    """Else it would be measured by the model that training began from, and called finished."""
    checkpoint = run.checkpoints / "epoch_004.keras"
    shutil.copy(run.checkpoints / "epoch_002.keras", checkpoint)
    shutil.copy(run.checkpoints / "epoch_002.json", checkpoint.with_suffix(".json"))
    trained = run.trained()
    assert (trained.path, trained.epochs, trained.reason) == (checkpoint, 4, "unfinished")
    assert trained.message.endswith("this is its newest checkpoint, after 4 of 6 epochs.")


@pytest.mark.slow
def test_a_run_that_is_to_go_on_is_not_finished(config, images, tmp_path):
    run = dcgan.train(config, tmp_path / "run", images=images).run
    longer = dcgan.presets.override(run.load_config(), training={"epochs": 9})
    run.claim(longer)
    assert (run.trained().epochs, run.trained().planned, run.trained().finished) == (3, 9, False)


def test_a_run_without_a_record(run):
    run.training.unlink()
    assert (run.trained().reason, run.trained().epochs) == (training_record.UNRECORDED, 2)


@pytest.mark.parametrize("content", ["{}", "[]", "{", '{"epochs": 2}'])
def test_a_damaged_record(run, content):
    run.training.write_text(content)
    with pytest.raises(InputError, match=r"training\.json: expected a record of how training ended"):
        run.trained()


def test_guards_reasons_are_failures():
    guard = callbacks.TrainingGuard.__doc__
    for reason in ("not_finite", "saturated", "collapsed"):
        assert f'"{reason}"' in guard
        assert training_record.failed(reason)
    assert not training_record.failed("stopped")
