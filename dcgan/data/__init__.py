"""Images in: a name, a folder, a file or an array becomes uint8 in memory and float batches."""

from dcgan.data.decoding.image_file import decode_file
from dcgan.data.image_set import ImageSet
from dcgan.data.load import load_dataset, load_images, load_split
from dcgan.data.partition import Partition
from dcgan.data.pipeline import batches
from dcgan.data.preprocessing import prepare, prepare_array, resize, to_channels

__all__ = [
    "ImageSet",
    "Partition",
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
