"""A detector's pixel signatures in runtimes other than TensorFlow."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

import export
from dcgan import networks
from dcgan.detector import Calibration, Detector
from dcgan.detector.familiarity import familiarity_model
from dcgan.images import to_float

NUMBERS = ("p_fake", "familiarity", "discriminator_logit")
PIXELS = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), np.uint8)
INPUTS = {"predict_images": to_float(PIXELS), "predict_uint8": PIXELS}


@pytest.fixture(scope="module")
def path(tiny_network, tmp_path_factory):
    """The export of a calibrated detector to which some of the images are unfamiliar."""
    network = dataclasses.replace(tiny_network, image_size=32, channels=3)
    detector = Detector.from_discriminator(networks.build_discriminator(network), width=4, seed=1)
    familiarity = familiarity_model.build((32, 32, 3))
    known = familiarity_model.strangeness(familiarity)(to_float(PIXELS)).numpy()
    for which, share in ((0, 0.4), (1, 0.7)):
        quantiles = np.quantile(known, np.linspace(0, share, 2_000))
        familiarity_model.p_values(familiarity).calibrate(quantiles, which=which)
    real_below, fake_above = np.quantile(detector.raw_scores(PIXELS), [0.3, 0.6]).tolist()
    detector.calibrate(
        Calibration(
            slope=20.0,
            offset=-1.0,
            fake_above=fake_above,
            real_below=real_below,
            false_positive_rate=0.01,
            confidence=0.95,
            deliveries=("as they are",),
            miss_rate=0.02,
            reals=500,
            fakes=400,
        )
    )
    base = tmp_path_factory.mktemp("exported")
    return export.export_model(detector.with_familiarity(familiarity), base).path


@pytest.fixture(scope="module")
def signatures(path):
    loaded = tf.saved_model.load(str(path))
    yield loaded.signatures
    del loaded


@pytest.fixture
def check(signatures):
    """Compares what a function of pixels returns with TensorFlow's own answer, by batch."""

    def compare(signature, answer):
        for count in (1, len(PIXELS)):
            images = INPUTS[signature][:count]
            expected = {k: v.numpy() for k, v in signatures[signature](images=images).items()}
            given = answer(images)
            assert set(given) == set(expected)
            for name in NUMBERS:
                np.testing.assert_allclose(given[name], expected[name], atol=1e-4, err_msg=name)
            assert given["decision"].tolist() == expected["decision"].tolist()
        assert set(given["decision"]) == {b"real", b"unsure", b"fake"}
        assert 0.1 < (given["familiarity"] < 0.01).mean() < 0.6

    return compare


@pytest.mark.parametrize("signature", INPUTS)
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
        texts = [text.removeprefix("b'").removesuffix("'").encode() for text in given["decision"]]
        return given | {"decision": np.array(texts, object)}

    check(signature, answer)


@pytest.mark.parametrize("signature", INPUTS)
def test_litert(signature, path, check):
    litert = pytest.importorskip("ai_edge_litert.interpreter", reason="ai-edge-litert is not here")
    converter = tf.lite.TFLiteConverter.from_saved_model(str(path), signature_keys=[signature])
    interpreter = litert.Interpreter(model_content=converter.convert(), num_threads=1)
    runner = interpreter.get_signature_runner(signature)
    check(signature, lambda images: runner(images=images))
