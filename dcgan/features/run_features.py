"""The feature extractor of a run."""

import os

from dcgan.config import RunConfig
from dcgan.data.image_set import ImageSet
from dcgan.errors import InputError
from dcgan.features import learned, loading, random_extractor
from dcgan.features.feature_extractor import FeatureExtractor

_MNIST_NAMES = ("mnist", "tfds:mnist")
_MNIST_SHAPE = (28, 28, 1)


def for_data(data: str, *, image_size: int, channels: int) -> str:
    """Names the extractor that fits data: "mnist" for MNIST in its own shape, otherwise "learned".

    Args:
        data: A data set's name or path, as in a run's configuration.
        image_size: Pixels a side.
        channels: 1 for grey, 3 for RGB.

    Example:
        >>> dcgan.features.for_data("mnist", image_size=28, channels=1)
        'mnist'
        >>> dcgan.features.for_data("photos", image_size=64, channels=3)
        'learned'
    """
    mnist = data in _MNIST_NAMES and (image_size, image_size, channels) == _MNIST_SHAPE
    return "mnist" if mnist else learned.NAME


def for_run(
    config: RunConfig, images: ImageSet | None, *, cache_dir: str | os.PathLike[str] | None = None
) -> FeatureExtractor | None:
    """Loads the extractor of a run, or learns it from the run's images.

    Args:
        config: The run; its `features` is "auto" for the rule of `for_data`, "none", "learned", or what
            `load` takes.
        images: What to learn from: the images that the run trains on, without those held out. None
            where nothing will be measured: nothing is learned, and a random extractor takes its place.
        cache_dir: Directory to keep a learned extractor in. Defaults to None: it is not kept.

    Returns:
        The extractor; None if the run wants none.

    Raises:
        InputError: If there is no such extractor, or it takes images of another shape.

    Example:
        >>> config = dcgan.presets.override(dcgan.presets.get("mnist"), features="mnist")
        >>> dcgan.features.for_run(config, None).name
        'mnist'
    """
    size, channels = config.network.image_size, config.network.channels
    name = config.features
    if name == "auto":
        name = for_data(config.data, image_size=size, channels=channels)
    if name == "none":
        return None
    if name == learned.NAME:
        return (
            learned.load_learned(images, cache_dir=cache_dir)
            if images
            else random_extractor.load_random()
        )
    extractor = loading.load(name)
    if extractor.image_shape not in (None, (size, size, channels)):
        raise InputError(
            f"features {name}: expected one for images of shape {(size, size, channels)}; "
            f"it takes {extractor.image_shape}"
        )
    return extractor
