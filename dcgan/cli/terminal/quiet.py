"""TensorFlow without its start-up chatter."""

import contextlib
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator

# Log lines below FATAL, as in "I0000 00:00:17 port.cc:153] ...", and their announcement.
_FILTER = r"""
import re, sys
for line in sys.stdin.buffer:
    if not re.match(rb"[IWE]\d{4} |WARNING: All log messages before absl::InitializeLog", line):
        sys.stderr.buffer.write(line)
        sys.stderr.flush()
"""


def silence_tensorflow() -> None:
    """Imports TensorFlow without its log lines, and asks it to keep later ones to itself.

    `TF_CPP_MIN_LOG_LEVEL` changes nothing: many have it set, and no level of it hides the first lines.
    """
    if "tensorflow" in sys.modules:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(keras|tensorflow|h5py)\b")
    with hide_log_lines():
        import tensorflow  # noqa: F401


@contextlib.contextmanager
def hide_log_lines() -> Iterator[None]:
    """Keeps TensorFlow's log lines off file descriptor 2 while the block runs.

    TensorFlow writes them there when it is imported, whatever the log level. A separate process passes
    everything else on, so that even the last words before a crash are seen.
    """
    kept = os.dup(2)
    end, begin = os.pipe()
    # Without the site packages it starts at once; in a session of its own Ctrl-C is not for it.
    command = [sys.executable, "-I", "-S", "-c", _FILTER]
    with subprocess.Popen(command, stdin=end, stderr=kept, start_new_session=True):
        os.close(end)
        os.dup2(begin, 2)
        os.close(begin)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
