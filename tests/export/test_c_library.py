import pathlib
import subprocess
import sys

import numpy as np

from export.graph import saved_model

_SCRIPT = pathlib.Path(__file__).parent.parent / "scripts" / "c_api.py"


def test_the_c_library_loads_and_runs_it(exported, served, make_images, tmp_path):
    signature = saved_model.read(exported).meta_graphs[0].signature_def["predict_images"]
    names = (signature.inputs["images"].name, signature.outputs["p_fake"].name)
    images, results = tmp_path / "images.npy", tmp_path / "results.npy"
    np.save(images, make_images(5))
    command = [sys.executable, _SCRIPT, exported, *names, images, results]
    subprocess.run(list(map(str, command)), check=True, timeout=120)
    expected = served("predict_images", images=np.load(images))["p_fake"]
    np.testing.assert_allclose(np.load(results), expected, rtol=1e-5, atol=1e-6)
