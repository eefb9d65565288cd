"""Seeds that Keras would draw by itself."""

import contextlib
import random
from collections.abc import Iterator


@contextlib.contextmanager
def default_seeds(seed: int) -> Iterator[None]:
    """Seeds the layers that are made while the block runs and have no seed of their own.

    Keras draws such seeds from Python's global generator, whose state is the caller's again afterwards;
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
