import pathlib
import shutil
import subprocess

import numpy as np
import pytest
import tensorflow as tf

_SOURCE = pathlib.Path(__file__).parent.parent / "scripts" / "loader.cc"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("g++"), reason="no C++ compiler is here")
def test_the_loader_of_the_server_loads_and_runs_it(exported, served, make_images, tmp_path):
    library = tf.sysconfig.get_lib()
    libraries = ["-Wl,--no-as-needed", "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2"]
    flags = [*tf.sysconfig.get_compile_flags(), "-w", f"-L{library}", f"-Wl,-rpath,{library}"]
    program = tmp_path / "loader"
    command = ["g++", _SOURCE, *flags, *libraries, "-o", program]
    subprocess.run(list(map(str, command)), check=True, timeout=300)
    images, scores = tmp_path / "images", tmp_path / "scores"
    batch = make_images(5)
    batch.tofile(images)
    command = [program, exported, *batch.shape[1:], images, scores]
    subprocess.run(list(map(str, command)), check=True, timeout=120)
    expected = served("predict_images", images=batch)["p_fake"]
    np.testing.assert_allclose(np.fromfile(scores, np.float32), expected, rtol=1e-5, atol=1e-6)
