"""What the tests of the model share."""

import keras
import numpy as np

from dcgan.model import DCGAN

LOGGED = ["g_loss", "d_loss", "real_accuracy", "fake_accuracy"]


def sgd(rate=0.1):
    """Returns plain gradient descent for both networks, as arguments of `compile`."""
    return {
        "generator_optimizer": keras.optimizers.SGD(rate),
        "discriminator_optimizer": keras.optimizers.SGD(rate),
    }


def fit(model, images, **options):
    """Fits on batches of 4 in their order."""
    options = {"batch_size": 4, "shuffle": False, "verbose": 0, **options}
    return model.fit(images, **options).history


def assert_same(first, second):
    """Compares two lists of arrays to the bit."""
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


class Recording(DCGAN):
    """Keeps what a step computes, in eager mode."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.seen = []

    def generator_loss(self, real_logits, fake_logits):
        self.seen.append({"fake": fake_logits.numpy()})
        return super().generator_loss(real_logits, fake_logits)

    def discriminator_loss(self, real_logits, fake_logits):
        loss = super().discriminator_loss(real_logits, fake_logits)
        self.seen[-1] |= {"real": real_logits.numpy(), "d_loss": loss.numpy()}
        return loss
