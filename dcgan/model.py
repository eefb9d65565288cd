"""The pair of networks as one Keras model whose `fit` trains both."""

from typing import Any, Self

import keras
import numpy as np
import tensorflow as tf

from dcgan import augmentation as augment
from dcgan import layers, losses, networks, optimizers, presets
from dcgan.config import RunConfig

_LOGGED = ("g_loss", "d_loss", "real_accuracy", "fake_accuracy")
_TRAINER_OPTIONS = {"run_eagerly", "steps_per_execution", "jit_compile"}


@keras.saving.register_keras_serializable(package="dcgan")
class DCGAN(keras.Model):
    """A deep convolutional generative adversarial network.

    Called on images, the model gives the discriminator's logits, positive for real, so `predict` and
    `evaluate` work as in any classifier; `generate` draws images. `fit` trains both networks at once. To
    change the method, override one of `sample_latents`, `generator_loss`, `discriminator_loss`,
    `discriminator_penalty` or `train_step` in a subclass.

    Args:
        generator: A built model from (batch, latent_dim) to (batch, height, width, channels) float32
            in -1 to 1.
        discriminator: A built model from such images to (batch, 1) logits.
        ema_decay: Decay of the generator's moving average, from which `generate` then draws; 0 switches
            it off. The decay ramps up, so that the first steps are soon forgotten. Defaults to 0.
        augmentation: DiffAugment's policy, see `dcgan.augmentation.diff_augment`. Defaults to "", none.
        seed: Seed of the latents and the augmentation. Defaults to 0.
        **kwargs: Passed to `keras.Model`.

    Raises:
        ValueError: If the networks do not fit together or `ema_decay` is not in 0 to 1.

    Example:
        >>> model = dcgan.DCGAN.from_preset("article")
        >>> model.fit(dcgan.load_dataset("mnist"), epochs=50)
        >>> images = model.generate(16, seed=1)

    Reference:
        - [Radford et al., 2016](https://arxiv.org/abs/1511.06434)
        - moving average: [Yazici et al., 2019](https://arxiv.org/abs/1806.04498)
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        ema_decay: float = 0.0,
        augmentation: str = "",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if generator.output_shape[1:] != discriminator.input_shape[1:]:
            raise ValueError(
                "Expected a generator whose images fit the discriminator. Received: "
                f"{generator.output_shape} against {discriminator.input_shape}"
            )
        if not 0 <= ema_decay < 1:
            raise ValueError(f"Expected ema_decay in [0, 1). Received: ema_decay={ema_decay}")
        augment.parse_policy(augmentation)
        self.generator, self.discriminator = generator, discriminator
        self.ema_decay, self.augmentation, self.seed = ema_decay, augmentation, seed
        self.ema_generator = self._make_ema_generator()
        self.step = self.add_weight(
            name="step",
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )
        # Dropout's random states, which Keras does not save by itself.
        weights = {id(weight) for weight in (*generator.weights, *discriminator.weights)}
        variables = (*generator.variables, *discriminator.variables)
        self._random_states = [each for each in variables if id(each) not in weights]
        self._means = {name: keras.metrics.Mean(name=name) for name in _LOGGED}
        self._decode = tf.function(
            self._decode_batch,
            input_signature=[tf.TensorSpec((None, self.latent_dim), tf.float32)],
            autograph=False,
        )
        self.build(discriminator.input_shape)

    @classmethod
    def from_preset(
        cls, preset: str | RunConfig, *, total_steps: int | None = None, **kwargs: Any
    ) -> Self:
        """Builds and compiles the networks of a preset.

        Args:
            preset: A name from `dcgan.presets.PRESETS` or a whole configuration.
            total_steps: Steps until a cosine schedule reaches 0. Defaults to None: learning rates stay
                constant.
            **kwargs: Passed to the class.

        Raises:
            InputError: If there is no such preset.
        """
        config = presets.get(preset) if isinstance(preset, str) else preset
        training = config.training
        model = cls(
            networks.build_generator(config.network, precision=config.precision, seed=config.seed),
            networks.build_discriminator(config.network, precision=config.precision, seed=config.seed),
            ema_decay=training.ema_decay,
            augmentation=training.augmentation,
            seed=config.seed,
            **kwargs,
        )
        model.compile(
            optimizers.adam(training.generator_learning_rate, training, total_steps=total_steps),
            optimizers.adam(training.discriminator_learning_rate, training, total_steps=total_steps),
            loss=training.loss,
            label_smoothing=training.label_smoothing,
            r1_gamma=training.r1_gamma,
            r1_interval=training.r1_interval,
        )
        return model

    @property
    def latent_dim(self) -> int:
        """Size of the generator's input."""
        return self.generator.input_shape[-1]

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The epoch means that `fit` and `evaluate` log."""
        return list(self._means.values())

    def compile(
        self,
        generator_optimizer: optimizers.Optimizer | None = None,
        discriminator_optimizer: optimizers.Optimizer | None = None,
        *,
        loss: str = "non_saturating",
        label_smoothing: float = 0.0,
        r1_gamma: float = 0.0,
        r1_interval: int = 16,
        **options: Any,
    ) -> Self:
        """Sets how both networks are trained.

        Args:
            generator_optimizer: An optimizer, its name or its configuration. Defaults to Adam with a
                learning rate of 1e-4, the article's.
            discriminator_optimizer: Likewise.
            loss: A key of `dcgan.losses.LOSSES`. Defaults to "non_saturating".
            label_smoothing: How far below 1 the reals' target lies, 0 to 1, for the non-saturating and
                the least-squares loss. Defaults to 0.
            r1_gamma: Weight of the R1 penalty on reals, at least 0. Defaults to 0, none.
            r1_interval: Steps from one penalty to the next, whose weight is multiplied by as much.
                Defaults to 16.
            **options: `run_eagerly`, `steps_per_execution` and `jit_compile` of `keras.Model.compile`;
                others are refused.

        Returns:
            The model itself.

        Raises:
            InputError: If there is no such loss, or it takes no label smoothing.
            TypeError: If an argument is not supported.
            ValueError: If another value is out of range.
        """
        if unsupported := sorted(options.keys() - _TRAINER_OPTIONS):
            raise TypeError(
                f"DCGAN.compile does not support {', '.join(unsupported)}. It has generator_optimizer, "
                f"discriminator_optimizer and an adversarial loss, and logs {', '.join(_LOGGED)}."
            )
        if r1_gamma < 0 or r1_interval < 1:
            raise ValueError(
                "Expected r1_gamma of at least 0 and r1_interval of at least 1. "
                f"Received: r1_gamma={r1_gamma}, r1_interval={r1_interval}"
            )
        self._loss = losses.get(loss, label_smoothing=label_smoothing)
        self.r1_gamma, self.r1_interval = r1_gamma, r1_interval
        with self.distribute_strategy.scope():
            pair = optimizers.OptimizerPair(
                generator_optimizer,
                discriminator_optimizer,
                networks={"generator": self.generator, "discriminator": self.discriminator},
            )
            super().compile(optimizer=pair, auto_scale_loss=False, **options)
        self.generator_optimizer, self.discriminator_optimizer = pair.optimizers
        self._compile_arguments = {
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            "loss": loss,
            "label_smoothing": label_smoothing,
            "r1_gamma": r1_gamma,
            "r1_interval": r1_interval,
            **options,
        }
        return self

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the discriminator's logits, shape (batch, 1), float32, positive for real."""
        return self.discriminator(images, training=training)

    def generate(
        self,
        count: int | None = None,
        *,
        seed: int = 0,
        latents: np.ndarray | None = None,
        batch_size: int = 256,
    ) -> np.ndarray:
        """Draws images from the generator, or from its moving average if there is one.

        Args:
            count: Number of images. Defaults to 1, or to as many as there are latents.
            seed: Seed of the latents. Defaults to 0.
            latents: Shape (count, latent_dim), float, used instead of drawn ones. Defaults to None.
            batch_size: Images at once. Defaults to 256.

        Returns:
            Shape (count, height, width, channels), float32, -1 to 1.

        Raises:
            ValueError: If `count` or `batch_size` is below 1, or `latents` are of another shape.
        """
        if count is None:
            count = 1 if latents is None else len(latents)
        if count < 1 or batch_size < 1:
            raise ValueError(
                "Expected count and batch_size of at least 1. "
                f"Received: count={count}, batch_size={batch_size}"
            )
        if latents is None:
            latents = tf.random.stateless_normal((count, self.latent_dim), [seed, 0]).numpy()
        if np.shape(latents) != (count, self.latent_dim):
            raise ValueError(
                f"Expected latents of shape {(count, self.latent_dim)}. "
                f"Received: latents.shape={np.shape(latents)}"
            )
        batches = [
            self._decode(tf.constant(latents[start : start + batch_size], tf.float32)).numpy()
            for start in range(0, count, batch_size)
        ]
        return np.concatenate(batches)

    def sample_latents(self, count: tf.Tensor) -> tf.Tensor:
        """Draws a training step's normal latents, shape (count, latent_dim), new on every replica."""
        return tf.random.stateless_normal((count, self.latent_dim), self._step_seed(stream=0))

    def generator_loss(self, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns what the generator minimizes for each image: shapes (batch, 1) to (batch, 1)."""
        return self._loss.generator(fake_logits)

    def discriminator_loss(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns what the discriminator minimizes for each pair: shapes (batch, 1) to (batch, 1)."""
        return self._loss.discriminator(real_logits, fake_logits)

    def discriminator_penalty(self, reals: tf.Tensor, fakes: tf.Tensor) -> tf.Tensor:
        """Returns what is added to the discriminator's loss: R1 every `r1_interval` steps.

        Shapes (batch, height, width, channels) to (batch,) or a scalar, float32.

        Reference:
            - [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406)
            - only every few steps: [Karras et al., 2020](https://arxiv.org/abs/1912.04958), section 3.1
        """
        del fakes
        if not self.r1_gamma:
            return tf.zeros(())
        weight = 0.5 * self.r1_gamma * self.r1_interval
        return tf.cond(
            self.step % self.r1_interval == 0,
            lambda: weight * tf.reduce_mean(losses.gradient_penalty(self._discriminate, reals)),
            lambda: tf.zeros(()),
        )

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Trains both networks on one batch.

        Args:
            data: Images of shape (batch, height, width, channels), float32, -1 to 1, alone or with
                labels, which are ignored. Sample weights raise `ValueError`.
        """
        reals = _images(data)
        latents = self.sample_latents(tf.shape(reals)[0])
        with tf.GradientTape(persistent=True) as tape:
            fakes = self.generator(latents, training=True)
            real_logits = self._discriminate(self._augment(reals, stream=1))
            fake_logits = self._discriminate(self._augment(fakes, stream=2))
            g_loss = tf.reduce_mean(self.generator_loss(fake_logits))
            d_loss = tf.reduce_mean(self.discriminator_loss(real_logits, fake_logits))
            penalty = tf.reduce_mean(self.discriminator_penalty(reals, fakes))
            # Means over a replica's images, whose gradients are summed over replicas.
            replicas = self.distribute_strategy.num_replicas_in_sync
            g_objective = self.generator_optimizer.scale_loss(g_loss / replicas)
            d_objective = self.discriminator_optimizer.scale_loss((d_loss + penalty) / replicas)
        g_gradients = tape.gradient(g_objective, self.generator.trainable_weights)
        d_gradients = tape.gradient(d_objective, self.discriminator.trainable_weights)
        self.generator_optimizer.apply(g_gradients)
        self.discriminator_optimizer.apply(d_gradients)
        self._update_ema()
        self.step.assign_add(1)
        return self._update_metrics(g_loss, d_loss, real_logits, fake_logits)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Measures a batch as `train_step` does, without training and the same in every evaluation."""
        reals = _images(data)
        # The number of images seen so far gives each batch latents of its own.
        seen = tf.cast(self._means["g_loss"].count, tf.int64)
        seed = tf.stack([tf.constant(self.seed, tf.int64), seen])
        latents = tf.random.stateless_normal((tf.shape(reals)[0], self.latent_dim), seed)
        real_logits = self.discriminator(reals, training=False)
        fake_logits = self.discriminator(self._decode_batch(latents), training=False)
        g_loss = tf.reduce_mean(self.generator_loss(fake_logits))
        d_loss = tf.reduce_mean(self.discriminator_loss(real_logits, fake_logits))
        return self._update_metrics(g_loss, d_loss, real_logits, fake_logits)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "ema_decay": self.ema_decay,
            "augmentation": self.augmentation,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the model from what `get_config` returned."""
        config = dict(config)
        for name in ("generator", "discriminator"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)

    def get_compile_config(self) -> dict[str, Any]:
        """Returns what `compile` was called with."""
        return keras.saving.serialize_keras_object(self._compile_arguments) if self.compiled else {}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model from what `get_compile_config` returned."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def _make_ema_generator(self) -> keras.Model | None:
        if not self.ema_decay:
            return None
        average = keras.models.clone_model(self.generator)
        average.name, average.trainable = "ema_generator", False
        average.set_weights(self.generator.get_weights())
        return average

    def _decode_batch(self, latents: tf.Tensor) -> tf.Tensor:
        return (self.ema_generator or self.generator)(latents, training=False)

    def _discriminate(self, images: tf.Tensor) -> tf.Tensor:
        return self.discriminator(images, training=True)

    def _augment(self, images: tf.Tensor, *, stream: int) -> tf.Tensor:
        if not self.augmentation:
            return images
        return augment.diff_augment(images, self.augmentation, seed=self._step_seed(stream=stream))

    def _step_seed(self, *, stream: int) -> tf.Tensor:
        """A seed of its own for each use, step and replica; nothing to save but the step."""
        pair = tf.stack([tf.constant(8 * self.seed + stream, tf.int64), self.step.value])
        return tf.random.experimental.stateless_fold_in(pair, layers.replica_id())

    def _update_ema(self) -> None:
        """Moves the average towards the generator's weights and its batch statistics alike."""
        if self.ema_generator is None:
            return
        step = tf.cast(self.step, tf.float32)
        rate = 1.0 - tf.minimum(self.ema_decay, (1.0 + step) / (10.0 + step))
        for average, weight in zip(self.ema_generator.weights, self.generator.weights, strict=True):
            average.assign_add(rate * (weight - average))

    def _update_metrics(
        self, g_loss: tf.Tensor, d_loss: tf.Tensor, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        count = tf.shape(real_logits)[0]
        self._means["g_loss"].update_state(g_loss, sample_weight=count)
        self._means["d_loss"].update_state(d_loss, sample_weight=count)
        self._means["real_accuracy"].update_state(real_logits > 0)
        self._means["fake_accuracy"].update_state(fake_logits < 0)
        results = {name: mean.result() for name, mean in self._means.items()}
        if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras reduces logs between workers over a first axis, which scalars do not have.
            return {name: tf.reshape(result, (1,)) for name, result in results.items()}
        return results


def _images(data: Any) -> tf.Tensor:
    images, _, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise ValueError(
            "DCGAN does not support sample_weight and class_weight: all images count alike."
        )
    return images
