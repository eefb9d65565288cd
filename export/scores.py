"""From what the signatures answer to the rows of `dcgan score`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dcgan.detector.scoring import Row

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
