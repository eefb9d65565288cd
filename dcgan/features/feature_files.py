"""Judges by name or file."""

import dataclasses
import json
import os
import pathlib

from dcgan import files
from dcgan.errors import InputError
from dcgan.features.feature_extractor import RANDOM, Judge

INCEPTION = "inception_v3"
_PACKAGED = pathlib.Path(__file__).with_name("weights")


def load(name: str | os.PathLike[str]) -> Judge:
    """Loads a judge.

    Args:
        name: One of

            - "mnist": the classifier of digits that comes with the package;
            - "inception_v3": ImageNet's Inception v3 of Keras, whose weights are downloaded once;
              its figures do not compare with published ones, which used other weights;
            - "random": a network of random weights, for data that no other judge fits;
            - the path of a ".keras" file: a judge that `save` wrote, or any functional or
              sequential model that takes float32 images in [-1, 1]. Of a classifier, a model
              that ends in a softmax, the input of the last dense layer is the features; of any
              other model, the output.

    Returns:
        The judge.

    Raises:
        InputError: If there is no such judge, or it cannot be read or downloaded.

    Example:
        >>> judge = load("mnist")
        >>> judge.embed(images).features.shape
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
        raise InputError(f"judge {name}: expected {names} or the path of a .keras file")
    return _load_file(path)


def save(judge: Judge, path: str | os.PathLike[str]) -> pathlib.Path:
    """Writes a judge that is a Keras model, and what it is in a JSON file beside it.

    Args:
        judge: The judge.
        path: The ".keras" file to write.

    Returns:
        `path`, as a `pathlib.Path`.

    Raises:
        ValueError: If the judge is not a Keras model, or the path does not end in ".keras".
    """
    from dcgan.features import keras_features

    path = pathlib.Path(path)
    if not isinstance(judge.extract, keras_features.KerasExtractor) or path.suffix != ".keras":
        raise ValueError(
            f"Expected a Keras model as judge and a .keras file. Received: {judge.name}, {path}"
        )
    with files.write_atomically(path) as temporary:
        judge.extract.model.save(temporary)
    fields = (field.name for field in dataclasses.fields(judge) if field.name != "extract")
    record = {name: getattr(judge, name) for name in fields}
    files.write_text(path.with_suffix(".json"), json.dumps(record, indent=2) + "\n")
    return path


def _load_file(path: pathlib.Path) -> Judge:
    import keras

    from dcgan.features import keras_features

    beside = path.with_suffix(".json")
    try:
        model = keras.models.load_model(path, compile=False)
        record = json.loads(beside.read_text(encoding="utf-8")) if beside.is_file() else {}
        return keras_features.judge_from_model(
            model,
            name=str(record.get("name", path.stem)),
            learned_from=str(record.get("learned_from", "")),
            accuracy=record.get("accuracy"),
        )
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: expected an image model in Keras format: {reason}") from error
