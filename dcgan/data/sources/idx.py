"""IDX files, the format of MNIST and of the data sets made after it.

Reference:
    The format is described at http://yann.lecun.com/exdb/mnist/.
"""

import gzip
import hashlib
import math
import pathlib
import zlib
from collections.abc import Mapping

import numpy as np

from dcgan import errors
from dcgan.data import image_set, preprocessing
from dcgan.data.sources import splits

_PREFIXES = {"train": ("train",), "test": ("t10k", "test")}
_DIMENSIONS = {"images": 3, "labels": 1}
_GZIP_MAGIC = b"\x1f\x8b"
_MALFORMED = (OSError, EOFError, zlib.error, MemoryError, OverflowError)


def is_folder(folder: pathlib.Path) -> bool:
    """Whether a folder holds images as IDX files."""
    return any(_find(folder, split=split, kind="images") for split in _PREFIXES)


def load(
    folder: pathlib.Path,
    request: image_set.Request,
    *,
    name: str,
    class_names: tuple[str, ...] | None = None,
    checksums: Mapping[str, str] | None = None,
) -> image_set.ImageSet:
    """Loads a folder of IDX files.

    Args:
        folder: Holds `train-images-idx3-ubyte`, `t10k-images-idx3-ubyte` and the labels of either;
            plain or with `.gz`, and with a dot before `idx` as well.
        request: What to load. Grey images are repeated for 3 channels.
        name: The source as given, for the result and for errors.
        class_names: The name of each label. Defaults to None, unknown.
        checksums: The MD5 of unpacked files by name. Defaults to None, unchecked.

    Returns:
        The images, labelled where every split asked for has labels.

    Raises:
        InputError: If a file is missing, corrupt or truncated, or the split is not there.
    """
    found = {split: _find(folder, split=split, kind="images") for split in _PREFIXES}
    paths = {split: path for split, path in found.items() if path}
    sizes = {split: _read_shape(path)[0] for split, path in paths.items()}
    parts = splits.of_declared(request.split, sizes, source=name)
    stacks = {part.name: read(paths[part.name], checksums=checksums) for part in parts}
    images = splits.join([stacks[part.name][part.start : part.stop] for part in parts])
    return image_set.ImageSet(
        name=name,
        split=request.split,
        images=preprocessing.prepare_array(
            images[..., np.newaxis], image_size=request.image_size, channels=request.channels
        ),
        labels=_read_labels(folder, parts, sizes=sizes, checksums=checksums),
        class_names=class_names,
        positions=splits.positions(parts, sizes),
    )


def read(path: pathlib.Path, *, checksums: Mapping[str, str] | None = None) -> np.ndarray:
    """Reads one IDX file of unsigned bytes.

    Args:
        path: The file, plain or gzip-compressed.
        checksums: The MD5 of unpacked files by name. Defaults to None, unchecked.

    Returns:
        The array, uint8, with the dimensions that the file states; read-only.

    Raises:
        InputError: If the file is not IDX, is shorter or longer than it states, or differs from
            its checksum.
    """
    shape = _read_shape(path)
    size, header = math.prod(shape), _header_bytes(path)
    content = _read_bytes(path, header + size + 1)
    if 0 in shape[1:]:
        raise errors.InputError(f"{path}: expected images of some pixels, received shape {shape}")
    if len(content) != header + size:
        kind = "truncated" if len(content) < header + size else "longer than it states"
        raise errors.InputError(f"{path}: expected {size} bytes of data, file is {kind}")
    expected = (checksums or {}).get(path.name)
    if expected and hashlib.md5(content, usedforsecurity=False).hexdigest() != expected:
        raise errors.InputError(f"{path}: expected unpacked content of MD5 {expected}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _find(folder: pathlib.Path, *, split: str, kind: str) -> pathlib.Path | None:
    for prefix in _PREFIXES[split]:
        for separator in "-.":
            for suffix in ("", ".gz"):
                name = f"{prefix}-{kind}{separator}idx{_DIMENSIONS[kind]}-ubyte{suffix}"
                if (folder / name).is_file():
                    return folder / name
    return None


def _read_labels(
    folder: pathlib.Path,
    parts: list[splits.Part],
    *,
    sizes: Mapping[str, int],
    checksums: Mapping[str, str] | None,
) -> np.ndarray | None:
    labels = []
    for part in parts:
        path = _find(folder, split=part.name, kind="labels")
        if path is None:
            return None
        column = read(path, checksums=checksums)
        if column.shape != (sizes[part.name],):
            raise errors.InputError(
                f"{path}: expected {sizes[part.name]} labels, one for each image, "
                f"received shape {column.shape}"
            )
        labels.append(column[part.start : part.stop])
    return splits.join(labels).astype(np.int64)


def _read_shape(path: pathlib.Path) -> tuple[int, ...]:
    size = _header_bytes(path)
    header, dimensions = _read_bytes(path, size), size // 4 - 1
    if header[:4] != bytes([0, 0, 8, dimensions]) or len(header) < size:
        raise errors.InputError(
            f"{path}: expected an IDX file of unsigned bytes in {dimensions} dimensions, "
            f"received one that starts with {header[:4].hex(' ') or 'nothing'}"
        )
    return tuple(int(length) for length in np.frombuffer(header[4:], ">u4"))


def _header_bytes(path: pathlib.Path) -> int:
    return 4 + 4 * _DIMENSIONS["images" if "-images" in path.name else "labels"]


def _read_bytes(path: pathlib.Path, count: int) -> bytes:
    """Reads the beginning of a file, unpacked if it is gzip-compressed."""
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            return (gzip.GzipFile(fileobj=raw) if compressed else raw).read(count)
    except _MALFORMED as error:
        raise errors.InputError(
            f"{path}: expected an IDX file, cannot be read: {errors.first_line(error)}"
        ) from error
