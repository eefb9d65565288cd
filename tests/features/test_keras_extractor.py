import keras
import numpy as np
import pytest

from dcgan import images as pixels
from dcgan.features import keras_extractor


def _model(*layers):
    return keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), *layers])


def _classifiers():
    dense = keras.layers.Dense
    return {
        "activation": [dense(5), dense(3, activation="softmax")],
        "softmax layer": [dense(5), dense(3), keras.layers.Softmax()],
        "activation layer": [dense(5), dense(3), keras.layers.Activation("softmax")],
        "dropout": [dense(5), keras.layers.Dropout(0.5), dense(3, activation="softmax")],
    }


@pytest.mark.parametrize("kind", ["activation", "softmax layer", "activation layer", "dropout"])
def test_a_classifier_gives_its_penultimate_layer_and_probabilities(kind, make_pixels):
    model = _model(*_classifiers()[kind])
    images = make_pixels(6)
    found = keras_extractor.KerasExtractor(model)(images)
    inputs = pixels.to_float(images)
    hidden = model.layers[1].kernel.numpy()
    np.testing.assert_allclose(found.features, inputs.reshape(6, -1) @ hidden, atol=1e-5)
    np.testing.assert_allclose(found.probabilities, model(inputs, training=False), atol=1e-6)


@pytest.mark.parametrize("ending", ["dense", "sigmoid", "grid", "softmax of no dense layer"])
def test_of_any_other_model_the_output_is_the_features(ending, make_pixels):
    layers = {
        "dense": [keras.layers.Dense(4)],
        "sigmoid": [keras.layers.Dense(1, activation="sigmoid")],
        "grid": [keras.layers.Reshape((4, 4, 4))],
        "softmax of no dense layer": [keras.layers.Softmax()],
    }[ending]
    model, images = _model(*layers), make_pixels(6)
    found = keras_extractor.KerasExtractor(model)(images)
    assert found.probabilities is None
    expected = np.reshape(model(pixels.to_float(images)), (6, -1))
    np.testing.assert_allclose(found.features, expected, atol=1e-6)


def test_layers_that_another_model_used_first(make_pixels):
    hidden, head = keras.layers.Dense(5), keras.layers.Dense(3, activation="softmax")
    vectors = keras.Sequential([keras.Input((64,)), hidden, keras.layers.ReLU(), head])
    images = make_pixels(6)
    found = keras_extractor.KerasExtractor(_model(hidden, head))(images)
    inputs = pixels.to_float(images).reshape(6, -1)
    np.testing.assert_allclose(found.features, inputs @ hidden.kernel.numpy(), atol=1e-5)
    assert np.abs(found.probabilities - vectors(inputs)).max() > 1e-3


def test_a_model_of_a_softmax_alone(make_pixels):
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Softmax(axis=1)])
    assert keras_extractor.KerasExtractor(model)(make_pixels(2)).features.shape == (2, 64)


def test_batch_normalisation_runs_with_its_averages(make_pixels):
    model = _model(keras.layers.BatchNormalization())
    images = make_pixels(6)
    found = keras_extractor.KerasExtractor(model)
    np.testing.assert_allclose(found(images).features[:2], found(images[:2]).features, rtol=1e-6)


def test_extractor_takes_shape_and_digest_from_the_model():
    model = _model(keras.layers.Dense(4))
    extractor = keras_extractor.extractor_from_model(
        model, name="mine", trained_on="x:train", accuracy=0.5
    )
    assert extractor.image_shape == (8, 8, 1)
    assert (extractor.name, extractor.trained_on, extractor.accuracy) == ("mine", "x:train", 0.5)
    assert extractor.digest == keras_extractor.KerasExtractor(model).digest()


def test_a_model_of_any_size_makes_a_feature_extractor_of_any_size(make_pixels):
    layers = [keras.Input((None, None, 1)), keras.layers.GlobalAveragePooling2D()]
    extractor = keras_extractor.extractor_from_model(keras.Sequential(layers), name="brightness")
    assert extractor.image_shape is None
    assert extractor.embed(make_pixels(3, size=9)).features.shape == (3, 1)


def test_the_digest_follows_the_weights_and_layers():
    model = _model(keras.layers.Dense(4), keras.layers.ReLU())
    digest = keras_extractor.KerasExtractor(model).digest()
    assert keras_extractor.KerasExtractor(model).digest() == digest
    other = _model(keras.layers.Dense(4), keras.layers.LeakyReLU())
    other.set_weights(model.get_weights())
    assert keras_extractor.KerasExtractor(other).digest() != digest
    model.set_weights([weights + 1 for weights in model.get_weights()])
    assert keras_extractor.KerasExtractor(model).digest() != digest


def test_rejects_a_model_that_takes_no_images():
    vectors = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
    pair = [keras.Input((8, 8, 1)), keras.Input((8, 8, 1))]
    two = keras.Model(pair, keras.layers.Add()(pair))
    for model in (vectors, two, keras.Sequential([keras.layers.Dense(2)])):
        with pytest.raises(ValueError, match="one input"):
            keras_extractor.KerasExtractor(model)
