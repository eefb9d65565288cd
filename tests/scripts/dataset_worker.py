"""Trains on a dataset as one worker of a cluster; run by test_multiworker.

    python dataset_worker.py OUT SEEN

Writes the numbers of the images of each step, as this worker trained on them, into the file SEEN.
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf

import dcgan
from dcgan import presets, training

IMAGES, BATCH, EPOCHS = 64, 16, 2


class Watched(dcgan.DCGAN):
    def train_step(self, data):
        numbers = tf.reduce_mean(self.unpack(data).images + 1, axis=(1, 2, 3)) * 127.5
        seen = f"file://{pathlib.Path(sys.argv[2]).absolute()}"
        tf.print(tf.cast(tf.round(numbers), tf.int32), output_stream=seen, summarize=-1)
        return super().train_step(data)


def main():
    # Before the dataset, as TensorFlow wants it.
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    training.DCGAN = Watched
    config = presets.override(
        presets.get("mnist"),
        network={"generator_width": 8, "discriminator_width": 8, "latent_dim": 8},
        training={"epochs": EPOCHS, "batch_size": BATCH},
    )
    # Each image is of one grey level, its number.
    pixels = np.arange(IMAGES, dtype=np.uint8)[:, None, None, None] * np.ones((28, 28, 1), np.uint8)
    dataset = tf.data.Dataset.from_tensor_slices(pixels).shuffle(IMAGES, seed=3)
    dcgan.train(config, sys.argv[1], dataset=dataset, strategy=strategy)


if __name__ == "__main__":
    main()
