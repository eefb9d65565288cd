"""Feature extractors by name or file."""

import dataclasses
import json
import os
import pathlib

from dcgan import files
from dcgan.errors import InputError
from dcgan.features.feature_extractor import RANDOM, FeatureExtractor

INCEPTION = "inception_v3"
_PACKAGED = pathlib.Path(__file__).with_name("weights")


def load(name: str | os.PathLike[str]) -> FeatureExtractor:
    """Loads a feature extractor.

    Args:
        name: One of

            - "mnist": the classifier of digits that comes with the package;
            - "inception_v3": ImageNet's Inception v3 of Keras, whose weights are downloaded once;
              its figures do not compare with published ones, which used other weights;
            - "random": a network of random weights, for data that no other extractor fits;
            - the path of a ".keras" file: a feature extractor that `save` wrote, or any functional or
              sequential model that takes float32 images in [-1, 1]. Of a classifier, a model
              that ends in a softmax, the input of the last dense layer is the features; of any
              other model, the output.

    Returns:
        The extractor.

    Raises:
        InputError: If there is no such extractor, or it cannot be read or downloaded.

    Example:
        >>> extractor = load("mnist")
        >>> extractor.embed(images).features.shape
        (10000, 64)
    """
    packaged = _PACKAGED / f"{name}.keras"
    if packaged.is_file():
        return _load_file(packaged)
    if name == INCEPTION:
        from dcgan.features import inception

        return inception.load_inception()
    if name == RANDOM:
        from dcgan.features import random_features

        return random_features.load_random()
    path = pathlib.Path(name)
    if path.suffix != ".keras" or not path.is_file():
        names = ", ".join([*sorted(file.stem for file in _PACKAGED.glob("*.keras")), INCEPTION, RANDOM])
        raise InputError(f"features {name}: expected {names} or the path of a .keras file")
    return _load_file(path)


def save(extractor: FeatureExtractor, path: str | os.PathLike[str]) -> pathlib.Path:
    """Writes a feature extractor that is a Keras model, and what it is in a JSON file beside it.

    Args:
        extractor: The extractor.
        path: The ".keras" file to write.

    Returns:
        `path`, as a `pathlib.Path`.

    Raises:
        ValueError: If the extractor is not a Keras model, or the path does not end in ".keras".
    """
    from dcgan.features import keras_features

    path = pathlib.Path(path)
    if not isinstance(extractor.extract, keras_features.KerasExtractor) or path.suffix != ".keras":
        raise ValueError(
            f"Expected a Keras model as extractor and a .keras file. Received: {extractor.name}, {path}"
        )
    with files.write_atomically(path) as temporary:
        extractor.extract.model.save(temporary)
    fields = (field.name for field in dataclasses.fields(extractor) if field.name != "extract")
    record = {name: getattr(extractor, name) for name in fields}
    files.write_text(path.with_suffix(".json"), json.dumps(record, indent=2) + "\n")
    return path


def _load_file(path: pathlib.Path) -> FeatureExtractor:
    import keras

    from dcgan.features import keras_features

    beside = path.with_suffix(".json")
    try:
        model = keras.models.load_model(path, compile=False)
        record = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        return keras_features.extractor_from_model(
            model,
            name=str(record.get("name", path.stem)),
            trained_on=str(record.get("trained_on", "")),
            accuracy=record.get("accuracy"),
        )
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: expected an image model in Keras format: {reason}") from error
