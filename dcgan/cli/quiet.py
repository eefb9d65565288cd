"""TensorFlow without its start-up chatter."""

import logging
import os
import sys
import warnings


def silence_tensorflow() -> None:
    """Keeps the log lines of TensorFlow's C++ side from the user; call it before the first import.

    They go to file descriptor 2 whatever the log level is, so that descriptor is given away and
    Python's own `sys.stderr` keeps the terminal. Set `TF_CPP_MIN_LOG_LEVEL` to see them.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.stderr.flush()
    sys.stderr = open(os.dup(2), "w", buffering=1, encoding="utf-8")  # noqa: SIM115, PTH123
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(keras|tensorflow|h5py)\b")
