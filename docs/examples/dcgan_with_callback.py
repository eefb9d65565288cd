"""A DCGAN with a callback of one's own, in the style of the examples on keras.io.

It trains on MNIST, shows the same latents after each epoch, and stops when it has stopped learning. Run
it with `python dcgan_with_callback.py [EPOCHS]`, six epochs by default.

## Introduction

A GAN's losses do not fall as it gets better, so they cannot tell when to stop. A distance between
samples and real images can. This example trains the networks of the preset `mnist` by `model.fit`, with
a callback that measures this distance after each epoch, keeps the best weights and ends the training
once they have not improved for two epochs.
"""

import sys
from typing import Any

import keras
import numpy as np

import dcgan
from dcgan import images

"""
## Data

Batches of float32 images in [-1, 1], shape (32, 28, 28, 1). The test images, uint8, are what samples are
compared with. MNIST comes with the package; a folder of images, an array or the name of a data set of
TensorFlow Datasets works as well.
"""


def load(split: str = "train") -> tuple[Any, np.ndarray]:
    """Returns training batches, and real images that are not trained on."""
    dataset = dcgan.load_dataset("mnist", batch_size=32, split=split)
    return dataset, dcgan.load_images("mnist", split="test[:2000]").images


"""
## The callback

`self.model` is the `DCGAN`. `generate` with a fixed seed draws from the same latents each time, so that
epochs compare. What the callback writes into `logs` is shown by `fit` and kept in its history.
"""


class KeepBest(keras.callbacks.Callback):
    """Logs `val_distance`, restores the weights of the best epoch, and stops when there is no gain.

    Args:
        reference: The real images, see `dcgan.features.Reference`.
        patience: Epochs without an improvement after which training ends. Defaults to 2.
    """

    def __init__(self, reference: dcgan.features.Reference, *, patience: int = 2) -> None:
        super().__init__()
        self.reference, self.patience = reference, patience
        self.best, self.best_epoch, self.weights = np.inf, -1, None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measures samples, saves a sheet of them, and decides."""
        samples = self.model.generate(self.reference.fake_count, seed=1)
        distance = self.reference.distances(samples)["frechet_distance"].value
        images.save_png(f"samples/{epoch + 1:02d}.png", images.grid(samples[:64]))
        if logs is not None:
            logs["val_distance"] = distance
        if distance < self.best:
            self.best, self.best_epoch = distance, epoch
            self.weights = self.model.get_weights()
        elif epoch - self.best_epoch >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Puts the best weights back."""
        if self.weights is not None:
            self.model.set_weights(self.weights)
            print(f"best epoch {self.best_epoch + 1}: distance {self.best:.3g}")


"""
## The model

A preset's networks and optimizers. Two networks of your own work too: `dcgan.DCGAN(generator,
discriminator)`, then `compile` with an optimizer for each.
"""


def build(preset: str = "mnist", total_steps: int | None = None) -> dcgan.DCGAN:
    """Returns a compiled model, whose learning rate falls along a cosine over so many steps."""
    return dcgan.DCGAN.from_preset(preset, total_steps=total_steps)


"""
## Training

The distance is computed in the features of a small classifier of digits that comes with the package.
"""


def main(epochs: str = "6", split: str = "train", count: int = 2000) -> dcgan.DCGAN:
    """Trains, and writes `samples/` and `best.keras`."""
    dataset, reals = load(split)
    extractor = dcgan.features.load("mnist")
    reference = dcgan.features.Reference.compute(reals, extractor, fake_count=count)
    model = build(total_steps=int(epochs) * len(dataset))
    model.fit(dataset, epochs=int(epochs), callbacks=[KeepBest(reference)])
    model.save("best.keras")
    return model


if __name__ == "__main__":
    main(*sys.argv[1:])

"""
## What to look at

`samples/01.png` and on show the same 64 latents: strokes come first, then closed shapes, then digits
that differ. A distance that rises while the shapes get crisper means that kinds of digits go missing.
`keras.saving.load_model("best.keras")` brings the model back, with its optimizers.
"""
