import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers
from dcgan.errors import InputError


def rows(images):
    return tf.data.Dataset.from_tensor_slices(images).batch(4)


class Pieces(keras.utils.PyDataset):
    """Batches of 4 by number."""

    def __init__(self, images):
        super().__init__()
        self.images = images

    def __len__(self):
        return len(self.images) // 4

    def __getitem__(self, index):
        return self.images[4 * index : 4 * index + 4]


KINDS = {
    "an array": lambda images: images,
    "a tensor": tf.constant,
    "float64": lambda images: rows(images.astype(np.float64)),
    "float16": lambda images: rows(tf.cast(images, tf.float16)),
    "without channels": lambda images: images[..., 0],
    "a dataset": rows,
    "with labels": lambda images: rows((images, np.arange(len(images)))),
    "a PyDataset": Pieces,
    "a generator": lambda images: ((batch,) for batch in np.split(images, 2)),
}


@pytest.fixture(scope="module")
def measured(make_gan, make_images):
    """A model, and what it says of 8 images."""
    model = make_gan().compile()
    return model, model.evaluate(make_images(), batch_size=4, verbose=0, return_dict=True)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_data(measured, make_images, kind):
    model, expected = measured
    data = KINDS[kind](make_images())
    sizes = {"batch_size": 4} if isinstance(data, (np.ndarray, tf.Tensor)) else {}
    result = model.evaluate(data, verbose=0, return_dict=True, **sizes)
    assert result == pytest.approx(expected, abs=1e-3 if kind == "float16" else 1e-6)


@pytest.mark.usefixtures("eager")
@pytest.mark.filterwarnings("error:.*shuffle:UserWarning")
@pytest.mark.parametrize("kind", ["an array", "a dataset", "a PyDataset", "a generator"])
def test_nobody_is_warned_of_a_default(make_gan, make_images, kind):
    """Keras warns of `shuffle=True`, its own default, for data that is never shuffled."""
    make_gan().compile().fit(KINDS[kind](make_images()), verbose=0)


@pytest.mark.usefixtures("eager")
def test_who_asks_to_shuffle_is_told_of_what_is_not(make_gan, make_images):
    with pytest.warns(UserWarning, match="shuffle"):
        make_gan().compile().fit(rows(make_images()), verbose=0, shuffle=True)


def test_grey_images_of_any_float_with_augmentation_and_r1(make_gan, make_images):
    expected, images = None, make_images(4)
    for form in (images, images[..., 0].astype(np.float64)):
        model = make_gan(augmentation="color,translation,cutout")
        model.compile(**helpers.sgd(), r1_gamma=1.0, penalty_interval=1, run_eagerly=True)
        logs = helpers.fit(model, rows(form), batch_size=None)["d_loss"]
        assert logs == pytest.approx(expected or logs)
        expected = logs


REFUSED = {
    "uint8": (lambda images: rows(tf.cast(images, tf.uint8)), "Received: uint8"),
    "0 to 255": (lambda images: rows(127.5 * images + 127.5), "Received: values from "),
    "a dictionary": (lambda images: rows({"image": images}), "Received: a dictionary of image"),
    "not batched": (tf.data.Dataset.from_tensor_slices, r"Received: shape \(8, 8, 1, 1\)"),
    "none": (lambda images: rows(images).take(0), "expected at least one batch"),
}


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("kind", REFUSED)
def test_nothing_is_trained_on_what_are_no_images(make_gan, make_images, method, kind):
    if (method, kind) == ("predict", "none"):
        pytest.skip("Keras itself refuses")
    model = make_gan().compile()
    make, message = REFUSED[kind]
    with pytest.raises(InputError, match=f"^images: .*{message}[^\n]*$"):
        getattr(model, method)(make(make_images()), verbose=0)
    assert int(model.step) == 0


def test_every_fit_looks_at_its_first_batch(make_gan, make_images):
    model = make_gan().compile(run_eagerly=True, steps_per_execution=2)
    helpers.fit(model, make_images(12))
    with pytest.raises(InputError, match="Received: values from"):
        helpers.fit(model, 100 * make_images())
    assert int(model.step) == 3


def test_single_batches_are_looked_at(make_gan, make_images):
    model = make_gan().compile(run_eagerly=True)
    images = np.zeros((2, 8, 8, 1), np.uint8)
    for method in (model.train_on_batch, model.test_on_batch, model.predict_on_batch):
        with pytest.raises(InputError, match="Received: uint8"):
            method(images)
    assert len(model.train_on_batch(make_images(2))) == 4
    assert int(model.step) == 1


@pytest.mark.slow
def test_steps_are_counted_to_the_end_of_data_of_unknown_length(make_gan, make_images):
    unknown = rows(make_images(16)).filter(lambda batch: True)
    model = make_gan().compile(**helpers.sgd(), jit_compile=False)
    model.fit(unknown, epochs=2, verbose=0)
    counts = model.step, model.generator_optimizer.iterations, model.discriminator_optimizer.iterations
    assert [int(count) for count in counts] == [8, 8, 8]
