"""ImageNet's Inception v3 as a feature extractor."""

import hashlib
import pathlib
import shutil
import urllib.request

import keras
import numpy as np

from dcgan.errors import InputError
from dcgan.features.feature_extractor import FeatureExtractor
from dcgan.features.keras_extractor import KerasExtractor
from dcgan.metrics.embedding import Embedding
from dcgan.system import environment, files

_SIZE = 299
_BATCH = 50
_PATIENCE = 15.0
_WEIGHTS = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
# Keras's own checksum of that file.
_MD5 = "9a0d58056eeedaa3f26cb7ebd46da564"
_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/{_WEIGHTS}"


def load_inception() -> FeatureExtractor:
    """Loads Inception v3, whose weights are downloaded once and kept in Keras's cache.

    Images of any size are scaled to 299 pixels, grey ones become RGB. Features are the 2048 of the last
    pooling layer. The weights are those of `keras.applications`, not those of published FIDs, so compare
    scores only with each other.

    Returns:
        The extractor.

    Raises:
        InputError: If the weights cannot be fetched; a server that stays silent is given up after
            15 seconds.

    Reference:
        Szegedy et al. (2016), Rethinking the Inception Architecture for Computer Vision.
    """
    try:
        model = keras.applications.InceptionV3(weights=_fetch())
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"features inception_v3: expected to fetch its weights from the network: {reason}"
        ) from error
    extract = KerasExtractor(model)
    return FeatureExtractor(
        name="inception_v3",
        extract=lambda images: _embed(extract, images),
        trained_on="imagenet:train",
        digest=extract.digest(),
    )


def _embed(extract: KerasExtractor, images: np.ndarray) -> Embedding:
    """Embeds uint8 images of any size, of 1 or 3 channels, a few at a time."""
    parts = range(0, len(images), _BATCH)
    return Embedding.concatenate([extract(_prepare(images[start : start + _BATCH])) for start in parts])


def _prepare(images: np.ndarray) -> np.ndarray:
    """Returns uint8 images of 299 pixels and 3 channels."""
    resized = keras.ops.image.resize(images.astype(np.float32), (_SIZE, _SIZE))
    levels = np.rint(keras.ops.convert_to_numpy(resized)).astype(np.uint8)
    return np.repeat(levels, 3, axis=-1) if levels.shape[-1] == 1 else levels


def _fetch() -> pathlib.Path:
    """Downloads the weights to where Keras keeps them; its own download offers no time limit."""
    path = environment.keras_home() / "models" / _WEIGHTS
    if not path.is_file():
        with (
            urllib.request.urlopen(_URL, timeout=_PATIENCE) as response,
            files.write_atomically(path) as temporary,
            temporary.open("w+b") as file,
        ):
            shutil.copyfileobj(response, file)
            file.seek(0)
            if hashlib.file_digest(file, "md5").hexdigest() != _MD5:
                raise ValueError(f"{_URL} is damaged or has changed")
    return path
