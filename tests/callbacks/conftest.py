import keras
import numpy as np
import pytest

from dcgan.model import DCGAN


class Classes:
    """Draws images of classes: their level is the label's tenth; notes what it drew."""

    image_shape, latent_dim = (8, 8, 1), 4

    def __init__(self, classes, seen=()):
        self.classes = classes
        self.class_counts = np.bincount(seen, minlength=classes)
        self.drawn = []

    def spread_labels(self, most):
        return DCGAN.spread_labels(self, most)

    def generate(self, count=1, *, labels=None, seed=0, latents=None):
        assert len(labels) == count
        self.drawn.append(np.array(labels))
        return np.broadcast_to(np.reshape(labels, (-1, 1, 1, 1)) / 10, (count, 8, 8, 1)).astype(
            np.float32
        )


def _show(callback, model):
    """Ends an epoch of a callback."""
    callback.set_model(model)
    callback.on_epoch_begin(0)
    callback.on_epoch_end(0, {})
    callback.on_train_end()
    return model.drawn[-1]


@pytest.fixture
def make_classes():
    return Classes


@pytest.fixture
def show():
    return _show


@keras.saving.register_keras_serializable(package="tests")
class TinyGAN(keras.Model):
    """Logs the columns of its batches, so that a test's data decides what callbacks read."""

    LOGGED = ("g_loss", "real_accuracy", "fake_accuracy")

    def __init__(self, image_shape=(8, 8, 1), latent_dim=4):
        super().__init__()
        self.latent_dim = latent_dim
        self.generator = keras.Sequential(
            [
                keras.Input((latent_dim,)),
                keras.layers.Dense(
                    int(np.prod(image_shape)),
                    activation="tanh",
                    kernel_initializer=keras.initializers.RandomNormal(seed=1),
                ),
                keras.layers.Reshape(image_shape),
            ]
        )
        self.means = [keras.metrics.Mean(name) for name in self.LOGGED]
        self.generated_latents = []

    def compile(self, *, generator_rate=0.5, discriminator_rate=0.25, **kwargs):
        super().compile(**kwargs)
        self.generator_optimizer = keras.optimizers.SGD(generator_rate)
        self.discriminator_optimizer = keras.optimizers.SGD(discriminator_rate)

    @property
    def metrics(self):
        return self.means

    def call(self, batch):
        return batch

    def train_step(self, batch):
        for index, mean in enumerate(self.means):
            mean.update_state(batch[:, index])
        return {mean.name: mean.result() for mean in self.means}

    def generate(self, count=1, *, labels=None, seed=0, latents=None):
        if latents is None:
            shape = (count, self.latent_dim)
            latents = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
        assert len(latents) == count
        self.generated_latents.append(np.array(latents))
        return keras.ops.convert_to_numpy(self.generator(latents))


def _make(image_shape=(8, 8, 1), **compile_options):
    model = TinyGAN(image_shape)
    model.compile(**compile_options)
    return model


@pytest.fixture
def make_model():
    return _make


@pytest.fixture
def fit():
    """Trains for epochs whose logs are the given values: `rows` holds one row of logs a batch."""

    def fit(model, callbacks, *, epochs=1, rows=((0.7, 0.6, 0.8),), **options):
        batches = np.asarray(rows, np.float32)
        return model.fit(
            batches,
            batch_size=1,
            epochs=epochs,
            shuffle=False,
            verbose=0,
            callbacks=callbacks,
            **options,
        )

    return fit
