"""From what the signatures answer to the rows of `dcgan score`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from dcgan.scoring import Row

OUTPUTS = ("p_fake", "decision", "discriminator_logit", "error")


def to_rows(names: Sequence[str], outputs: Mapping[str, Sequence[Any]]) -> Iterator[Row]:
    """Yields a row an image.

    Args:
        names: One an image.
        outputs: Those of `predict_bytes` or `serving_default`, texts as str.
    """
    for name, p_fake, decision, logit, error in zip(
        names, *(outputs[output] for output in OUTPUTS), strict=True
    ):
        if error:
            yield Row(name, None, decision, None, error)
        else:
            yield Row(name, float(p_fake), decision, float(logit))


def score(model: Any, names: Sequence[str], contents: Sequence[bytes]) -> Iterator[Row]:
    """Scores encoded images by a SavedModel in this process.

    Args:
        model: What `tf.saved_model.load` returns.
        names: One an image.
        contents: PNG, JPEG, GIF, BMP or WebP files.

    Yields:
        Rows.
    """
    outputs = model.signatures["predict_bytes"](image_bytes=tf.constant(contents, tf.string))
    arrays = {name: outputs[name].numpy() for name in OUTPUTS}
    yield from to_rows(names, {k: v.astype(str) if v.dtype == object else v for k, v in arrays.items()})
