import subprocess
import sys

import tuning


def test_the_public_names_are_listed_and_there():
    assert dir(tuning) == sorted(tuning.__all__)
    assert all(getattr(tuning, name) is not None for name in dir(tuning))


def test_importing_the_package_does_not_load_tensorflow():
    code = "import sys, tuning; tuning.Space; assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
