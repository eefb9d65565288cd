"""TensorFlow without its start-up chatter."""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator


def silence_tensorflow() -> None:
    """Imports TensorFlow without its log lines, and asks it to keep later ones to itself.

    Set `TF_CPP_MIN_LOG_LEVEL` to see them.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(keras|tensorflow|h5py)\b")
    with discard_stderr():
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def discard_stderr() -> Iterator[None]:
    """Discards what is written to file descriptor 2 while the block runs.

    What TensorFlow's C++ side logs as it is imported goes there whatever the log level is.
    """
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
