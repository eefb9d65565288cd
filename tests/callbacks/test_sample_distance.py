import keras
import numpy as np
import pytest

from dcgan import callbacks, features


def mean_colour(images):
    return images.reshape(len(images), 4, -1).mean(axis=2)


@pytest.fixture
def reference():
    images = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 1), dtype=np.uint8)
    extractor = features.FeatureExtractor(name="mean colour", extract=mean_colour)
    return features.Reference.compute(images, extractor, fake_count=40)


def test_logs_what_the_reference_measures(make_model, fit, reference):
    model = make_model()
    history = fit(model, [callbacks.SampleDistance(reference, seed=3)]).history
    expected = reference.distances(model.generate(40, seed=3))
    assert history["val_frechet_distance"] == [expected["frechet_distance"].value]
    assert history["val_kid"] == [expected["kid"].value]


def test_measures_every_few_epochs_and_after_the_last(make_model, fit, reference):
    epochs = []
    spy = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: epochs.append("val_kid" in logs)
    )
    distance = callbacks.SampleDistance(reference, every=2)
    fit(make_model(), [distance, spy], epochs=5)
    assert epochs == [False, True, False, True, True]


def test_early_stopping_and_model_checkpoint_watch_it(make_model, fit, reference, tmp_path):
    watched = {"monitor": "val_frechet_distance", "mode": "min"}
    path = tmp_path / "best.weights.h5"
    model = make_model()
    model(np.zeros((1, 3), np.float32))
    history = fit(
        model,
        [
            callbacks.SampleDistance(reference),
            keras.callbacks.EarlyStopping(patience=0, **watched),
            keras.callbacks.ModelCheckpoint(
                path, save_best_only=True, save_weights_only=True, **watched
            ),
        ],
        epochs=9,
    ).history
    # The generator is not trained: the second epoch is no better than the first.
    assert len(history["val_frechet_distance"]) == 2
    assert path.is_file()


def test_counts_its_own_time(make_model, fit, reference):
    distance = callbacks.SampleDistance(reference)
    fit(make_model(), [distance])
    assert distance.seconds > 0


def test_interval_below_one_is_refused(reference):
    with pytest.raises(ValueError, match="every"):
        callbacks.SampleDistance(reference, every=0)
