import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan import networks
from dcgan.config import NetworkConfig
from dcgan.detector.detector_model import Detector
from dcgan.detector.layers import fake_classifier


def _images(count, size=12, channels=1):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (count, size, size, channels)).astype(np.float32)


def test_backbone_gives_the_logits_and_the_last_map_of_each_size(make_discriminator):
    discriminator = make_discriminator()
    backbone = fake_classifier.build_backbone(discriminator)
    logits, features, fine, coarse = backbone(_images(3))
    np.testing.assert_allclose(logits, discriminator(_images(3)), atol=1e-6)
    assert fine.shape == (3, 6, 6, 4)
    assert coarse.shape == (3, 3, 3, 6)
    assert features.shape == (3, 3 * 3 * 6)
    # After the activation, not before it.
    rectified = keras.Model(discriminator.inputs, discriminator.layers[-3].output)(_images(3))
    np.testing.assert_allclose(coarse, rectified, atol=1e-6)


def test_backbone_is_a_frozen_copy(make_discriminator):
    discriminator = make_discriminator()
    backbone = fake_classifier.build_backbone(discriminator)
    assert not backbone.trainable_weights
    assert discriminator.trainable_weights
    discriminator.set_weights([0 * weight for weight in discriminator.get_weights()])
    assert np.abs(backbone(_images(2))[0]).max() > 0


def test_backbone_of_a_half_precision_discriminator_is_exact():
    config = NetworkConfig(discriminator_width=4, max_width=8, kernel_size=3, discriminator_norm="batch")
    discriminator = networks.build_discriminator(config, precision="mixed_bfloat16")
    backbone = fake_classifier.build_backbone(discriminator)
    assert {layer.compute_dtype for layer in backbone.layers} == {"float32"}
    np.testing.assert_allclose(backbone(_images(2, 28))[0], discriminator(_images(2, 28)), atol=0.05)


@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 3), (64, 3)])
def test_classifier_of_each_shape(size, channels):
    config = NetworkConfig(image_size=size, channels=channels, discriminator_width=4, max_width=8)
    backbone = fake_classifier.build_backbone(networks.build_discriminator(config))
    shapes = [output.shape[1:] for output in backbone.outputs[1:]]
    classifier = fake_classifier.build_classifier((size, size, channels), shapes, width=4)
    images = _images(2, size, channels)
    logits = classifier([tf.constant(images), *backbone(images)[1:]])
    assert logits.shape == (2, 3)


def test_classifier_sees_the_features_and_every_map_whose_size_it_has():
    maps = [(14, 14, 2), (7, 7, 3), (5, 5, 1)]
    classifier = fake_classifier.build_classifier((28, 28, 1), [(6,), *maps], width=4)
    images = _images(1, 28)
    inputs = [images, np.ones((1, 6), np.float32)]
    inputs += [_images(1, shape[0], shape[2]) for shape in maps]
    plain = classifier(inputs).numpy()[:, 0]
    for index, expected in ((1, True), (2, True), (3, True), (4, False)):
        changed = [part + (position == index) for position, part in enumerate(inputs)]
        assert (np.abs(classifier(changed).numpy()[:, 0] - plain).max() > 1e-7) == expected


def test_seed_decides_the_weights():
    first, again, other = (
        fake_classifier.build_classifier((28, 28, 1), [(6,)], width=4, seed=seed).get_weights()
        for seed in (0, 0, 1)
    )
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_is_exact_whatever_the_global_policy_is(make_discriminator):
    discriminator = make_discriminator()
    exact = Detector.from_discriminator(discriminator, width=8)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        other = Detector.from_discriminator(discriminator, width=8)
    finally:
        keras.config.set_dtype_policy("float32")
    images = _images(8)
    np.testing.assert_array_equal(other.logits(images), exact.logits(images))
