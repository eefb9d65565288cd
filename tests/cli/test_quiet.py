import os
import subprocess
import sys

import pytest

SCRIPT = """
import os
import sys
from dcgan.cli.terminal import quiet
with quiet.hide_log_lines():
    os.write(2, b"I0000 00:17 chatter\\nE0000 00:18 more\\nF0000 00:19 no AVX here\\nIndeed\\nend")
    {last}
sys.stderr.write("after")
"""


@pytest.mark.parametrize(
    ("last", "after"),
    [
        ("os.abort()", ""),
        ("sys.exit(3)", ""),
        ("pass", "after"),
        ("print('', file=sys.stderr)", "\nafter"),
    ],
)
def test_only_log_lines_are_hidden(last, after):
    """The words of a crash are what one needs to see."""
    command = [sys.executable, "-c", SCRIPT.format(last=last)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.stderr == f"F0000 00:19 no AVX here\nIndeed\nend{after}"


@pytest.mark.slow
@pytest.mark.parametrize("level", [None, "0", "3"])
def test_start_up_is_silent_whatever_the_level(level, tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment |= {"MPLCONFIGDIR": str(tmp_path)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    if level is not None:
        environment["TF_CPP_MIN_LOG_LEVEL"] = level
    script = (
        "from dcgan.cli.terminal import quiet; quiet.silence_tensorflow(); "
        "import tensorflow as tf; print(float(tf.zeros(())))"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment
    )
    assert (process.stdout, process.stderr) == ("0.0\n", "")
