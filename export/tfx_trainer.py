"""The entry point for TFX's Trainer: `Trainer(run_fn="export.tfx_trainer.run_fn", ...)`.

Reference:
    [Trainer](https://www.tensorflow.org/tfx/guide/trainer)
"""

import dataclasses
import logging
import math
import pathlib
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from dcgan import data, detector, presets, training
from dcgan.config import NetworkConfig, RunConfig, TrainingConfig
from dcgan.data import partition
from dcgan.data.decoding import image_file
from dcgan.detector.fakes import fake_collection
from dcgan.errors import InputError
from dcgan.model import DCGAN
from dcgan.runs.run_directory import RunDirectory
from export import exporting, sources, tf_examples

_DATA = "tfx"
_DEFAULTS: dict[str, Any] = {
    "preset": "mnist",
    "network": {},
    "training": {},
    "skip_bad": False,
    "seed": 0,
    "detector": True,
}


class FnArgs(Protocol):
    """The part of TFX's `FnArgs` that is used."""

    train_files: Sequence[str]
    eval_files: Sequence[str]
    train_steps: int | None
    model_run_dir: str
    serving_model_dir: str
    custom_config: dict[str, Any] | None


def run_fn(fn_args: FnArgs) -> None:
    """Trains a DCGAN and its detector on examples, and writes the detector as a SavedModel.

    The examples are `tf.Example`s whose feature `image_bytes` is an image file in any format that
    `dcgan.data` reads. The detector is calibrated on those in `eval_files`. The run, with samples,
    tables and TensorBoard's logs, goes to `model_run_dir`; paths are local.

    Args:
        fn_args: `train_steps` is how many batches to train on, rounded up to whole epochs, or None for
            the preset's epochs. `custom_config` may hold `preset` ("mnist"), `network` and `training`
            (values that differ from the preset's), `skip_bad` (False; whether to leave out images that
            cannot be decoded), `seed` (0) and `detector` (True; False exports the discriminator,
            uncalibrated, and reads no `eval_files`).

    Raises:
        InputError: If `custom_config` holds an unknown name or a value out of range, there are too few
            images, an image cannot be decoded, a file is among both `train_files` and `eval_files`, or
            training ends early.

    Example:
        >>> Trainer(
        ...     run_fn="export.tfx_trainer.run_fn",
        ...     examples=example_gen.outputs["examples"],
        ...     train_args=trainer_pb2.TrainArgs(num_steps=7500),
        ...     eval_args=trainer_pb2.EvalArgs(),
        ...     custom_config={"preset": "mnist"},
        ... )
    """
    custom = _read_custom_config(fn_args.custom_config or {})
    config = presets.override(
        presets.get(custom["preset"]),
        network=custom["network"],
        training=custom["training"],
        data=_DATA,
        skip_bad=custom["skip_bad"],
        seed=custom["seed"],
    )
    train_paths, eval_paths = _find_files(fn_args.train_files), []
    if custom["detector"]:
        eval_paths = _find_files(fn_args.eval_files)
    if shared := sorted({*train_paths} & {*eval_paths}):
        raise InputError(
            f"{shared[0]}: expected eval_files other than train_files, as the detector is calibrated on "
            "images that it has not learned from"
        )
    images = _read_images(train_paths, config)
    config = _with_epochs(config, fn_args.train_steps, images=len(images))
    run = RunDirectory(fn_args.model_run_dir)
    result = training.train(config, run.path, images=data.ImageSet(_DATA, "train", images))
    if result.stopped:
        raise InputError(f"{run.path}: expected a training that ends well. {result.stopped}")
    model = result.model
    if custom["detector"]:
        unseen = _read_images(eval_paths, config)
        _warn_of_equal(images, unseen)
        fitted = _fit_detector(run, model, images, unseen, config=config)
        detector.save(fitted, run.detector)
    content = exporting.prepare_scoring_model(run, name=sources.DETECTOR)
    exporting.write(content, pathlib.Path(fn_args.serving_model_dir))


def _read_custom_config(given: dict[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - set(_DEFAULTS))
    if unknown:
        raise InputError(
            f"custom_config: expected some of {', '.join(_DEFAULTS)}. Received: {', '.join(unknown)}"
        )
    custom = _DEFAULTS | given
    for part, kind in (("network", NetworkConfig), ("training", TrainingConfig)):
        names = {field.name for field in dataclasses.fields(kind)}
        unknown = sorted(set(custom[part]) - names)
        if unknown:
            raise InputError(f"custom_config: expected no {part} value {', '.join(unknown)}")
    return custom


def _with_epochs(config: RunConfig, steps: int | None, *, images: int) -> RunConfig:
    if steps is None:
        return config
    steps_an_epoch = max(1, images // config.training.batch_size)
    return presets.override(config, training={"epochs": math.ceil(steps / steps_an_epoch)})


def _find_files(patterns: Sequence[str]) -> list[str]:
    paths = sorted(path for pattern in patterns for path in tf.io.gfile.glob(pattern))
    if not paths:
        raise InputError(f"{', '.join(patterns)}: expected files with examples")
    return paths


def _warn_of_equal(images: np.ndarray, unseen: np.ndarray) -> None:
    sets = [data.ImageSet(_DATA, name, part) for name, part in (("eval", unseen), ("train", images))]
    if equal := partition.find_equal(*sets):
        note = partition.describe_equal(equal, len(unseen))
        logging.getLogger("dcgan").warning("eval_files: %s", note)


def _read_images(paths: Sequence[str], config: RunConfig) -> np.ndarray:
    """Decodes the examples in files, shape (count, height, width, channels), uint8."""
    network = config.network
    parts = [np.empty((0, network.image_size, network.image_size, network.channels), np.uint8)]
    errors = []
    for path in paths:
        # ExampleGen writes compressed files, and their names say so.
        for record in tf_examples.records(path, packed=path.endswith(".gz")):
            outcome = _decode(record, network)
            if isinstance(outcome, str):
                errors.append(f"{path}: {outcome}")
            else:
                parts.append(outcome)
    if errors and not config.skip_bad:
        raise InputError(f"{errors[0]} (and {len(errors) - 1} more; skip_bad leaves them out)")
    if len(parts) == 1:
        raise InputError(f"{', '.join(paths)}: expected examples with images, found none")
    return np.concatenate(parts)


def _decode(example: bytes, network: NetworkConfig) -> np.ndarray | str:
    """Returns an example's image, shape (1, height, width, channels), or why there is none."""
    content = tf_examples.read(example)
    if content is None:
        return tf_examples.INVALID
    try:
        pixels = image_file.decode(content, np.asarray)[np.newaxis]
    except image_file.UnreadableError as error:
        return error.reason
    return data.prepare_array(pixels, image_size=network.image_size, channels=network.channels)


def _fit_detector(
    run: RunDirectory, model: DCGAN, images: np.ndarray, unseen: np.ndarray, *, config: RunConfig
) -> detector.Detector:
    """Fits a detector, calibrated on all unseen images; TFX's Evaluator measures it."""
    detector_config = detector.DetectorConfig.for_run(config, images=len(images), seed=config.seed)
    detector_config = detector_config.certify(len(unseen), None)
    reals = detector.Reals(train=images, calibration=unseen, test=unseen[:0])
    inputs = detector.RunInputs(config, model, reals, run.replay)
    pool = fake_collection.collect_fakes(inputs, detector_config)
    return detector.fit(model.discriminator, pool, reals, config=detector_config).detector
