import subprocess
import sys
import textwrap

import numpy as np
import pytest
import tensorflow as tf

from dcgan import images as pixels
from dcgan.data import batches, load_dataset
from dcgan.errors import InputError


@pytest.fixture
def numbered():
    """Images whose every pixel is their position, 0 to 99."""
    return np.arange(100, dtype=np.uint8)[:, None, None, None] * np.ones((3, 2, 1), np.uint8)


def positions(dataset):
    """Returns the positions in each batch."""
    return [
        np.rint((b[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist() for b in dataset.as_numpy_iterator()
    ]


def joined(dataset):
    return [position for batch in positions(dataset) for position in batch]


def test_values_are_those_of_dcgan_images():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    batch = next(batches(levels, 1).as_numpy_iterator())
    assert batch.dtype == np.float32
    np.testing.assert_array_equal(batch, pixels.to_float(levels))


@pytest.mark.parametrize("repeat", [False, True])
def test_nothing_is_tuned_that_an_iterator_waits_for_at_its_end(numbered, repeat):
    assert batches(numbered, 16, repeat=repeat).options().autotune.enabled is False


def test_shuffled_epoch_takes_each_image_at_most_once(numbered):
    dataset = batches(numbered, 16)
    assert dataset.element_spec == tf.TensorSpec((16, 3, 2, 1), tf.float32)
    assert dataset.cardinality() == 6
    epoch = positions(dataset)
    assert [len(batch) for batch in epoch] == [16] * 6
    assert len({position for batch in epoch for position in batch}) == 96


def test_an_epoch_of_whole_batches_takes_every_image(numbered):
    assert sorted(joined(batches(numbered, 20))) == list(range(100))


def test_unshuffled_keeps_order_and_all_images(numbered):
    dataset = batches(numbered, 16, shuffle=False)
    assert dataset.cardinality() == 7
    for _ in range(2):
        assert joined(dataset) == list(range(100))
    assert batches(numbered, 20, shuffle=False).element_spec.shape == (20, 3, 2, 1)
    assert batches(numbered, 300, shuffle=False).cardinality() == 1


def test_every_pass_has_another_order(numbered):
    dataset = batches(numbered, 20, seed=1)
    passes = [positions(dataset) for _ in range(3)]
    assert passes[0] != passes[1] != passes[2] != passes[0]


def test_seed_decides_the_passes(numbered):
    first, second, other = (batches(numbered, 20, seed=seed) for seed in (1, 1, 2))
    assert [positions(first) for _ in range(3)] == [positions(second) for _ in range(3)]
    assert positions(first) != positions(other)


def test_stream_is_a_function_of_seed_and_epoch(numbered):
    steps = 6
    stream = positions(batches(numbered, 16, seed=3, repeat=True).take(4 * steps))
    epochs = [stream[start : start + steps] for start in range(0, 4 * steps, steps)]
    for number in range(4):
        assert len({position for batch in epochs[number] for position in batch}) == 96
        resumed = batches(numbered, 16, seed=3, repeat=True, first_epoch=number)
        assert positions(resumed.take(steps)) == epochs[number]
        assert epochs[number] not in epochs[:number]
    assert positions(batches(numbered, 16, seed=4, repeat=True).take(steps)) != epochs[0]


def test_stream_ignores_the_global_seed(numbered):
    streams = []
    for seed in (0, 1):
        tf.random.set_seed(seed)
        streams.append(positions(batches(numbered, 16, seed=3, repeat=True).take(3)))
    assert streams[0] == streams[1]


def test_stream_restarts_with_each_iterator(numbered):
    stream = batches(numbered, 16, seed=3, repeat=True).take(8)
    assert positions(stream) == positions(stream)


def test_stream_has_no_end(numbered):
    stream = batches(numbered, 50, repeat=True)
    assert stream.cardinality() in (tf.data.INFINITE_CARDINALITY, tf.data.UNKNOWN_CARDINALITY)
    assert len(positions(stream.take(9))) == 9
    in_order = batches(numbered, 50, shuffle=False, repeat=True).take(4)
    assert joined(in_order) == [*range(100), *range(100)]


def test_shuffle_is_thorough():
    images = np.arange(250, dtype=np.uint8)[:, None, None, None]
    stream = positions(batches(images, 250, repeat=True).take(400))
    first = np.array(stream)[:, 0]
    assert abs(first.mean() - 124.5) < 5 * 72.2 / 20
    assert len(set(first)) > 150


def test_fewer_images_than_a_batch(numbered, refused):
    refused(lambda: batches(numbered, 101), "batch_size 101", "expected at least as many", "100")
    refused(lambda: batches(numbered[:0], 1, shuffle=False), "batch_size 1", "received 0")


def test_batch_size_below_one(numbered, refused):
    refused(lambda: batches(numbered, 0), "batch_size", "at least 1", "0")


def test_options_shard_by_data(numbered):
    policy = batches(numbered, 10).options().experimental_distribute.auto_shard_policy
    assert policy == tf.data.experimental.AutoShardPolicy.DATA


def test_images_are_not_part_of_the_graph():
    images = np.zeros((1000, 32, 32, 1), np.uint8)
    graph = batches(images, 10)._as_serialized_graph(allow_stateful=True, strip_device_assignment=True)
    functions = tf.compat.v1.GraphDef.FromString(graph.numpy()).library.function
    assert sum(function.ByteSize() for function in functions) < 100_000


@pytest.mark.slow
def test_replicas_share_each_batch_also_under_determinism():
    code = """
        import numpy as np, tensorflow as tf
        from dcgan.data import batches
        cpu = tf.config.list_physical_devices("CPU")[0]
        logical = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, logical)
        tf.random.set_seed(0)
        tf.config.experimental.enable_op_determinism()
        images = np.random.default_rng(0).integers(0, 256, (100, 4, 4, 1), dtype=np.uint8)
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        for options in ({}, {"repeat": True}, {"shuffle": False}):
            whole = list(batches(images, 32, seed=5, **options).take(6).as_numpy_iterator())
            assert len(whole) == (6 if "repeat" in options else 4 if "shuffle" in options else 3)
            dataset = batches(images, 32, seed=5, **options)
            shared = strategy.experimental_distribute_dataset(dataset)
            for batch, values in zip(whole, shared):
                halves = strategy.experimental_local_results(values)
                assert len(halves) == 2
                np.testing.assert_array_equal(np.concatenate(halves), batch)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("shuffle", [False, True])
def test_labels_stay_with_their_images(numbered, shuffle):
    dataset = batches(numbered, 16, labels=np.arange(100) + 1000, shuffle=shuffle)
    images, labels = zip(*dataset.as_numpy_iterator(), strict=True)
    found = np.rint((np.concatenate(images)[:, 0, 0, 0] + 1) * 127.5).astype(int)
    np.testing.assert_array_equal(np.concatenate(labels), found + 1000)
    assert labels[0].dtype == np.int32


def test_labels_come_in_the_order_of_the_epoch(numbered):
    alone = batches(numbered, 16, seed=5, repeat=True, first_epoch=2).take(4)
    labelled = batches(numbered, 16, labels=np.arange(100), seed=5, repeat=True, first_epoch=2).take(4)
    assert [labels.tolist() for _, labels in labelled.as_numpy_iterator()] == positions(alone)


@pytest.mark.parametrize("labels", [np.arange(99), np.eye(100)])
def test_one_label_an_image(numbered, labels):
    with pytest.raises(InputError, match=r"labels: expected 100, one for each image, received (99|100)"):
        batches(numbered, 16, labels=labels)


def test_a_labelled_data_set(tmp_path, numbered):
    square = np.repeat(numbered[:, :2], 2, axis=3)[..., :1]
    np.savez(tmp_path / "labelled.npz", images=square, labels=np.arange(100) % 7)
    dataset = load_dataset(tmp_path / "labelled.npz", split="all", batch_size=10, labels=True)
    for images, labels in dataset.as_numpy_iterator():
        found = np.rint((images[:, 0, 0, 0] + 1) * 127.5).astype(int)
        np.testing.assert_array_equal(labels, found % 7)
    with pytest.raises(InputError, match=r"labels: expected images with labels. Received: array"):
        load_dataset(square, labels=True, batch_size=10)
