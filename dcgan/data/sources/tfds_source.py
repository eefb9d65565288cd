"""Data sets of TensorFlow Datasets, by name.

A data set that is prepared on this machine needs no network. TensorFlow Datasets downloads and prepares
others into `TFDS_DATA_DIR` or its usual folder, and shows its own progress.
"""

import contextlib
import difflib
import functools
import logging
import os
import pathlib
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from dcgan import errors
from dcgan.data import image_set, preprocessing, remarks
from dcgan.data.cache import image_cache, writing
from dcgan.data.cache.origin import Origin, Stamp, stamp
from dcgan.data.sources import bundled_mnist, splits
from dcgan.system import files

PREFIX = "tfds:"

_NAME = re.compile(r"[\w:/.,=*-]+")
_BOILERPLATE = re.compile(r"^Failed to construct dataset .*?\}\": | Here are \d+ BuilderConfigs.*")
_BATCH = 256
# How alike names have to be for one to be meant by the other.
_NEAR = 0.8
_TIMEOUT = 5.0  # Seconds.
_HOSTS = 3
_GATEWAY_ERRORS = (502, 503, 504)


def load(name: str, request: image_set.Request) -> image_set.ImageSet:
    """Loads a data set of TensorFlow Datasets.

    Args:
        name: The data set's name, optionally with configuration and version, such as `celeb_a` or
            `my_set/config:1.0.0`; those whose builder class is defined in this process count.
        request: What to load. Images are converted to the channels asked for.

    Returns:
        The images of the feature `image`, or of the only image feature; labelled if there is a
        feature `label` of classes.

    Raises:
        InputError: If there is no such data set, configuration, version or split, it has no or several
            image features, it cannot be downloaded or read, or its images have several sizes and no
            size is asked for.
    """
    source = PREFIX + name
    with _quiet():
        builder = _builder(name, source=source)
        _make_ready(builder, source=source)
        loaded = _read(builder, request, source=source)
    wanted = loaded.images.shape[1:]
    shape = builder.info.features[_image_feature(builder.info.features, source=source)].shape
    remarks.say_conversion(
        source, tuple(own or new for own, new in zip(shape, wanted, strict=True)), wanted
    )
    return loaded


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides log messages, as what matters in them is raised as well."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _builder(name: str, *, source: str) -> Any:
    import tensorflow_datasets as tfds

    if not _NAME.fullmatch(name):
        raise _unknown(name)
    try:
        return tfds.builder(name, data_dir=os.environ.get("TFDS_DATA_DIR"))
    except tfds.core.DatasetNotFoundError as error:
        raise _unknown(name) from error
    except Exception as error:  # Builders check their arguments in many ways.
        reason = _BOILERPLATE.sub("", errors.first_line(error))
        raise errors.InputError(
            f"{source}: expected a set that TensorFlow Datasets can build: {reason}"
        ) from error


def _unknown(name: str) -> errors.InputError:
    import tensorflow_datasets as tfds

    known = {*tfds.list_builders(with_community_datasets=False), bundled_mnist.NAME}
    near = difflib.get_close_matches(re.split("[/:]", name)[0], sorted(known), cutoff=_NEAR)
    hint = f"; near it: {', '.join(near)}" if near else ""
    return errors.InputError(
        f"{name or repr(name)}: expected an existing path or the name of a set of images{hint}"
    )


def _make_ready(builder: Any, *, source: str) -> None:
    if builder.is_prepared():
        return
    _require_network(builder.url_infos or (), source=source)
    try:
        builder.download_and_prepare()
    except Exception as error:  # Downloads and builders fail in as many ways as there are sets.
        raise errors.InputError(
            f"{source}: expected a set that TensorFlow Datasets can download and prepare: "
            f"{errors.first_line(error)}"
        ) from error


def _require_network(urls: Iterable[str], *, source: str) -> None:
    """Makes sure that some host of the URLs answers.

    Without a network TensorFlow Datasets repeats each request ten times, for more than three minutes,
    and has no setting to bound that.
    """
    parts = [urllib.parse.urlsplit(url) for url in urls]
    hosts = {part.netloc: part.scheme for part in parts if part.scheme in ("http", "https", "ftp")}
    asked = list(hosts)[:_HOSTS]
    if asked and not any(_answers(f"{hosts[host]}://{host}/") for host in asked):
        raise errors.InputError(
            f"{source}: expected a network connection to download it, as it is not prepared on this "
            f"machine; no answer from {', '.join(asked)}"
        )


def _answers(url: str) -> bool:
    request = urllib.request.Request(url, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=_TIMEOUT).close()
    except urllib.error.HTTPError as error:
        return error.code not in _GATEWAY_ERRORS
    except OSError as error:
        return isinstance(getattr(error, "reason", error), ssl.SSLError)
    return True


def _read(builder: Any, request: image_set.Request, *, source: str) -> image_set.ImageSet:
    import tensorflow_datasets as tfds

    features = builder.info.features
    features = dict(features.items()) if isinstance(features, tfds.features.FeaturesDict) else {}
    image = _image_feature(features, source=source)
    has_labels = isinstance(features.get("label"), tfds.features.ClassLabel)
    shape = _shape(features[image], request, source=source)
    sizes = {name: info.num_examples for name, info in builder.info.splits.items()}
    parts = _parts(builder, request.split, sizes, source=source)
    positions = splits.positions(parts, sizes)
    read = functools.partial(
        _batches, builder, image, has_labels=has_labels, size=request.image_size, channels=shape[-1]
    )

    def fill(target: image_cache.Target, start: int) -> Iterator[image_cache.Chunk]:
        everything = [splits.Part(name, 0, size) for name, size in sizes.items()]
        return writing.write_batches(read(_from(everything, start)), target, start)

    identity, stamps = f"{builder.data_dir}/{image}", _stamps(builder)
    origin = Origin(source, identity, stamps, sum(sizes.values()), shape)
    try:
        cached = image_cache.load(origin, fill, wanted=len(positions), storage=request.storage)
        images, labels = (
            _collect(read(parts), len(positions), shape)
            if cached is None
            else (cached.images.take(positions), cached.labels)
        )
    except (tf.errors.OpError, OSError) as error:
        if isinstance(error, OSError) and files.is_full(error):
            raise
        raise errors.InputError(
            f"{source}: expected readable files in {builder.data_dir}: {errors.first_line(error)}"
        ) from error
    if cached is not None and labels is not None:
        labels = labels[positions]
    return image_set.ImageSet(
        name=source,
        split=request.split,
        images=images,
        labels=labels,
        class_names=tuple(features["label"].names) if has_labels else None,
        positions=positions,
    )


def _collect(
    batches: Iterable[tuple[np.ndarray, np.ndarray | None]], count: int, shape: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray | None]:
    images, labels = np.empty((count, *shape), np.uint8), np.empty(count, np.int64)
    start, has_labels = 0, False
    for batch, numbers in batches:
        stop = start + len(batch)
        images[start:stop] = batch
        if numbers is not None:
            labels[start:stop], has_labels = numbers, True
        start = stop
    return images, labels if has_labels else None


def _from(parts: Sequence[splits.Part], start: int) -> list[splits.Part]:
    """Leaves out the first images of some parts in a row."""
    left = []
    for part in parts:
        skipped = min(part.count, start)
        start -= skipped
        if skipped < part.count:
            left.append(splits.Part(part.name, part.start + skipped, part.stop))
    return left


def _stamps(builder: Any) -> tuple[Stamp, ...]:
    folder = pathlib.Path(builder.data_dir)
    return tuple(stamp(path, path.name) for path in sorted(folder.iterdir())) if folder.is_dir() else ()


def _batches(
    builder: Any,
    image: str,
    parts: Sequence[splits.Part],
    *,
    has_labels: bool,
    size: int | None,
    channels: int,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Yields the images of some parts in their order, prepared, with labels if there are any."""
    import tensorflow_datasets as tfds

    wanted = tfds.decode.PartialDecoding({image: True} | ({"label": True} if has_labels else {}))
    # In the order of the files, which is the same from wherever reading starts.
    config = tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1)
    for part in parts:
        split = tfds.core.ReadInstruction(part.name, part.start, part.stop, unit="abs")
        examples = builder.as_dataset(split=split, decoders=wanted, read_config=config)
        for batch in _prepared(examples, image, size=size, channels=channels):
            yield batch[image], batch["label"] if has_labels else None


def _image_feature(features: Any, *, source: str) -> str:
    import tensorflow_datasets as tfds

    found = [key for key, feature in features.items() if isinstance(feature, tfds.features.Image)]
    if "image" in found:
        return "image"
    if len(found) != 1:
        raise errors.InputError(
            f"{source}: expected a feature 'image' or exactly one image feature, received "
            f"{', '.join(found) or 'none'} among {', '.join(features) or 'none'}"
        )
    return found[0]


def _shape(feature: Any, request: image_set.Request, *, source: str) -> tuple[int, int, int]:
    height, width, channels = feature.shape
    if request.image_size:
        height = width = request.image_size
    if height is None or width is None:
        raise errors.InputError(f"{source}: expected image_size, as its images have several sizes")
    if feature.np_dtype not in (np.uint8, np.uint16):
        raise errors.InputError(
            f"{source}: expected uint8 or uint16 images, received {np.dtype(feature.np_dtype)}"
        )
    return height, width, request.channels or (1 if channels == 1 else 3)


def _parts(builder: Any, split: str, sizes: Mapping[str, int], *, source: str) -> list[splits.Part]:
    """Finds the images of a split, which may be given in shards."""
    if "shard" not in split:
        return splits.of_declared(split, sizes, source=source)
    import tensorflow_datasets as tfds

    asked = f"split {split!r} of {source}"
    try:
        found = tfds.core.ReadInstruction.from_spec(split).to_absolute(builder.info.splits)
    except (ValueError, KeyError) as error:
        raise errors.InputError(f"{asked}: {errors.first_line(error)}") from error
    parts = [
        splits.Part(
            part.splitname, part.from_ or 0, sizes[part.splitname] if part.to is None else part.to
        )
        for part in found
    ]
    if not any(part.count > 0 for part in parts):
        raise errors.InputError(f"{asked}: expected at least one image, found none")
    return splits.once([part for part in parts if part.count > 0])


def _prepared(
    examples: tf.data.Dataset, image: str, *, size: int | None, channels: int
) -> Iterator[dict[str, np.ndarray]]:
    def prepared(example: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        pixels = example[image]
        if pixels.dtype == tf.uint16:
            pixels = tf.cast(pixels // 256, tf.uint8)
        pixels = preprocessing.prepare(pixels, image_size=size, channels=channels)
        return example | {image: pixels}

    batches = examples.map(prepared, num_parallel_calls=tf.data.AUTOTUNE).batch(_BATCH)
    return batches.prefetch(1).as_numpy_iterator()
