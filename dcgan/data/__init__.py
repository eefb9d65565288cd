"""Images in: a name, a folder, a file or an array becomes uint8 images and float batches.

Public names are imported when they are first used, so that processes that only decode images start at
once, without TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dcgan.data.batching.pipeline import batches
    from dcgan.data.cache.storage import Storage
    from dcgan.data.decoding.image_file import decode_file
    from dcgan.data.image_set import ImageSet
    from dcgan.data.indexed_images import IndexedImages
    from dcgan.data.load import load_dataset, load_images, load_split
    from dcgan.data.partition import Partition
    from dcgan.data.preprocessing import prepare, prepare_array, resize, to_channels

__all__ = [
    "ImageSet",
    "IndexedImages",
    "Partition",
    "Storage",
    "batches",
    "decode_file",
    "load_dataset",
    "load_images",
    "load_split",
    "prepare",
    "prepare_array",
    "resize",
    "to_channels",
]

_HOMES = {
    "cache.storage": ("Storage",),
    "decoding.image_file": ("decode_file",),
    "image_set": ("ImageSet",),
    "indexed_images": ("IndexedImages",),
    "load": ("load_dataset", "load_images", "load_split"),
    "partition": ("Partition",),
    "batching.pipeline": ("batches",),
    "preprocessing": ("prepare", "prepare_array", "resize", "to_channels"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"dcgan.data.{home}"), name)
    raise AttributeError(f"module 'dcgan.data' has no attribute {name!r}")
