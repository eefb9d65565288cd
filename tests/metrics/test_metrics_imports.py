import subprocess
import sys


def test_metrics_import_without_tensorflow():
    code = (
        "import sys, dcgan.metrics; "
        "sys.exit(bool({'tensorflow', 'keras', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
