"""Two quick holdout generators, a PCA mixture and a variational autoencoder; no pool has their fakes."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture

from dcgan import data, images
from dcgan.data.indexed_images import Images
from dcgan.system import seeds

_SAMPLE = 10_000
_COMPONENTS = 60
_CLUSTERS = 20
_LATENT = 20
_EDGE = 1e-3


def pca_mixture(reals: Images, *, count: int, seed: int = 0) -> np.ndarray:
    """Draws from a mixture of Gaussians over the reals' principal components.

    Args:
        reals: Shape (images, height, width, channels), uint8.
        count: How many fakes.
        seed: Seed of every draw. Defaults to 0.

    Returns:
        Shape (count, height, width, channels), uint8.
    """
    rng = np.random.default_rng(seed)
    chosen = reals[rng.choice(len(reals), min(len(reals), _SAMPLE), replace=False)]
    # In double precision: covariances are to stay positive.
    flat = images.to_float(chosen).reshape(len(chosen), -1).astype(np.float64)
    analysis = PCA(min(_COMPONENTS, *flat.shape), svd_solver="randomized", random_state=seed)
    codes = analysis.fit_transform(flat)
    mixture = GaussianMixture(min(_CLUSTERS, len(codes) // 2), reg_covar=_EDGE, random_state=seed)
    drawn, _ = mixture.fit(codes).sample(count)
    rebuilt = analysis.inverse_transform(rng.permutation(drawn))
    return images.to_uint8(rebuilt).reshape(count, *reals.shape[1:])


def variational_autoencoder(
    reals: Images,
    *,
    count: int,
    steps: int = 1000,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> np.ndarray:
    """Trains a small variational autoencoder and draws from it.

    Args:
        reals: Shape (images, height, width, channels), uint8.
        count: How many fakes.
        steps: Training steps of 128 images. Defaults to 1,000.
        seed: Seed of weights, order and latents. Defaults to 0.
        callbacks: Called by `fit`. Defaults to none.

    Returns:
        Shape (count, height, width, channels), uint8.

    Reference:
        [Kingma and Welling, 2014](https://arxiv.org/abs/1312.6114)
    """
    model = _VariationalAutoencoder(reals.shape[1:], seed=seed)
    model.compile(keras.optimizers.Adam(1e-3))
    batch_size = min(128, len(reals))
    model.fit(
        data.batches(reals, batch_size, seed=seed, repeat=True),
        steps_per_epoch=steps,
        callbacks=list(callbacks),
        verbose=0,
        shuffle=False,
    )
    latents = np.random.default_rng(seed).standard_normal((count, _LATENT)).astype(np.float32)
    return images.to_uint8(model.decoder.predict(latents, batch_size=256, verbose=0))


class _VariationalAutoencoder(keras.Model):
    def __init__(self, image_shape: tuple[int, ...], *, seed: int) -> None:
        super().__init__()
        with seeds.default_seeds(seed):
            self.encoder = _encoder(image_shape)
            self.decoder = _decoder(image_shape)
        self.noise = keras.random.SeedGenerator(seed)

    def train_step(self, reals: tf.Tensor) -> dict[str, tf.Tensor]:
        """Minimises the squared error of the pixels and the divergence of the latents."""
        with tf.GradientTape() as tape:
            mean, log_variance = tf.split(self.encoder(reals, training=True), 2, axis=-1)
            drawn = tf.random.stateless_normal(tf.shape(mean), self.noise.next())
            rebuilt = self.decoder(mean + tf.exp(log_variance / 2) * drawn, training=True)
            # A standard deviation of 0.4 of the pixels balances sharp strokes and a full prior.
            error = tf.reduce_sum((rebuilt - reals) ** 2, axis=(1, 2, 3)) / (2 * 0.4**2)
            divergence = 0.5 * tf.reduce_sum(
                tf.exp(log_variance) + mean**2 - 1.0 - log_variance, axis=-1
            )
            loss = tf.reduce_mean(error + divergence)
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        return {"loss": loss}


def _encoder(image_shape: tuple[int, ...]) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Conv2D(32, 4, 2, "same", activation="relu"),
            keras.layers.Conv2D(64, 4, 2, "same", activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(256, "relu"),
            keras.layers.Dense(2 * _LATENT),
        ]
    )


def _decoder(image_shape: tuple[int, ...]) -> keras.Model:
    height, width, channels = image_shape
    return keras.Sequential(
        [
            keras.Input((_LATENT,)),
            keras.layers.Dense(256, "relu"),
            keras.layers.Dense(height // 4 * (width // 4) * 48, "relu"),
            keras.layers.Reshape((height // 4, width // 4, 48)),
            keras.layers.Conv2DTranspose(32, 5, 2, "same", activation="relu"),
            keras.layers.Conv2DTranspose(channels, 5, 2, "same", activation="tanh"),
        ]
    )
