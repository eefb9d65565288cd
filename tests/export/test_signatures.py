import numpy as np
import pytest
import tensorflow as tf

from dcgan import images as pixels_
from export.graph import saved_model, signatures


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
    scores = {"p_fake", "decision", "familiarity", "discriminator_logit"}
    assert set(found["predict_images"]["outputs"]) == set(found["predict_uint8"]["outputs"]) == scores
    for name in ("serving_default", "predict_bytes"):
        assert set(found[name]["outputs"]) == scores | {"error"}
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
        assert set(scores.get("error", [""])) == {""}
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
