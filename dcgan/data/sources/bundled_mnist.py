"""The bundled MNIST: 60,000 training and 10,000 test images of digits, 28 x 28 and grey.

Reference:
    Y. LeCun, C. Cortes and C. Burges: The MNIST database of handwritten digits (1998).
"""

import pathlib

from dcgan.data import image_set
from dcgan.data.sources import idx

NAME = "mnist"

_FOLDER = pathlib.Path(__file__).parent / "mnist"
_CLASS_NAMES = tuple("0123456789")
_MD5 = {
    "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}


def load(request: image_set.Request) -> image_set.ImageSet:
    """Loads the bundled MNIST, checked against the original files' MD5.

    Args:
        request: What to load.

    Returns:
        The images, labelled.

    Raises:
        InputError: If a bundled file is damaged or the split is not there.
    """
    return idx.load(_FOLDER, request, name=NAME, class_names=_CLASS_NAMES, checksums=_MD5)
