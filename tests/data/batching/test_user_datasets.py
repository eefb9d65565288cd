import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context

from dcgan.data.batching import user_datasets

_SHAPE = (4, 4, 1)


def _dataset(count=10, dtype=np.float32):
    pixels = np.arange(count, dtype=dtype)[:, None, None, None] * np.ones(_SHAPE, dtype)
    return tf.data.Dataset.from_tensor_slices(pixels)


def _values(batches):
    images = (batch[0] if isinstance(batch, tuple) else batch for batch in batches)
    return [batch[:, 0, 0, 0].numpy().tolist() for batch in images]


def test_an_end_stays_unknown_or_far():
    for dataset, steps in ((_dataset().filter(lambda image: True), -2), (_dataset().repeat(), -1)):
        batches = user_datasets.to_batches(dataset.batch(3), _SHAPE, batch_size=4, labelled=False)
        assert int(batches.cardinality()) == steps


@pytest.mark.parametrize("given", [None, 2, 3, 7, 10])
def test_single_images_and_any_batches(given):
    dataset = _dataset() if given is None else _dataset().batch(given)
    batches = user_datasets.to_batches(dataset, _SHAPE, batch_size=4, labelled=False)
    assert batches.element_spec.shape == (4, *_SHAPE)
    assert _values(batches) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert user_datasets.count_steps(batches, None) == 2


def test_bytes_become_floats():
    dataset = _dataset(4, np.uint8).map(lambda image: image * 85)
    batches = user_datasets.to_batches(dataset, _SHAPE, batch_size=4, labelled=False)
    np.testing.assert_allclose(_values(batches), [[-1, -1 / 3, 1 / 3, 1]], rtol=1e-6)


def test_labels_are_kept_where_they_are_wanted():
    dataset = tf.data.Dataset.zip(_dataset(), tf.data.Dataset.range(10))
    (_, labels), *_ = user_datasets.to_batches(dataset, _SHAPE, batch_size=4, labelled=True)
    assert labels.numpy().tolist() == [0, 1, 2, 3]
    batches = user_datasets.to_batches(dataset, _SHAPE, batch_size=4, labelled=False)
    assert _values(batches)[0] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "dataset",
    [
        tf.data.Dataset.range(3),
        _dataset().map(lambda image: {"image": image}),
        _dataset().map(lambda image: image[:2]),
        _dataset(dtype=np.int32),
        _dataset().batch(2).batch(2),
    ],
)
def test_other_elements_are_refused(dataset, refused):
    refused(
        lambda: user_datasets.to_batches(dataset, _SHAPE, batch_size=4, labelled=False),
        "dataset: expected images of shape (4, 4, 1)",
    )


def test_missing_labels_are_refused(refused):
    refused(
        lambda: user_datasets.to_batches(_dataset(), _SHAPE, batch_size=4, labelled=True),
        "dataset: expected pairs",
    )


def test_steps():
    batches = _dataset().batch(4)
    assert user_datasets.count_steps(batches, None) == 3
    assert user_datasets.count_steps(batches.repeat(), 7) == 7


@pytest.mark.parametrize(
    ("dataset", "steps", "text"),
    [
        (_dataset().repeat(), None, "no end"),
        (_dataset().filter(lambda image: True), None, "length is unknown"),
        (_dataset(), 0, "Received: 0"),
        (_dataset(3).batch(4, drop_remainder=True), None, "at least a batch"),
    ],
)
def test_steps_that_cannot_be_told(dataset, steps, text, refused):
    refused(lambda: user_datasets.count_steps(dataset, steps), text)


def test_the_policy_is_data_unless_there_is_one():
    strategy = tf.distribute.get_strategy()
    policies = tf.data.experimental.AutoShardPolicy
    shared = user_datasets.share_among_workers(_dataset(), strategy)
    assert shared.options().experimental_distribute.auto_shard_policy == policies.DATA
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = policies.OFF
    own = user_datasets.share_among_workers(_dataset().with_options(options), strategy)
    assert own.options().experimental_distribute.auto_shard_policy == policies.OFF


def test_an_order_of_each_worker_s_own_is_refused(refused, monkeypatch):
    strategy = tf.distribute.get_strategy()
    monkeypatch.setattr(tf.distribute, "MultiWorkerMirroredStrategy", type(strategy))
    context.context()._set_global_seed(None)
    unseeded = _dataset().shuffle(10).batch(2)
    refused(lambda: user_datasets.share_among_workers(unseeded, strategy), "shuffle(..., seed=...)")
    seeded = _dataset().shuffle(10, seed=1).batch(2)
    assert user_datasets.share_among_workers(seeded, strategy)
