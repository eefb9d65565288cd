"""What a user should know of how images were understood: a line each, once a process."""

import functools
import logging

from dcgan.system import texts

# Side of the largest preset's images.
_LARGEST = 128


@functools.cache
def say(text: str) -> None:
    """Logs a line, unless it was logged before.

    Args:
        text: What begins with the source's name.
    """
    logging.getLogger("dcgan").warning("%s", texts.printable(text))


def say_conversion(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Says that colour or detail is lost, if it is.

    Args:
        name: The source.
        shape: Height, width and channels of the largest of its images; 1 channel for grey.
        wanted: The same of what they become.
    """
    lost = [
        text
        for text, is_lost in (
            ("colour", shape[2] > wanted[2] == 1),
            ("detail", min(shape[:2]) > 2 * wanted[0]),
        )
        if is_lost
    ]
    if lost:
        kind = "grey" if wanted[2] == 1 else "in colour"
        hint = "; the presets rgb32, rgb64 and rgb128 keep more" if wanted[0] < _LARGEST else ""
        say(
            f"{name}: images of up to {shape[1]} x {shape[0]} pixels become {wanted[1]} x {wanted[0]}, "
            f"{kind}, and lose {' and '.join(lost)}{hint}"
        )
