import keras
import numpy as np
import pytest

from dcgan import data, evaluation, features, presets, training
from dcgan.errors import InputError
from dcgan.features import learned

TINY = {"generator_width": 4, "discriminator_width": 4, "max_width": 4, "latent_dim": 4}
TINY |= {"mapping_units": 0, "head_units": 0}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (1000, 28, 28, 1), dtype=np.uint8)


@pytest.fixture
def make_config(images, tmp_path):
    np.save(tmp_path / "images.npy", images)

    def make(count=1000, **run):
        np.save(tmp_path / "images.npy", images[:count])
        options = {"epochs": 3, "batch_size": 300, "evaluate_every": 2, "ema_decay": 0.0}
        data = str(tmp_path / "images.npy")
        return presets.override(presets.get("mnist"), network=TINY, training=options, data=data, **run)

    return make


@pytest.mark.slow
def test_a_run_measures_its_samples_against_the_test_split(make_config, tmp_path):
    config = make_config()
    result = training.train(config, tmp_path / "run")
    rows = result.run.read_metrics()
    assert ["val_kid" in row for row in rows] == [False, True, True]
    reference = training.load_reference(config, data.Partition.load(config))
    assert isinstance(reference, features.Reference)
    # A tenth of the file is held out; as many samples are drawn as there are images to train on.
    assert (reference.fake_count, reference.statistics.real.moments.count) == (900, 100)
    expected = reference.distances(result.model.generate(900, seed=0))
    for name in ("frechet_distance", "kid"):
        assert rows[-1][f"val_{name}"] == pytest.approx(expected[name].value, rel=1e-6)
    assert len(list(result.run.references.iterdir())) == 1


def test_the_floor_is_that_of_training_images(make_config):
    config = make_config()
    partition = data.Partition.load(config)
    extractor = features.FeatureExtractor(name="rows", extract=lambda images: images[:, 14, :, 0] / 255)
    found = training.load_reference(config, partition, extractor=extractor).statistics.floor
    expected = features.Reference.compute(
        partition.held_out.images, extractor, floor_images=partition.rest.images, fake_count=900
    )
    assert found == expected.statistics.floor
    assert found["frechet_distance"] > 0


def test_a_cosine_ends_with_the_last_epoch(make_config, tmp_path, monkeypatch):
    planned = []

    def from_preset(config, *, total_steps):
        planned.append(total_steps)
        raise StopIteration

    monkeypatch.setattr(training.DCGAN, "from_preset", from_preset)
    with pytest.raises(StopIteration):
        training.train(make_config(features="none"), tmp_path / "run")
    # Three epochs of 900 images in batches of 300.
    assert planned == [9]


@pytest.mark.slow
@pytest.mark.parametrize(("count", "extractor"), [(1000, "none"), (900, "auto")])
def test_no_extractor_or_too_few_images_no_distance(make_config, tmp_path, count, extractor):
    result = training.train(make_config(count, features=extractor), tmp_path / "run")
    assert all("val_kid" not in row for row in result.run.read_metrics())


def test_an_unknown_extractor_is_refused_before_training(make_config, tmp_path):
    with pytest.raises(InputError, match="features nobody: expected"):
        training.train(make_config(features="nobody"), tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()


@pytest.mark.slow
def test_a_run_that_goes_on_and_its_evaluation_use_the_features_it_learned(
    make_config, images, tmp_path, monkeypatch
):
    monkeypatch.setattr(learned, "FEWEST", 500)
    monkeypatch.setattr(learned, "STEPS", 2)
    labelled = tmp_path / "labelled.npz"
    np.savez(labelled, images=images, labels=np.arange(len(images)) % 4)
    config = presets.override(make_config(), data=str(labelled))

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    run = training.train(config, tmp_path / "run", callbacks=[Stop()]).run
    written = {path.name: path.read_bytes() for path in run.references.iterdir()}
    assert sorted(name.rpartition(".")[2] for name in written) == ["json", "keras", "npz"]
    monkeypatch.setattr(learned, "_learn", None)
    training.train(config, tmp_path / "run")
    assert {path.name: path.read_bytes() for path in run.references.iterdir()} == written
    scores = evaluation.evaluate(run.path).scores
    assert scores["frechet_distance"].features == "learned"
    assert "900 images that the run trains on, with their labels" in run.report_html.read_text()
    assert "learned" in run.report_html.read_text()
    monkeypatch.setattr(learned, "FEWEST", 10**9)
    assert evaluation.evaluate(run.path, features="mnist").scores["kid"].features == "mnist"
