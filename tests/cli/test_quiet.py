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
