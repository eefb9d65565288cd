"""Which feature extractor a run gets."""

from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.features import feature_files
from dcgan.features.feature_extractor import RANDOM, FeatureExtractor

_MNIST_NAMES = ("mnist", "tfds:mnist")
_MNIST_SHAPE = (28, 28, 1)


def for_data(data: str, *, image_size: int, channels: int) -> str:
    """Names the extractor that fits data.

    Args:
        data: A data set's name or path, as in a run's configuration.
        image_size: Pixels a side.
        channels: 1 for grey, 3 for RGB.

    Returns:
        "mnist" for MNIST in its own shape, otherwise "random".
    """
    mnist = data in _MNIST_NAMES and (image_size, image_size, channels) == _MNIST_SHAPE
    return "mnist" if mnist else RANDOM


def for_run(config: RunConfig) -> FeatureExtractor | None:
    """Loads the extractor of a run.

    Args:
        config: The run; its `features` is "auto" for the rule of `for_data`, "none", or what `load`
            takes.

    Returns:
        The extractor; None if the run wants none.

    Raises:
        InputError: If there is no such extractor, or it takes images of another shape.
    """
    if config.features == "none":
        return None
    size, channels = config.network.image_size, config.network.channels
    if config.features == "auto":
        return feature_files.load(for_data(config.data, image_size=size, channels=channels))
    extractor = feature_files.load(config.features)
    if extractor.image_shape not in (None, (size, size, channels)):
        raise InputError(
            f"features {config.features}: expected one for images of shape {(size, size, channels)}; "
            f"it takes {extractor.image_shape}"
        )
    return extractor
