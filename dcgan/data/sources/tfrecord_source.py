"""TFRecord files of `tf.Example`s, each with an encoded image and perhaps a label.

The image is a file's content, in the bytes feature `image_bytes`, as the exported model takes it; the
label is an integer, in the feature `label`. Where every file's name holds the name of a split, as in
`faces-train.tfrecord-00000-of-00004`, those are the source's splits.
"""

import os
import pathlib
import re
import struct
from collections.abc import Iterator

import numpy as np

from dcgan import errors
from dcgan.data import image_set
from dcgan.data.decoding.encoded_item import EncodedItem
from dcgan.data.folders import folder_walk
from dcgan.data.sources import encoded_images, splits

_NAME = re.compile(r".+\.tfrecords?(-\d+-of-\d+)?")
_SPLIT = re.compile(r"(?:^|[-_.])(train|test|validation|val)(?=[-_.])")
_GZIP_MAGIC = b"\x1f\x8b"
# A record's length comes first, with a checksum, and another checksum after the record.
_HEADER, _TRAILER = 12, 4


def find(path: pathlib.Path) -> list[pathlib.Path]:
    """Returns the TFRecord files that a path stands for.

    Args:
        path: Such a file, or a folder of them.

    Returns:
        The files in the order of their names; none if it is something else.
    """
    folder, names = (path, folder_walk.list_names(path)) if path.is_dir() else (path.parent, [path.name])
    found = [folder / name for name in names if _NAME.fullmatch(name)]
    return [file for file in found if file.is_file()]


class TFRecords:
    """The records of TFRecord files, found once for all of their splits.

    Args:
        path: A file, or a folder of files.
        name: The source as given, for the result and for errors.

    Raises:
        InputError: If there is no record, or a file is damaged or compressed.
    """

    def __init__(self, path: pathlib.Path, *, name: str) -> None:
        self._name = name
        declared = _splits({file: list(_index(file)) for file in find(path)})
        self._sizes = {split: len(found) for split, found in declared.items()}
        items = [item for each in declared.values() for item in each]
        if not items:
            raise errors.InputError(f"{name}: expected TFRecord files with images, found no record")
        self._encoded = encoded_images.EncodedImages(items, name=name, identity=str(path.absolute()))

    def load(self, request: image_set.Request) -> image_set.ImageSet:
        """Loads a split.

        Args:
            request: What to load. Without an image size the images must share one.

        Returns:
            The images in the files' order (for `train` and `test` of files without splits of their own:
            in a fixed shuffled order), labelled if each has a label.

        Raises:
            InputError: If some images cannot be read, or the split is not there.
        """
        positions = splits.choose(request.split, self._sizes, source=self._name)
        decoded = self._encoded.load(positions, request)
        return image_set.ImageSet(
            name=self._name,
            split=request.split,
            images=decoded.images,
            labels=decoded.labels,
            skipped=int(np.count_nonzero(~decoded.good)),
            positions=positions[decoded.good],
            jpeg_qualities=decoded.qualities,
        )


def _splits(items: dict[pathlib.Path, list[EncodedItem]]) -> dict[str, list[EncodedItem]]:
    """Returns the records by split; under "" if not every file's name holds one."""
    names = {file: match[1] if (match := _SPLIT.search(file.name)) else "" for file in items}
    if "" in names.values():
        names = dict.fromkeys(items, "")
    declared: dict[str, list[EncodedItem]] = {}
    for file, found in items.items():
        declared.setdefault(names[file], []).extend(found)
    return declared


def _index(path: pathlib.Path) -> Iterator[EncodedItem]:
    """Yields a file's records without reading what is in them."""
    size, at, number = path.stat().st_size, 0, 0
    with path.open("rb") as file:
        if file.read(2) == _GZIP_MAGIC:
            raise errors.InputError(f"{path}: expected a TFRecord file that is not compressed")
        while at < size:
            header = os.pread(file.fileno(), _HEADER, at)
            length = struct.unpack("<Q", header[:8])[0] if len(header) == _HEADER else size
            if at + _HEADER + length + _TRAILER > size:
                raise errors.InputError(
                    f"{path}: expected a TFRecord file, found something else or a damaged one after "
                    f"{number:,} records"
                )
            yield EncodedItem(
                str(path), f"{path.name}, record {number}", start=at + _HEADER, length=length
            )
            at, number = at + _HEADER + length + _TRAILER, number + 1
