"""A bound on the pixels that threads decode at the same time."""

import contextlib
import threading
from collections.abc import Iterator


class PixelBudget:
    """Lets threads decode while all their images together have no more than so many pixels.

    Args:
        pixels: How many; an image that has more is decoded alone.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = self._free = pixels
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def hold(self, pixels: int) -> Iterator[None]:
        """Waits until an image fits, and counts it while the block runs.

        Args:
            pixels: How many it has.
        """
        pixels = min(pixels, self._pixels)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= pixels)
            self._free -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._free += pixels
                self._changed.notify_all()
