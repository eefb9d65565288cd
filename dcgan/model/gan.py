"""The pair of networks as one Keras model whose `fit` trains both."""

import copy
import functools
from typing import Any, Self

import keras
import tensorflow as tf

from dcgan import layers, losses
from dcgan.config import RunConfig, TrainingConfig
from dcgan.model import (
    augmenters,
    conditioning,
    drawing_model,
    global_batch,
    image_batches,
    moving_average,
    network_checks,
    optimizers,
    preset_models,
)

_LOGGED = ("g_loss", "d_loss", "real_accuracy", "fake_accuracy")
_TRAINER_OPTIONS = {"run_eagerly", "steps_per_execution", "jit_compile"}


@keras.saving.register_keras_serializable(package="dcgan")
class DCGAN(drawing_model.DrawingModel):
    """A deep convolutional generative adversarial network.

    Called on images, the model gives the discriminator's logits, positive for real, so `predict` and
    `evaluate` work as in any classifier; `generate` draws images. `fit` trains both networks at once. To
    change the method, override one of `sample_latents`, `generator_loss`, `discriminator_loss`,
    `discriminator_penalty` or `train_step` in a subclass.

    Args:
        generator: A built Functional or Sequential model from (batch, latent_dim) to (batch, height,
            width, channels) float32 in -1 to 1; with classes it has labels, shape (batch,), as a second
            input.
        discriminator: Another from such images to (batch, 1) logits.
        classes: Classes of a class-conditional GAN: `fit` then needs labels, which the discriminator
            sees by projection, in training only. Defaults to 0, unconditional.
        ema_decay: Decay of the generator's moving average, from which `generate` then draws; 0 switches
            it off. The decay ramps up, so that the first steps are soon forgotten. Defaults to 0.
        augmentation: "ada" or DiffAugment's policy, see `dcgan.model.augmenters`. Defaults to "", none.
        seed: Seed of the latents and the augmentation. Defaults to 0.
        **kwargs: Passed to `keras.Model`.

    Raises:
        InputError: If the networks do not fit together, or there is no such augmentation.
        ValueError: If `ema_decay` is not in 0 to 1.

    Example:
        >>> model = dcgan.DCGAN.from_preset("article")
        >>> history = model.fit(dcgan.load_dataset("mnist"), epochs=50)
        >>> model.generate(16, seed=1).shape
        (16, 28, 28, 1)

    Reference:
        - [Radford et al., 2016](https://arxiv.org/abs/1511.06434)
        - moving average: [Yazici et al., 2019](https://arxiv.org/abs/1806.04498)
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        classes: int = 0,
        ema_decay: float = 0.0,
        augmentation: str = "",
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        # The networks have precisions of their own; the images that pass here stay as they are.
        super().__init__(**{"dtype": "float32", **kwargs})
        network_checks.check_pair(generator, discriminator, classes=classes)
        if not 0 <= ema_decay < 1:
            raise ValueError(f"Expected ema_decay in [0, 1). Received: ema_decay={ema_decay}")
        self.augmenter = augmenters.make(augmentation)
        self.discriminator = discriminator
        self.prepare_drawing(generator, classes=classes, average=bool(ema_decay))
        self.ema_decay, self.augmentation, self.seed = ema_decay, augmentation, seed
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
        self.conditional_discriminator = (
            conditioning.with_projection(discriminator, classes) if classes else None
        )
        self.build(discriminator.input_shape)

    @classmethod
    def from_preset(
        cls, preset: str | RunConfig, *, total_steps: int | None = None, **kwargs: Any
    ) -> Self:
        """Builds and compiles the networks of a preset.

        Args:
            preset: A name from `dcgan.presets.PRESETS`, whose networks have the precision of Keras's
                global policy, or a whole config, which says the precision itself.
            total_steps: Steps until a cosine schedule ends. Defaults to None: constant rates.
            **kwargs: Passed to the class.

        Raises:
            InputError: If there is no such preset, or none of that precision.
        """
        config = preset_models.resolve(preset)
        model = cls(**preset_models.constructor_arguments(config), **kwargs)
        return model.compile(**preset_models.compile_arguments(config, total_steps=total_steps))

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The epoch means that `fit` and `evaluate` log, and what subclasses add."""
        # Keras's own loss stays 0: there are two.
        return [metric for metric in super().metrics if metric is not self._loss_tracker]

    def compile(
        self,
        generator_optimizer: optimizers.Optimizer | None = None,
        discriminator_optimizer: optimizers.Optimizer | None = None,
        *,
        loss: str = "non_saturating",
        label_smoothing: float = 0.0,
        r1_gamma: float = 0.0,
        r2_gamma: float = 0.0,
        penalty_interval: int = 16,
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
            r2_gamma: Likewise of the R2 penalty on fakes.
            penalty_interval: Steps from one penalty to the next; multiplies the weights. Defaults to 16.
            **options: `run_eagerly`, `steps_per_execution` and `jit_compile` of `keras.Model.compile`;
                others are refused.

        Returns:
            The model itself.

        Raises:
            InputError: If a value cannot be used.
            TypeError: If an argument is not supported.
        """
        options = {name: value for name, value in options.items() if value is not None}
        if unsupported := sorted(options.keys() - _TRAINER_OPTIONS):
            raise TypeError(
                f"DCGAN.compile does not support {', '.join(unsupported)}. It has generator_optimizer, "
                f"discriminator_optimizer and an adversarial loss, and logs {', '.join(_LOGGED)}."
            )
        objective: dict[str, Any] = {
            "loss": loss,
            "label_smoothing": label_smoothing,
            "r1_gamma": r1_gamma,
            "r2_gamma": r2_gamma,
            "penalty_interval": penalty_interval,
        }
        TrainingConfig(**objective)
        if r1_gamma or r2_gamma:
            network_checks.check_penalized(self.discriminator)
        with self.distribute_strategy.scope():
            pair = optimizers.OptimizerPair(
                generator_optimizer,
                discriminator_optimizer,
                networks={"generator": self.generator, "discriminator": self._trained_discriminator()},
            )
            super().compile(optimizer=pair, auto_scale_loss=False, **options)
        self.generator_optimizer, self.discriminator_optimizer = pair.whole
        self._loss = losses.get(loss, label_smoothing=label_smoothing)
        self.r1_gamma, self.r2_gamma, self.penalty_interval = r1_gamma, r2_gamma, penalty_interval
        self._compile_arguments = {
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
            **objective,
            **options,
        }
        return self

    def call(self, images: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Returns the discriminator's logits, shape (batch, 1), float32, positive for real."""
        return self._discriminate(image_batches.as_images(images, self.image_shape), training=training)

    def sample_latents(self, count: tf.Tensor) -> tf.Tensor:
        """Draws a training step's normal latents, shape (count, latent_dim), new on every replica."""
        return tf.random.stateless_normal((count, self.latent_dim), self._step_seed(stream=0))

    def generator_loss(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns what the generator minimizes for each pair: shapes (batch, 1) to (batch, 1)."""
        return self._loss.generator(real_logits, fake_logits)

    def discriminator_loss(self, real_logits: tf.Tensor, fake_logits: tf.Tensor) -> tf.Tensor:
        """Returns what the discriminator minimizes for each pair: shapes (batch, 1) to (batch, 1)."""
        return self._loss.discriminator(real_logits, fake_logits)

    def discriminator_penalty(
        self, reals: tf.Tensor, fakes: tf.Tensor, labels: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Returns R1 and R2, which the discriminator's loss has every `penalty_interval` steps.

        Shapes (batch, height, width, channels), and (batch,) for the labels of a conditional model, to
        (batch,) or a scalar, float32.

        Reference:
            - [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406)
            - only every few steps: [Karras et al., 2020](https://arxiv.org/abs/1912.04958), section 3.1
        """
        critic = functools.partial(self._discriminate, labels=labels)
        terms = [(self.r1_gamma, reals), (self.r2_gamma, tf.stop_gradient(fakes))]
        if not (self.r1_gamma or self.r2_gamma):
            return tf.zeros(())
        return tf.cond(
            self.step % self.penalty_interval == 0,
            lambda: self.penalty_interval * losses.weighted_penalties(critic, terms),
            lambda: tf.zeros(tf.shape(reals)[:1]),
        )

    def unpack(self, data: Any) -> image_batches.Batch:
        """Takes apart what a step gets; labels are there in conditional models only."""
        batch = super().unpack(data)
        labels = conditioning.as_labels(batch.labels, self.classes) if self.classes else None
        return batch._replace(labels=labels)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Trains both networks on one batch.

        Args:
            data: Images of shape (batch, height, width, channels), float, -1 to 1, alone or with
                labels, which only a conditional model uses: whole numbers, shape (batch,). Sample
                weights raise `InputError`.
        """
        batch, critic = self.unpack(data), self._trained_discriminator()
        reals, weights = global_batch.fill_empty(batch.images)
        labels = global_batch.fill_empty_labels(batch.labels, weights)
        latents = self.sample_latents(tf.shape(reals)[0])
        with tf.GradientTape(persistent=True) as tape:
            fakes = self.generator(conditioning.join(latents, labels), training=True)
            fakes = tf.cast(fakes, tf.float32)
            real_logits = self._discriminate(self._augment(reals, stream=1), labels)
            d_own = self._own_losses(critic)
            fake_logits = self._discriminate(self._augment(fakes, stream=2), labels)
            d_own = 0.5 * (d_own + self._own_losses(critic))
            g_losses = self.generator_loss(real_logits, fake_logits)
            d_losses = self.discriminator_loss(real_logits, fake_logits)
            penalty = self.discriminator_penalty(reals, fakes, labels)
            # Gradients are summed over replicas.
            g_mean, d_mean, penalty = (
                global_batch.share_of_mean(each, weights) for each in (g_losses, d_losses, penalty)
            )
            g_objective = g_mean + self._own_losses(self.generator)
            g_objective = self.generator_optimizer.scale_loss(g_objective)
            d_objective = self.discriminator_optimizer.scale_loss(d_mean + penalty + d_own)
        # Nothing is counted where the batch turns out not to be there, after the last one.
        with tf.control_dependencies([reals]):
            for network, objective, optimizer in (
                (self.generator, g_objective, self.generator_optimizer),
                (critic, d_objective, self.discriminator_optimizer),
            ):
                variables = network.trainable_weights
                optimizer.apply(tape.gradient(objective, variables), variables)
            if self.ema_generator is not None:
                moving_average.update(
                    self.ema_generator, self.generator, decay=self.ema_decay, step=self.step
                )
            if labels is not None:
                counted = conditioning.count(labels, weights, self.classes)
                self.class_counts.assign_add(global_batch.sum_over_replicas(counted))
            self.augmenter.adapt(real_logits, fake_logits, weights=weights, step=self.step)
            self.step.assign_add(1)
        return self._update_metrics(g_losses, d_losses, real_logits, fake_logits, weights=weights)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Measures a batch as `train_step` does, without training and the same in every evaluation."""
        batch = self.unpack(data)
        reals, weights = global_batch.fill_empty(batch.images)
        labels = global_batch.fill_empty_labels(batch.labels, weights)
        # The number of images seen so far gives each batch latents of its own.
        seen = tf.cast(self._means["g_loss"].count, tf.int64)
        seed = tf.stack([tf.constant(self.seed, tf.int64), seen])
        latents = tf.random.stateless_normal((tf.shape(reals)[0], self.latent_dim), seed)
        real_logits = self._discriminate(reals, labels, training=False)
        fake_logits = self._discriminate(self._decode_batch(latents, labels), labels, training=False)
        g_losses = self.generator_loss(real_logits, fake_logits)
        d_losses = self.discriminator_loss(real_logits, fake_logits)
        return self._update_metrics(g_losses, d_losses, real_logits, fake_logits, weights=weights)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "generator": keras.saving.serialize_keras_object(self.generator),
            "discriminator": keras.saving.serialize_keras_object(self.discriminator),
            "classes": self.classes,
            "ema_decay": self.ema_decay,
            "augmentation": self.augmentation,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the model from what `get_config` returned."""
        # A copy, since Keras empties the networks' own.
        config = copy.deepcopy(config)
        for name in ("generator", "discriminator"):
            config[name] = keras.saving.deserialize_keras_object(config[name])
        return cls(**config)

    def get_compile_config(self) -> dict[str, Any]:
        """Returns what `compile` was called with."""
        return keras.saving.serialize_keras_object(self._compile_arguments) if self.compiled else {}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model from what `get_compile_config` returned."""
        self.compile(**keras.saving.deserialize_keras_object(copy.deepcopy(config)))

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Builds nothing more: Keras would average the replicas' batches, which may differ in size."""

    def _trained_discriminator(self) -> keras.Model:
        """Returns the discriminator with all that trains with it: a conditional model's projection."""
        return self.conditional_discriminator or self.discriminator

    def _discriminate(
        self, images: tf.Tensor, labels: tf.Tensor | None = None, *, training: bool = True
    ) -> tf.Tensor:
        network = self.discriminator if labels is None else self._trained_discriminator()
        return tf.cast(network(conditioning.join(images, labels), training=training), tf.float32)

    def _augment(self, images: tf.Tensor, *, stream: int) -> tf.Tensor:
        return self.augmenter.augment(images, seed=self._step_seed(stream=stream))

    def _step_seed(self, *, stream: int) -> tf.Tensor:
        """A seed of its own for each use, step and replica; nothing to save but the step."""
        pair = tf.stack([tf.constant(8 * self.seed + stream, tf.int64), self.step.value])
        return tf.random.experimental.stateless_fold_in(pair, layers.replica_id())

    def _own_losses(self, network: keras.Model) -> tf.Tensor:
        """Returns a replica's share of the regularization in a network's last call."""
        total = sum((tf.cast(loss, tf.float32) for loss in network.losses), tf.zeros(()))
        return total / self.distribute_strategy.num_replicas_in_sync

    def _update_metrics(
        self,
        g_losses: tf.Tensor,
        d_losses: tf.Tensor,
        real_logits: tf.Tensor,
        fake_logits: tf.Tensor,
        *,
        weights: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        values = (g_losses, d_losses, real_logits > 0, fake_logits < 0)
        for name, value in zip(_LOGGED, values, strict=True):
            self._means[name].update_state(global_batch.per_image(value, weights), weights)
        results = self.get_metrics_result()
        if isinstance(self.distribute_strategy, tf.distribute.MultiWorkerMirroredStrategy):
            # Keras reduces logs between workers over a first axis, which scalars do not have.
            return {name: tf.reshape(result, (1,)) for name, result in results.items()}
        return results
