"""Training through a cache on disk, and on a user's own dataset."""

import json

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

import dcgan
from dcgan import presets
from dcgan.data import Storage, provenance
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory

_SIZE = 16


@pytest.fixture
def config(tmp_path):
    network = {"image_size": _SIZE, "generator_width": 8, "discriminator_width": 8, "latent_dim": 8}
    return presets.override(
        presets.get("mnist"),
        data=str(tmp_path / "images"),
        features="none",
        network=network,
        training={"epochs": 2, "batch_size": 8, "learning_rate_schedule": "constant"},
    )


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    for index in range(40):
        pixels = rng.integers(0, 256, (_SIZE, _SIZE), np.uint8)
        PIL.Image.fromarray(pixels).save(tmp_path / "images" / f"{index}.png")
    return tmp_path / "images"


def _make_dataset():
    """Makes it anew, as another process does: one that was iterated before goes on shuffling."""
    images = np.random.default_rng(0).uniform(-1, 1, (32, _SIZE, _SIZE, 1)).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices(images).shuffle(32, seed=3)


@pytest.fixture
def dataset():
    return _make_dataset()


def _weights(result):
    return [weight.tobytes() for weight in result.model.get_weights()]


@pytest.mark.slow
def test_a_cache_changes_nothing(config, folder, tmp_path, deterministic):
    whole = dcgan.train(config, tmp_path / "whole")
    storage = Storage(0, tmp_path / "cache")
    first = presets.override(config, training={"epochs": 1})
    dcgan.train(first, tmp_path / "run", storage=storage)
    # What was said once holds from then on.
    cached = dcgan.train(config, tmp_path / "run")
    assert cached.first_epoch == 1
    assert _weights(cached) == _weights(whole)
    records = [json.loads(result.run.data_json.read_text()) for result in (whole, cached)]
    assert records[0] == records[1]
    assert Storage.load(cached.run.storage) == storage
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.slow
def test_the_command_takes_both_options(config, folder, tmp_path, run_cli, caplog):
    config.save(tmp_path / "config.json")
    options = ["--config", tmp_path / "config.json", "--epochs", 1, "--out", tmp_path / "run"]
    code, _, err = run_cli("train", *options, "--memory", "1kB", "--cache", tmp_path / "cache")
    assert code == 0, err
    assert "40 images go through a cache of 10 kB" in caplog.text
    code, _, err = run_cli("train", *options, "--memory", "much")
    assert code == 2
    assert "--memory: expected a size such as 4GB" in err


@pytest.mark.slow
def test_a_read_only_data_directory_is_left_as_it_is(config, folder, tmp_path):
    before = sorted(folder.rglob("*"))
    folder.chmod(0o555)
    dcgan.train(config, tmp_path / "run", storage=Storage(0, tmp_path / "cache"))
    assert sorted(folder.rglob("*")) == before


@pytest.mark.slow
def test_later_commands_find_the_cache(config, folder, tmp_path):
    dcgan.train(config, tmp_path / "run", storage=Storage(0, tmp_path / "cache"))
    found = provenance.load(RunDirectory.open(tmp_path / "run"), config)
    assert not isinstance(found.trained_on.images, np.ndarray)
    assert len(found.held_out.images) == 4


@pytest.mark.slow
@pytest.mark.parametrize("given", ["single", "batches", "endless"])
def test_any_dataset_is_trained_on(config, dataset, tmp_path, given):
    given_dataset = {
        "single": dataset,
        "batches": dataset.batch(3),
        "endless": dataset.repeat().batch(8),
    }[given]
    steps = 3 if given == "endless" else None
    result = dcgan.train(config, tmp_path / "run", dataset=given_dataset, steps_per_epoch=steps)
    assert result.run.trained().finished
    assert int(result.model.step.numpy()) == 2 * (steps or 4)
    assert result.run.load_config().data == "given:dataset"


@pytest.mark.slow
def test_a_training_on_a_dataset_goes_on_where_it_was(config, tmp_path, deterministic):
    whole = dcgan.train(config, tmp_path / "whole", dataset=_make_dataset())
    first = presets.override(config, training={"epochs": 1})
    dcgan.train(first, tmp_path / "run", dataset=_make_dataset())
    resumed = dcgan.train(config, tmp_path / "run", dataset=_make_dataset())
    assert resumed.first_epoch == 1
    assert _weights(resumed) == _weights(whole)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"images": np.zeros((9, _SIZE, _SIZE), np.uint8)}, "expected one of them"),
        ({"conditional": True}, "network.classes"),
        ({"steps_per_epoch": 0}, "steps_per_epoch: expected at least 1"),
    ],
)
def test_what_does_not_go_with_a_dataset(config, dataset, tmp_path, options, text):
    with pytest.raises(InputError, match=text):
        dcgan.train(config, tmp_path / "run", dataset=dataset, **options)
    assert not (tmp_path / "run").exists()


def test_steps_go_with_a_dataset_alone(config, folder, tmp_path):
    with pytest.raises(InputError, match="steps_per_epoch"):
        dcgan.train(config, tmp_path / "run", steps_per_epoch=3)


def test_fit_takes_an_endless_dataset_with_steps_only(make_gan, make_images):
    model = make_gan().compile()
    dataset = tf.data.Dataset.from_tensor_slices(make_images()).batch(4).repeat()
    with pytest.raises(InputError, match="steps_per_epoch"):
        model.fit(dataset, verbose=0)
    model.fit(dataset, steps_per_epoch=3, verbose=0)
    assert int(model.step.numpy()) == 3
