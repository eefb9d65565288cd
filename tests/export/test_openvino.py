import shutil

import numpy as np
import pytest

from export.graph import saved_model

openvino = pytest.importorskip("openvino", reason="openvino is not here")


@pytest.fixture
def float_model(exported, tmp_path):
    """The export with the float signature as its default; OpenVINO reads no other, and no texts."""
    path = tmp_path / "model"
    shutil.copytree(exported, path)
    message = saved_model.read(path)
    signatures = message.meta_graphs[0].signature_def
    signatures["serving_default"].CopyFrom(signatures["predict_images"])
    del signatures["serving_default"].outputs["decision"]
    (path / "saved_model.pb").write_bytes(message.SerializeToString())
    return path


def test_another_runtime_gives_the_same_scores(float_model, served, make_images):
    core = openvino.Core()
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(str(float_model)), "CPU", options)
    for count in (1, 5):
        images = make_images(count)
        found = compiled(images)
        expected = served("predict_images", images=images)
        for name in ("p_fake", "discriminator_logit"):
            np.testing.assert_allclose(found[compiled.output(name)], expected[name], atol=1e-5)
