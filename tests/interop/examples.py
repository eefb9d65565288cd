"""Writes labelled images of a run, real and generated, as TFX's ImportExampleGen reads them.

python examples.py RUN DIR [--count 400]
"""

import argparse
import pathlib

import numpy as np
import tensorflow as tf

from dcgan import data, images, sampling
from dcgan.runs.run_directory import RunDirectory


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=400)
    arguments = parser.parse_args()
    run = RunDirectory.open(arguments.run)
    model = sampling.load_model(run.newest_model())
    fakes = images.to_uint8(model.generate(arguments.count, seed=1))
    reals = data.load_images(run.load_config().data, split="test").images[: arguments.count]
    arguments.directory.mkdir(parents=True, exist_ok=True)
    pixels, labels = np.concatenate([reals, fakes]), np.repeat([0.0, 1.0], arguments.count)
    with tf.io.TFRecordWriter(str(arguments.directory / "images.tfrecord")) as writer:
        for image, label in zip(pixels, labels, strict=True):
            writer.write(to_example(image, label))


def to_example(image, label):
    content = tf.io.encode_png(image).numpy()
    features = {
        "image_bytes": tf.train.Feature(bytes_list=tf.train.BytesList(value=[content])),
        "label": tf.train.Feature(float_list=tf.train.FloatList(value=[label])),
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


if __name__ == "__main__":
    main()
