import dataclasses
import json

import keras
import numpy as np
import pytest

from dcgan import features
from dcgan.errors import InputError
from dcgan.features import FeatureExtractor, inception, keras_extractor


@pytest.fixture
def extractor():
    layers = [
        keras.Input((8, 8, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(5, activation="relu"),
        keras.layers.Dense(3),
        keras.layers.Softmax(),
    ]
    return keras_extractor.extractor_from_model(
        keras.Sequential(layers), name="shapes", trained_on="shapes:train", accuracy=0.75
    )


def test_round_trip(tmp_path, extractor, make_pixels):
    path = features.save(extractor, tmp_path / "new" / "shapes.keras")
    loaded = features.load(path)
    same = {field.name for field in dataclasses.fields(FeatureExtractor)} - {"extract"}
    assert {name: getattr(loaded, name) for name in same} == {
        name: getattr(extractor, name) for name in same
    }
    images = make_pixels(5)
    np.testing.assert_array_equal(loaded.embed(images).features, extractor.embed(images).features)
    np.testing.assert_array_equal(
        loaded.embed(images).probabilities, extractor.embed(images).probabilities
    )


def test_the_record_is_beside_the_weights(tmp_path, extractor):
    features.save(extractor, tmp_path / "shapes.keras")
    assert {file.name for file in tmp_path.iterdir()} == {"shapes.keras", "shapes.json"}
    record = json.loads((tmp_path / "shapes.json").read_text())
    assert record["trained_on"] == "shapes:train"
    assert record["accuracy"] == 0.75
    assert record["digest"] == extractor.digest


def test_any_keras_file_is_an_extractor(tmp_path, make_pixels):
    layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(4)]
    keras.Sequential(layers).save(tmp_path / "mine.keras")
    extractor = features.load(str(tmp_path / "mine.keras"))
    assert (extractor.name, extractor.trained_on, extractor.accuracy) == ("mine", "", None)
    assert extractor.embed(make_pixels(2)).features.shape == (2, 4)


def test_save_wants_a_keras_model_and_file(tmp_path, extractor, block_extractor):
    with pytest.raises(ValueError, match="Received: blocks"):
        features.save(block_extractor, tmp_path / "blocks.keras")
    with pytest.raises(ValueError, match=r"shapes\.h5"):
        features.save(extractor, tmp_path / "shapes.h5")


@pytest.mark.parametrize("name", ["cifar", "missing.keras", "model.h5"])
def test_an_unknown_name_is_an_input_error(name):
    with pytest.raises(InputError, match=f"features {name}: expected mnist, learned"):
        features.load(name)


def _vectors(path):
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save(path)


@pytest.mark.parametrize("write", [lambda path: path.write_bytes(b"nothing"), _vectors])
def test_a_file_that_is_no_image_model_is_one_line(tmp_path, write):
    path = tmp_path / "broken.keras"
    write(path)
    with pytest.raises(InputError, match=r"broken\.keras: expected an image model") as caught:
        features.load(path)
    assert "\n" not in str(caught.value)


def test_a_reason_of_several_lines_becomes_one(tmp_path, monkeypatch):
    def fail(path, compile):
        raise TypeError("no such layer\n  in this file")

    monkeypatch.setattr(keras.models, "load_model", fail)
    (tmp_path / "broken.keras").touch()
    with pytest.raises(InputError, match="no such layer in this file"):
        features.load(tmp_path / "broken.keras")


def test_inception_is_asked_for_by_name(monkeypatch, block_extractor):
    monkeypatch.setattr(inception, "load_inception", lambda: block_extractor)
    assert features.load("inception_v3") is block_extractor
