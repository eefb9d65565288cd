"""TensorFlow's own command for SavedModels."""

import subprocess
import sys

import numpy as np
import pytest

_MAIN = (
    "import sys; from tensorflow.python.tools import saved_model_cli; sys.exit(saved_model_cli.main())"
)


def call(*arguments):
    command = [sys.executable, "-c", _MAIN, *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return result.stdout


@pytest.mark.slow
def test_show(exported):
    shown = call("show", "--dir", exported, "--all")
    names = ("serving_default", "predict_bytes", "predict_uint8", "predict_images", "classify")
    assert all(f"signature_def['{name}']" in shown for name in names)
    assert "Method name is: tensorflow/serving/classify" in shown


@pytest.mark.slow
def test_run(exported, served, make_images, tmp_path):
    np.save(tmp_path / "images.npy", make_images(3))
    signature = ["--tag_set", "serve", "--signature_def", "predict_images"]
    given = ["--inputs", f"images={tmp_path / 'images.npy'}", "--outdir", tmp_path]
    call("run", "--dir", exported, *signature, *given)
    expected = served("predict_images", images=make_images(3))
    for name in ("p_fake", "discriminator_logit"):
        np.testing.assert_allclose(np.load(tmp_path / f"{name}.npy"), expected[name], atol=1e-5)
