"""Feature extractors by name and by file."""

import dataclasses
import json
import os
import pathlib

import keras

from dcgan.errors import InputError
from dcgan.features import inception, random_extractor
from dcgan.features.feature_extractor import FeatureExtractor
from dcgan.features.keras_extractor import KerasExtractor, extractor_from_model
from dcgan.system import files

_SHIPPED = pathlib.Path(__file__).with_name("weights")


def load(name: str | os.PathLike[str]) -> FeatureExtractor:
    """Loads a feature extractor.

    Args:
        name: One of

            - "mnist": the classifier of digits that comes with the package;
            - "inception_v3": Inception v3 of Keras, trained on ImageNet, whose weights are downloaded
              once; published scores used other weights and do not compare;
            - "random": a network of random weights, for data that no other extractor fits;
            - the path of a ".keras" file: an extractor that `save` wrote, or any functional or
              sequential model that takes float32 images in [-1, 1]. If it ends in a softmax, the
              features are the input of its last dense layer, otherwise its output.

    Returns:
        The extractor.

    Raises:
        InputError: If there is no such extractor, or it cannot be read or downloaded.

    Example:
        >>> extractor = dcgan.features.load("mnist")
        >>> extractor.embed(images).features.shape
        (1000, 64)
    """
    built_in = {"inception_v3": inception.load_inception, "random": random_extractor.load_random}
    shipped = _SHIPPED / f"{name}.keras"
    if shipped.is_file():
        return load_file(shipped)
    if name in built_in:
        return built_in[str(name)]()
    path = pathlib.Path(name)
    if path.suffix != ".keras" or not path.is_file():
        shipped_names = sorted(file.stem for file in _SHIPPED.glob("*.keras"))
        names = ", ".join([*shipped_names, "learned (for a run)", *built_in])
        raise InputError(f"features {name}: expected {names} or the path of a .keras file")
    return load_file(path)


def save(extractor: FeatureExtractor, path: str | os.PathLike[str]) -> pathlib.Path:
    """Writes a feature extractor that is a Keras model, with a JSON file about it beside.

    Args:
        extractor: The extractor.
        path: The ".keras" file to write.

    Returns:
        `path`, as a `pathlib.Path`.

    Raises:
        ValueError: If the extractor is not a Keras model, or the path does not end in ".keras".

    Example:
        >>> dcgan.features.save(dcgan.features.load("mnist"), "digits.keras")
        PosixPath('digits.keras')
    """
    path = pathlib.Path(path)
    if not isinstance(extractor.extract, KerasExtractor) or path.suffix != ".keras":
        raise ValueError(
            f"Expected a Keras model as extractor and a .keras file. Received: {extractor.name}, {path}"
        )
    with files.write_atomically(path) as temporary:
        extractor.extract.model.save(temporary)
    fields = (field.name for field in dataclasses.fields(extractor) if field.name != "extract")
    record = {name: getattr(extractor, name) for name in fields}
    files.write_text(path.with_suffix(".json"), json.dumps(record, indent=2) + "\n")
    return path


def load_file(path: pathlib.Path) -> FeatureExtractor:
    """Loads a feature extractor from a ".keras" file, see `load`.

    Args:
        path: The file.

    Raises:
        InputError: If it cannot be read or is no image model.
    """
    beside = path.with_suffix(".json")
    try:
        model = keras.models.load_model(path, compile=False)
        record = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        return extractor_from_model(
            model,
            name=str(record.get("name", path.stem)),
            trained_on=str(record.get("trained_on", "")),
            accuracy=record.get("accuracy"),
        )
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: expected an image model in Keras format: {reason}") from error
