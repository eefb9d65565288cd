"""WGAN-GP as a subclass of `DCGAN`: another penalty, and a critic that trains ahead.

A critic approximates the Wasserstein distance only while its gradients have norm 1, so that their
distance from 1 is penalised, and only while it is ahead of the generator, so that it takes several
steps for each of the generator's. `dcgan.losses` has both losses and the penalty; what is left to
write is which images are penalised and the further steps.

The critic must have no batch normalization, under which an image's own gradient is not defined.

Run it with `python wgan_gp.py`: three epochs on the bundled MNIST and a grid of samples.

Reference:
    - [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028)
"""

from typing import Any

import keras
import tensorflow as tf

import dcgan
from dcgan import images, networks


@keras.saving.register_keras_serializable(package="examples")
class WGANGP(dcgan.DCGAN):
    """A WGAN-GP; compile it with `loss="wasserstein"`.

    Args:
        *args: The networks, as for `dcgan.DCGAN`.
        critic_steps: The critic's steps for each of the generator's. A batch is split into as many
            equal parts, so its size must be a multiple. Defaults to 5.
        penalty_weight: Defaults to 10.
        **kwargs: As for `dcgan.DCGAN`.
    """

    def __init__(
        self, *args: Any, critic_steps: int = 5, penalty_weight: float = 10.0, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.critic_steps, self.penalty_weight = critic_steps, penalty_weight

    def discriminator_penalty(
        self, reals: tf.Tensor, fakes: tf.Tensor, labels: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Draws a point between each real and its fake, where the gradient's norm should be 1."""
        seed = tf.stack([tf.constant(self.seed, tf.int64), self.step.value])
        share = tf.random.stateless_uniform([tf.shape(reals)[0], 1, 1, 1], seed)
        mixtures = share * reals + (1.0 - share) * fakes
        penalty = dcgan.losses.gradient_penalty(self.discriminator, mixtures, target=1.0)
        return self.penalty_weight * penalty

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Trains the critic alone on all parts of the batch but the last, and both on that."""
        reals, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        *ahead, last = tf.split(reals, self.critic_steps)
        for part in ahead:
            self.train_critic(part)
        return super().train_step(last)

    def train_critic(self, reals: tf.Tensor) -> None:
        """Takes one step of the critic; counted in `step`, so that each has latents of its own."""
        fakes = self.generator(self.sample_latents(tf.shape(reals)[0]), training=True)
        with tf.GradientTape() as tape:
            loss = self.discriminator_loss(self(reals, training=True), self(fakes, training=True))
            penalty = self.discriminator_penalty(reals, fakes)
            objective = tf.reduce_mean(loss) + tf.reduce_mean(penalty)
            # Gradients are summed over a strategy's replicas, and scaled in half precision.
            objective /= self.distribute_strategy.num_replicas_in_sync
            objective = self.discriminator_optimizer.scale_loss(objective)
        weights = self.discriminator.trainable_weights
        self.discriminator_optimizer.apply(tape.gradient(objective, weights))
        self.step.assign_add(1)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        own = {"critic_steps": self.critic_steps, "penalty_weight": self.penalty_weight}
        return {**super().get_config(), **own}


def main() -> None:
    """Trains on MNIST and writes `wgan_gp.png`."""
    shape = dcgan.NetworkConfig(latent_dim=64, generator_width=32, discriminator_width=32, dropout=0)
    model = WGANGP(networks.build_generator(shape), networks.build_discriminator(shape))
    model.compile(
        keras.optimizers.Adam(5e-4, beta_1=0.5, beta_2=0.9),
        keras.optimizers.Adam(5e-4, beta_1=0.5, beta_2=0.9),
        loss="wasserstein",
    )
    model.fit(dcgan.load_dataset("mnist", batch_size=5 * 64), epochs=3)
    images.save_png("wgan_gp.png", images.grid(model.generate(64, seed=1)))


if __name__ == "__main__":
    main()
