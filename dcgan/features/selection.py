"""Which judge a run gets."""

from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.features import feature_files
from dcgan.features.feature_extractor import RANDOM, Judge

_MNIST_NAMES = ("mnist", "tfds:mnist")
_MNIST_SHAPE = (28, 28, 1)


def for_data(data: str, *, image_size: int, channels: int) -> str:
    """Names the judge that fits data.

    Args:
        data: A data set's name or path, as in a run's configuration.
        image_size: Pixels a side.
        channels: 1 for grey, 3 for RGB.

    Returns:
        "mnist" for MNIST in its own shape, otherwise "random".
    """
    mnist = data in _MNIST_NAMES and (image_size, image_size, channels) == _MNIST_SHAPE
    return "mnist" if mnist else RANDOM


def for_run(config: RunConfig) -> Judge | None:
    """Loads the judge of a run.

    Args:
        config: The run; its `judge` is "auto" for the rule of `for_data`, "none", or what `load`
            takes.

    Returns:
        The judge; None if the run wants none.

    Raises:
        InputError: If there is no such judge, or it takes images of another shape.
    """
    if config.judge == "none":
        return None
    size, channels = config.network.image_size, config.network.channels
    if config.judge == "auto":
        return feature_files.load(for_data(config.data, image_size=size, channels=channels))
    judge = feature_files.load(config.judge)
    if judge.image_shape not in (None, (size, size, channels)):
        raise InputError(
            f"judge {config.judge}: expected one for images of shape {(size, size, channels)}; "
            f"it takes {judge.image_shape}"
        )
    return judge
