"""Seeds for layers that are not given one."""

import contextlib
import random
from collections.abc import Iterator


@contextlib.contextmanager
def default_seeds(seed: int) -> Iterator[None]:
    """Seeds the layers that are made in the block without a seed of their own.

    Keras draws their seeds from Python's global generator. Its state is restored at the end, where
    `keras.utils.set_random_seed` would leave all of the caller's generators changed.

    Args:
        seed: Seed of the draws.
    """
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)
