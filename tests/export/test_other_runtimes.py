"""A detector's pixel signatures in runtimes other than TensorFlow."""

import ast
import sys

import numpy as np
import pytest
import tensorflow as tf

import export
from dcgan.images import to_float

pytestmark = pytest.mark.slow

NUMBERS = ("p_fake", "familiarity", "discriminator_logit")
FORMS = {"predict_images": to_float, "predict_uint8": np.asarray}


@pytest.fixture(scope="module")
def path(familiar_detector, tmp_path_factory):
    return export.export_model(familiar_detector[0], tmp_path_factory.mktemp("exported")).path


@pytest.fixture(scope="module")
def signatures(path):
    loaded = tf.saved_model.load(str(path))
    yield loaded.signatures
    del loaded


@pytest.fixture
def check(signatures, familiar_detector):
    """Compares what a function of pixels returns with TensorFlow's own answer, by batch."""

    def compare(signature, answer):
        batch = FORMS[signature](familiar_detector[1])
        if batch.dtype == np.float32:
            batch[3, 2, 2] = np.nan
        for count in (1, len(batch)):
            images = batch[:count]
            expected = {k: v.numpy() for k, v in signatures[signature](images=images).items()}
            given = answer(images)
            assert set(given) == set(expected)
            for name in NUMBERS:
                np.testing.assert_allclose(given[name], expected[name], atol=1e-4, err_msg=name)
            for name in set(expected) - set(NUMBERS):
                assert given[name].tolist() == expected[name].tolist()
        assert set(given["decision"]) >= {b"real", b"unsure", b"fake"}
        assert 0.1 < (given["familiarity"] < 0.01).mean() < 0.6

    return compare


@pytest.mark.skipif(
    sys.version_info >= (3, 13),
    reason="OpenVINO 2026.4 deletes a local name by exec, which 3.13 refuses",
)
@pytest.mark.parametrize("signature", FORMS)
def test_openvino(signature, signatures, check, tmp_path, monkeypatch):
    monkeypatch.setenv("CI", "true")  # It reports no use of it then.
    openvino = pytest.importorskip("openvino", reason="openvino is not here")
    converted = openvino.convert_model(signatures[signature])
    openvino.save_model(converted, tmp_path / "detector.xml", compress_to_fp16=False)
    precise = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(tmp_path / "detector.xml", "CPU", precise)

    def answer(images):
        found = compiled({"images": images})
        given = {next(iter(output.names)): values for output, values in found.items()}
        # It writes a text as Python shows bytes.
        texts = {name: list(map(ast.literal_eval, given[name])) for name in set(given) - set(NUMBERS)}
        return given | {name: np.array(values, object) for name, values in texts.items()}

    check(signature, answer)


@pytest.mark.parametrize("signature", FORMS)
def test_litert(signature, path, check):
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not here")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(path), signature_keys=[signature])
    interpreter = litert.Interpreter(model_content=converter.convert(), num_threads=1)
    runner = interpreter.get_signature_runner(signature)
    check(signature, lambda images: runner(images=images))
