"""Loads images from any kind of source."""

import contextlib
import functools
import os
import pathlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from dcgan import errors
from dcgan.config import RunConfig
from dcgan.data import image_set, indexed_images
from dcgan.data.batching import pipeline
from dcgan.data.cache.storage import Storage
from dcgan.data.sources import arrays, bundled_mnist, idx, image_folder, tfds_source, tfrecord_source

GIVEN = "given:"
"""What the `data` of a run begins with that was given its images from Python."""

_Loader = Callable[[image_set.Request], image_set.ImageSet]

_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_FILE_SUFFIXES = (".tfrecord", ".tfrecords", ".npy", ".npz", ".gz", ".zip", ".tar", *_IMAGE_SUFFIXES)


def load_images(
    source: str | os.PathLike[str] | np.ndarray,
    *,
    split: str = "train",
    image_size: int | None = None,
    channels: int | None = None,
    skip_bad: bool = False,
    storage: Storage | None = None,
) -> image_set.ImageSet:
    """Loads images from a name, a folder, a file or an array.

    A string is read as the first of these that fits: "mnist", which is bundled (a folder of that name
    is "./mnist"); an existing path; the name of a data set of TensorFlow Datasets, with or without
    "tfds:" in front.

    Images are cropped to their central square and scaled to `image_size`. Files and named sets are
    converted between grey and colour, arrays are not.

    Args:
        source: A folder of image files, a folder of IDX files, a `.npy` or `.npz` file, a TFRecord file
            of `tf.Example` messages or a folder of such, a name, or an array of shape (count, height,
            width) or (count, height, width, 1 or 3), uint8 or float in [-1, 1], [0, 1] or [0, 255].
        split: "train", "test", "all" or another that the source has; with slices as in
            "train[:1000]" and "train[10%:20%]", joined by "+". A source without a test split holds
            out 10 % for it, as described in `dcgan.data.sources.splits`. Defaults to "train".
        image_size: Pixels a side. Defaults to None, the source's own.
        channels: 1 for grey or 3 for RGB. Defaults to None, the source's own.
        skip_bad: Leave out image files that cannot be read, and count them. Defaults to False.
        storage: How much memory the images may take, and where a cache of more is kept. Defaults to a
            quarter of the machine's memory and the user's cache directory.

    Returns:
        The images, uint8.

    Raises:
        InputError: If the source does not exist or cannot be used as requested.

    Example:
        >>> load_images("mnist", split="test").images.shape
        (10000, 28, 28, 1)
    """
    request = image_set.Request(split, image_size, channels, skip_bad, storage or Storage())
    (loaded,) = _load(source, [request])
    return loaded


def _load(
    source: str | os.PathLike[str] | np.ndarray, requests: Sequence[image_set.Request]
) -> list[image_set.ImageSet]:
    """Loads parts of a source, whose files are looked for once."""
    for request in requests:
        _check(request)
    loader = _find_loader(source)
    loaded = [loader(request) for request in requests]
    for images in loaded:
        _refuse_masks(images)
    return loaded


def _find_loader(source: str | os.PathLike[str] | np.ndarray) -> _Loader:
    if isinstance(source, np.ndarray):
        return functools.partial(arrays.load, source, name="array")
    if not isinstance(source, (str, os.PathLike)):
        raise errors.InputError(
            f"source: expected a name, a path or a NumPy array, received {type(source).__name__}"
        )
    name = os.fspath(source)
    if not name:
        raise errors.InputError("source: expected a name, a path or a NumPy array, received ''")
    if name.startswith(GIVEN):
        raise errors.InputError(
            f"{name}: expected the images that were given to dcgan.train, which the run does not keep: "
            "give them again from Python, images=..."
        )
    if source == bundled_mnist.NAME:
        return bundled_mnist.load
    with _naming_unreadable(name):
        path = pathlib.Path(name).expanduser()
        if path.exists():
            return _naming_unreadable(name)(_open(path, name=name))
    if isinstance(source, os.PathLike) or _looks_like_path(name):
        raise errors.InputError(f"{name}: no such file or folder")
    return functools.partial(tfds_source.load, name.removeprefix(tfds_source.PREFIX))


@contextlib.contextmanager
def _naming_unreadable(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise errors.InputError(f"{name}: expected readable files, {error}") from error


def _refuse_masks(loaded: image_set.ImageSet) -> None:
    """Refuses images whose levels are 0 and 1, all of which would be black."""
    varied = False
    for batch in indexed_images.in_batches(loaded.images):
        images = batch.reshape(len(batch), -1)
        if images.max(initial=0) > 1:
            return
        varied |= (images.min(axis=1) < images.max(axis=1)).any()
    if varied:
        raise errors.InputError(
            f"{loaded.name}: expected levels from 0 to 255, received only 0 and 1, both of them black; "
            "multiply them by 255"
        )


def load_split(config: RunConfig, split: str, storage: Storage | None = None) -> image_set.ImageSet:
    """Loads a split of a run's data in the shape that its networks take.

    Args:
        config: The run's config.
        split: As for `load_images`.
        storage: As for `load_images`.

    Raises:
        InputError: As for `load_images`.

    Example:
        >>> dcgan.data.load_split(dcgan.presets.get("article"), "test[:100]").images.shape
        (100, 28, 28, 1)
    """
    (loaded,) = load_splits(config, [split], storage)
    return loaded


def load_splits(
    config: RunConfig, splits: Sequence[str], storage: Storage | None = None
) -> list[image_set.ImageSet]:
    """Loads several splits as `load_split` does; the files of a folder are looked for only once.

    Args:
        config: The run's config.
        splits: As for `load_images`.
        storage: As for `load_images`.

    Raises:
        InputError: As for `load_images`.
    """
    network, storage = config.network, storage or Storage()
    size, channels = network.image_size, network.channels
    requests = [image_set.Request(split, size, channels, config.skip_bad, storage) for split in splits]
    return _load(config.data, requests)


def load_dataset(
    source: str | os.PathLike[str] | np.ndarray,
    *,
    batch_size: int = 256,
    split: str = "train",
    image_size: int | None = None,
    channels: int | None = None,
    seed: int = 0,
    shuffle: bool = True,
    skip_bad: bool = False,
    labels: bool = False,
    storage: Storage | None = None,
) -> tf.data.Dataset:
    """Loads images as batches, ready for `model.fit`.

    Args:
        source: As for `load_images`.
        batch_size: Images a batch. Defaults to 256.
        split: As for `load_images`. Defaults to "train".
        image_size: As for `load_images`. Defaults to None.
        channels: As for `load_images`. Defaults to None.
        seed: Seed of the order. Defaults to 0.
        shuffle: Use another order in every epoch and drop an incomplete last batch. Defaults to True.
        skip_bad: As for `load_images`. Defaults to False.
        labels: Give the images' labels beside them, for a conditional model. Defaults to False.
        storage: As for `load_images`.

    Returns:
        A dataset of float32 batches, shape (batch_size, height, width, channels), -1 to 1; with
        `labels` of pairs of those and int32, shape (batch_size,).

    Raises:
        InputError: As for `load_images`, or if a batch would need more images than there are, or they
            have no labels.

    Example:
        >>> dataset = dcgan.load_dataset("mnist", batch_size=64)
        >>> history = model.fit(dataset, epochs=50)
    """
    loaded = load_images(
        source,
        split=split,
        image_size=image_size,
        channels=channels,
        skip_bad=skip_bad,
        storage=storage,
    )
    if labels and loaded.labels is None:
        raise errors.InputError(f"labels: expected images with labels. Received: {loaded.name}")
    return pipeline.batches(
        loaded.images,
        batch_size,
        labels=loaded.labels if labels else None,
        seed=seed,
        shuffle=shuffle,
    )


def _check(request: image_set.Request) -> None:
    if request.image_size is not None and request.image_size < 1:
        raise errors.InputError(f"image_size: expected at least 1, received {request.image_size}")
    if request.channels not in (None, 1, 3):
        raise errors.InputError(f"channels: expected 1 or 3, received {request.channels}")


def _looks_like_path(name: str) -> bool:
    """Whether a string cannot be a name: TensorFlow Datasets' names have at most one slash."""
    return (
        name.startswith((".", "~", os.sep))
        or name.endswith(("/", os.sep))
        or name.count("/") > 1
        or name.lower().endswith(_FILE_SUFFIXES)
    )


def _open(path: pathlib.Path, *, name: str) -> _Loader:
    is_folder = path.is_dir()
    if is_folder and idx.is_folder(path):
        return functools.partial(idx.load, path, name=name)
    if not is_folder and path.suffix.lower() in arrays.SUFFIXES:
        return functools.partial(arrays.load_file, path, name=name)
    if tfrecord_source.find(path):
        return tfrecord_source.TFRecords(path, name=name).load
    if is_folder:
        return image_folder.ImageFolder(path, name=name).load
    raise errors.InputError(
        f"{name}: expected a folder of images, a folder of IDX files, a .npy or .npz file, or TFRecord "
        "files"
    )
