import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from dcgan import images as pixels_
from dcgan import scoring
from dcgan.config import RunConfig
from dcgan.model import DCGAN
from export.graph import row_errors, saved_model, signatures


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (5, 8, 8, 1), dtype=np.uint8)


@pytest.fixture
def logits(gan, pixels):
    return gan.predict_on_batch(pixels_.to_float(pixels))[:, 0]


def nodes(path):
    """All nodes of a SavedModel's graph and functions, and the functions' own attributes."""
    graph = saved_model.read(path).meta_graphs[0].graph_def
    functions = graph.library.function
    found = [*graph.node, *(node for function in functions for node in function.node_def)]
    return found, [name for function in functions for name in function.attr]


def test_five_signatures_with_their_names(exported):
    found = saved_model.describe(exported)
    names = {"serving_default": "examples", "predict_bytes": "image_bytes", "classify": "inputs"}
    names |= {"predict_uint8": "images", "predict_images": "images"}
    assert {name: list(entry["inputs"]) for name, entry in found.items()} == {
        name: [argument] for name, argument in names.items()
    }
    assert found["predict_images"]["inputs"]["images"] == {"dtype": "float32", "shape": [None, 8, 8, 1]}
    assert found["predict_uint8"]["inputs"]["images"]["dtype"] == "uint8"
    scores = {"p_fake", "decision", "familiarity", "discriminator_logit", "error"}
    for name in ("predict_images", "predict_uint8", "serving_default", "predict_bytes"):
        assert set(found[name]["outputs"]) == scores
    assert set(found["classify"]["outputs"]) == {"classes", "scores"}
    for entry in found.values():
        assert all(tensor["shape"][0] is None for tensor in entry["outputs"].values())
    methods = {name: entry["method"] for name, entry in found.items()}
    assert methods.pop("classify") == "tensorflow/serving/classify"
    assert set(methods.values()) == {"tensorflow/serving/predict"}


def test_all_signatures_give_the_models_scores(served, pixels, logits, encode, make_example):
    encoded = [encode(image) for image in pixels]
    examples = [make_example(content) for content in encoded]
    given = {
        "serving_default": {"examples": examples},
        "predict_bytes": {"image_bytes": encoded},
        "predict_uint8": {"images": pixels},
        "predict_images": {"images": pixels_.to_float(pixels)},
    }
    p_fake = 1 / (1 + np.exp(logits))
    for name, inputs in given.items():
        scores = served(name, **inputs)
        np.testing.assert_allclose(scores["discriminator_logit"], logits, rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(scores["p_fake"], p_fake, rtol=1e-5, atol=1e-5)
        assert list(scores["decision"]) == ["fake" if logit < 0 else "real" for logit in logits]
        np.testing.assert_array_equal(scores["familiarity"], np.ones(len(pixels)))
        assert set(scores["error"]) == {""}
    classified = served("classify", inputs=examples)
    assert classified["classes"].tolist() == [["real", "fake"]] * len(pixels)
    np.testing.assert_allclose(classified["scores"], np.stack([1 - p_fake, p_fake], 1), atol=1e-5)


def test_an_image_alone_scores_as_in_a_batch(served, pixels, encode):
    encoded = [encode(image) for image in pixels]
    together = served("predict_bytes", image_bytes=encoded)["discriminator_logit"]
    alone = [served("predict_bytes", image_bytes=[one])["discriminator_logit"][0] for one in encoded]
    np.testing.assert_allclose(alone, together, rtol=1e-6, atol=1e-6)


def test_an_empty_batch_of_any_kind(served):
    texts = np.array([], dtype=object).astype("S1")
    given = {
        "serving_default": {"examples": texts},
        "predict_bytes": {"image_bytes": texts},
        "predict_uint8": {"images": np.zeros((0, 8, 8, 1), np.uint8)},
        "predict_images": {"images": np.zeros((0, 8, 8, 1), np.float32)},
        "classify": {"inputs": texts},
    }
    for name, inputs in given.items():
        assert {len(value) for value in served(name, **inputs).values()} == {0}


NAN, INFINITE = np.float32("nan"), np.float32("inf")


@pytest.mark.parametrize(
    ("pixel", "error"),
    [
        (NAN, "found NaN or infinity"),
        (INFINITE, "found NaN or infinity"),
        (-INFINITE, "found NaN or infinity"),
        (2.0, "found others beyond"),
        (-1.1, "found others beyond"),
        (1e38, "found others beyond"),
    ],
)
def test_one_bad_pixel_is_an_error_of_its_image_alone(served, pixels, pixel, error):
    images = pixels_.to_float(pixels)
    expected = served("predict_images", images=images)
    images[1, 3, 4, 0] = pixel
    scores = served("predict_images", images=images)
    assert scores["decision"][1] == "error"
    assert scores["error"][1].startswith("expected pixels from -1 to 1, found")
    assert error in scores["error"][1]
    for name, value in row_errors.VALUES.items():
        assert scores[name][1] == value
        np.testing.assert_array_equal(np.delete(scores[name], 1), np.delete(expected[name], 1))


def test_pixels_of_another_range(served, pixels):
    images = {
        "0 to 255": pixels.astype(np.float32),
        "0 to 1": pixels.astype(np.float32) / 255,
        "dark, 0 to 1": (pixels // 100).astype(np.float32) / 255,
        "black, 0 to 1": np.zeros_like(pixels, np.float32),
        "black and white, 0 to 1": (pixels > 127).astype(np.float32),
        "half precision, 0 to 1": (pixels / 255).astype(np.float16).astype(np.float32),
    }
    for name, given in images.items():
        scores = served("predict_images", images=given)
        assert set(scores["decision"]) == {"error"}, name
        assert all(error.startswith("expected pixels from -1 to 1") for error in scores["error"]), name
    assert "from 0 to 1" in served("predict_images", images=images["0 to 1"])["error"][0]


def test_bright_images_are_not_taken_for_another_range(served, pixels):
    bright = [np.full_like(pixels, 255), np.full_like(pixels, 128), 128 + pixels // 2]
    for levels in bright:
        for images in (pixels_.to_float(levels), pixels_.to_float(levels).astype(np.float16)):
            scores = served("predict_images", images=images.astype(np.float32))
            assert set(scores["error"]) == {""}
        assert set(served("predict_uint8", images=levels)["error"]) == {""}


@pytest.mark.slow
@pytest.mark.parametrize("value", [NAN, INFINITE])
def test_a_model_without_finite_answers_decides_nothing(value, pixels, encode):
    class Broken:
        image_shape, weights = (8, 8, 1), ()

        def __call__(self, images, training=False):
            is_bright = tf.reduce_mean(images, axis=(1, 2, 3)) > 0
            numbers = tf.where(is_bright, value, 0.5)
            names = ("p_fake", "familiarity", "discriminator_logit")
            return dict.fromkeys(names, numbers) | {"decision": tf.zeros_like(numbers, tf.int32)}

    called = signatures.of_scoring_model(Broken(), max_pixels=100).signatures
    images = np.stack([np.full((8, 8, 1), level, np.uint8) for level in (0, 255)])
    given = {
        "predict_uint8": tf.constant(images),
        "predict_bytes": tf.constant([encode(image) for image in images]),
    }
    for name, batch in given.items():
        outputs = called[name](batch)
        assert outputs["error"].numpy().tolist() == [b"", scoring.NOT_FINITE.encode()]
        assert outputs["decision"].numpy().tolist() == [b"real", b"error"]
        assert outputs["p_fake"].numpy().tolist() == [0.5, 1.0]


def test_weights_once_and_nothing_else(exported, gan):
    reader = tf.train.load_checkpoint(str(exported / "variables" / "variables"))
    names = {name for name in reader.get_variable_to_shape_map() if not name.startswith("_")}
    assert len(names) == len(gan.discriminator.weights)
    assert {name.split("/")[0] for name in names} == {"weights"}
    sizes = sum(path.stat().st_size for path in (exported / "variables").glob("*.data*"))
    weights = sum(weight.numpy().nbytes for weight in gan.discriminator.weights)
    assert weights <= sizes <= weights + 10_000


def test_a_stock_server_can_run_it(exported):
    found, attributes = nodes(exported)
    assert not [name for name in attributes if "xla" in name.lower()]
    assert not [node.name for node in found if "_XlaMustCompile" in node.attr]
    assert not {"PyFunc", "EagerPyFunc", "PyFuncStateless"} & {node.op for node in found}


@pytest.mark.slow
def test_digest_tells_weights_apart_and_signatures(exported, gan, make_gan, tmp_path):
    from export.graph.scoring_model import DiscriminatorScorer

    def write(name, model, max_pixels):
        servable = signatures.of_scoring_model(
            DiscriminatorScorer(model.discriminator), max_pixels=max_pixels
        )
        saved_model.write(servable, tmp_path / name)
        return saved_model.digest(tmp_path / name)

    digest = saved_model.digest(exported)
    assert digest.startswith("sha256:")
    assert write("again", gan, 10_000) == digest
    other = make_gan()
    other.discriminator.set_weights([weight + 1 for weight in gan.discriminator.get_weights()])
    assert write("other", other, 10_000) != digest


def test_generator_draws_what_the_model_draws(gan, tmp_path):
    saved_model.write(signatures.of_generator(gan), tmp_path / "generator")
    loaded = tf.saved_model.load(str(tmp_path / "generator"))
    latents = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    drawn = loaded.signatures["serving_default"](latents=tf.constant(latents))["images"].numpy()
    np.testing.assert_array_equal(drawn, pixels_.to_uint8(gan.generate(latents=latents)))


@pytest.mark.slow
def test_a_conditional_generator_takes_labels(tiny_network, tmp_path):
    network = dataclasses.replace(tiny_network, classes=3)
    model = DCGAN.from_preset(RunConfig(network=network))
    saved_model.write(signatures.of_generator(model), tmp_path / "generator")
    loaded = tf.saved_model.load(str(tmp_path / "generator"))
    latents = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    labels = np.array([2, 0, 1])
    draw = loaded.signatures["serving_default"]
    drawn = draw(latents=tf.constant(latents), labels=tf.constant(labels))["images"].numpy()
    expected = pixels_.to_uint8(model.generate(latents=latents, labels=labels))
    np.testing.assert_allclose(drawn.astype(int), expected, atol=1)
