import keras
import numpy as np
import pytest

import helpers
from dcgan.model import DCGAN


@keras.saving.register_keras_serializable(package="tests")
class Counting(DCGAN):
    """Has a metric, a weight and a layer of its own, and a metric that `compile` makes."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.images_seen = keras.metrics.Sum("images_seen")
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones", trainable=False)
        self.head = keras.layers.Dense(2)

    def compile(self, *args, **options):
        super().compile(*args, **options)
        self.loss_sum = keras.metrics.Mean("loss")
        return self

    def train_step(self, data):
        self.images_seen.update_state(len(data))
        self.loss_sum.update_state(1.0)
        return super().train_step(data)


def test_state_of_its_own_is_logged_and_starts_each_epoch_anew(make_gan, make_images):
    model = make_gan(Counting).compile(**helpers.sgd(), run_eagerly=True)
    history = helpers.fit(model, make_images(12), epochs=2)
    assert sorted(history) == sorted([*helpers.LOGGED, "images_seen", "loss"])
    assert history["images_seen"] == [12, 12]
    assert history["loss"] == [1, 1]
    names = {metric.name for metric in model.metrics}
    assert names == {*helpers.LOGGED, "images_seen", "loss"}


@pytest.mark.usefixtures("eager")
def test_state_of_its_own_is_saved(tmp_path, make_gan, make_images):
    model = make_gan(Counting).compile(**helpers.sgd(), run_eagerly=True)
    model.scale.assign(3.0)
    helpers.fit(model, make_images(4))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, Counting)
    assert float(loaded.scale) == 3
    np.testing.assert_array_equal(model(make_images()), loaded(make_images()))
    assert helpers.fit(loaded, make_images(4))["images_seen"] == [4]
