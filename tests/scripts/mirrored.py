"""Trains a tiny pair on one and on two logical devices; run by test_distribution."""

import pathlib
import pickle
import sys
import tempfile

import keras
import numpy as np
import tensorflow as tf

from dcgan import callbacks, layers, presets
from dcgan.model import DCGAN, augmenters, global_batch

GLOBAL_BATCH = 16


class GivenNoise(DCGAN):
    """Takes each replica's latents from one draw for the global batch."""

    def sample_latents(self, count):
        noise = tf.random.stateless_normal(
            (GLOBAL_BATCH, self.latent_dim), tf.stack([7, tf.cast(self.step, tf.int32)])
        )
        start = layers.replica_id() * count
        return noise[start : start + count]


def make_model(cls, norm, classes=0, **options):
    network = {"generator_width": 8, "discriminator_width": 8, "latent_dim": 8, "dropout": 0.0}
    # Shallow, since each batch normalization multiplies what rounding makes of its statistics.
    network |= {"mapping_units": 0, "head_units": 0, "generator_blocks": 0, "coarsest_size": 7}
    config = presets.override(
        presets.get("mnist"),
        network={**network, "generator_norm": norm, "discriminator_norm": norm, "classes": classes},
        training={"r1_gamma": 0.0},
    )
    model = cls.from_preset(presets.override(config, training=options))
    # Plain descent shows a gradient of the wrong scale, which Adam would make up for.
    optimizers = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)
    return model.compile(*optimizers, r1_gamma=1.0 if norm == "none" else 0.0, penalty_interval=2)


def train(strategy, norm, *, count=64, classes=0, **options):
    """Returns the logs, and each variable's copies on the replicas."""
    with strategy.scope():
        model = make_model(GivenNoise, norm, classes, **options)
    if model.augmentation:
        model.augmenter.probability.assign(0.5)
    images = np.random.default_rng(0).uniform(-1, 1, (count, 28, 28, 1)).astype(np.float32)
    labelled = (images, np.arange(count) ** 2 % classes) if classes else images
    dataset = tf.data.Dataset.from_tensor_slices(labelled).batch(GLOBAL_BATCH)
    with tempfile.TemporaryDirectory() as directory:
        log = callbacks.MetricsLog(pathlib.Path(directory) / "timings.csv", timings=True)
        history = model.fit(dataset, epochs=2, verbose=0, callbacks=[log]).history
        assert len(log.path.read_text().splitlines()) == 3
    copies = [
        [copy.numpy() for copy in getattr(variable.value, "values", [variable.value])]
        for variable in model.variables
    ]
    return history, copies


def draw_noise(strategy):
    with strategy.scope():
        model = make_model(DCGAN, "batch")
    draw = tf.function(lambda: strategy.run(lambda: model.sample_latents(tf.constant(4))))
    return [value.numpy() for value in strategy.experimental_local_results(draw())]


def adapt(strategy, counts):
    """Returns the copies of ADA's state after four steps, of so many pairs of logits a replica."""
    with strategy.scope():
        augmenter = augmenters.make("ada")
    logits = np.random.default_rng(0).normal([1.2, -1.2], 1, (GLOBAL_BATCH, 2)).astype(np.float32)
    starts = np.cumsum([0, *counts], dtype=np.int32)

    def share(step):
        replica = layers.replica_id()
        start, count = tf.gather(starts, replica), tf.gather(counts, replica)
        pairs = tf.constant(logits)[start : start + count, None, None]
        # A replica without images gets one that counts for nothing.
        pairs, weights = global_batch.fill_empty(pairs)
        augmenter.adapt(pairs[:, 0, :, 0], pairs[:, 0, :, 1], weights=weights, step=step)

    run = tf.function(lambda step: strategy.run(share, (step,)))
    states = []
    for step in range(4):
        run(tf.constant(step))
        for variable in augmenter.variables:
            copies = getattr(variable.value, "values", [variable.value])
            states.append([copy.numpy() for copy in copies])
    return states


def main(out):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    results = {"noise": draw_noise(two)}
    results["ada", "one"] = adapt(tf.distribute.get_strategy(), [GLOBAL_BATCH])
    results["ada", "two"] = adapt(two, [GLOBAL_BATCH // 2] * 2)
    results["ada, a replica without images"] = adapt(two, [GLOBAL_BATCH, 0])
    results["ada, fitted"] = train(two, "none", count=3 * GLOBAL_BATCH + 1, augmentation="ada")
    # The replicas' batches differ from the first on.
    results["uneven from the first"] = train(two, "batch", count=GLOBAL_BATCH - 1)
    for norm in ("none", "batch"):
        for name, strategy in (("one", tf.distribute.get_strategy()), ("two", two)):
            results[norm, name] = train(strategy, norm)
            # The last batch is one image: a replica has none.
            results[f"{norm}, uneven", name] = train(strategy, norm, count=2 * GLOBAL_BATCH + 1)
            results[f"{norm}, classes", name] = train(
                strategy, norm, count=2 * GLOBAL_BATCH + 1, classes=3
            )
    pathlib.Path(out).write_bytes(pickle.dumps(results))


if __name__ == "__main__":
    main(sys.argv[1])
