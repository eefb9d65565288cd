import ast
import importlib.util
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers
from dcgan import losses

PATH = pathlib.Path(__file__).parents[1] / "docs" / "examples" / "wgan_gp.py"


@pytest.fixture(scope="module")
def wgan_gp():
    spec = importlib.util.spec_from_file_location("wgan_gp", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WGANGP


def _compile(model, rate=0.01):
    adams = [keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.9) for _ in range(2)]
    return model.compile(*adams, loss="wasserstein")


def _gradient_norms(model, images):
    images = tf.constant(images)
    return np.sqrt(losses.gradient_penalty(model.discriminator, images))


def test_the_class_is_short():
    tree = ast.parse(PATH.read_text(encoding="utf-8"))
    (cls,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    docstrings = {
        line
        for node in ast.walk(cls)
        if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        for line in range(node.body[0].lineno, node.body[0].end_lineno + 1)
    }
    source = PATH.read_text(encoding="utf-8").splitlines()
    code = {line for line in range(cls.lineno, cls.end_lineno + 1) if source[line - 1].strip()}
    assert len(code - docstrings) < 40


def test_penalty_is_the_distance_from_norm_1_on_mixtures(make_gan, wgan_gp):
    # The gradient of half the square is the image: its norm tells where the penalty looked.
    images = keras.Input((8, 8, 1))
    half_square = keras.ops.sum(keras.ops.square(images), axis=(1, 2, 3))[:, None] / 2
    critic = keras.Model(images, half_square)
    model = wgan_gp(make_gan().generator, critic, penalty_weight=3.0, seed=2)
    fakes = np.ones((50, 8, 8, 1), np.float32)
    penalty = model.discriminator_penalty(tf.constant(-fakes), tf.constant(fakes))
    norms = 1 + np.sqrt(np.asarray(penalty) / 3.0)
    # The mixtures' norm is 8 |2 share - 1|; where it is below 1 the root above has the other sign.
    share = tf.random.stateless_uniform([50, 1, 1, 1], [2, 0])
    expected = 8 * np.abs(2 * np.ravel(share) - 1)
    far = expected > 1
    assert far.sum() > 25
    np.testing.assert_allclose(norms[far], expected[far], rtol=1e-4)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("critic_steps", [1, 4])
def test_the_critic_trains_ahead(make_gan, wgan_gp, make_images, critic_steps):
    model = _compile(make_gan(wgan_gp, critic_steps=critic_steps))
    history = model.fit(make_images(24), batch_size=12, verbose=0).history
    assert int(model.generator_optimizer.iterations) == 2
    assert int(model.discriminator_optimizer.iterations) == 2 * critic_steps
    assert np.isfinite(list(history.values())).all()


@pytest.mark.slow
def test_the_penalty_brings_gradient_norms_toward_1(make_gan, wgan_gp, make_images):
    reals = np.clip(0.5 + 0.2 * make_images(128), -1, 1)
    norms = {}
    for weight in (0.0, 10.0):
        model = _compile(make_gan(wgan_gp, critic_steps=2, penalty_weight=weight, norm=False))
        for layer in model.discriminator.layers[::4]:
            layer.kernel.assign(3 * layer.kernel)
        before = _gradient_norms(model, reals).mean()
        model.fit(reals, batch_size=32, epochs=25, shuffle=False, verbose=0)
        norms[weight] = _gradient_norms(model, reals)
    assert before > 2
    assert norms[0.0].min() > 1.5
    np.testing.assert_allclose(norms[10.0], 1, atol=0.25)


def test_config_both_ways(make_gan, wgan_gp):
    model = make_gan(wgan_gp, critic_steps=3, penalty_weight=7.0, ema_decay=0.5)
    copy = wgan_gp.from_config(model.get_config())
    assert copy.get_config() == model.get_config()
    assert (copy.critic_steps, copy.penalty_weight, copy.ema_decay) == (3, 7.0, 0.5)


@pytest.mark.slow
def test_save_and_load(tmp_path, make_gan, wgan_gp, make_images, deterministic):
    model, images = _compile(make_gan(wgan_gp, critic_steps=2, ema_decay=0.9)), make_images(16)
    helpers.fit(model, images)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is wgan_gp
    np.testing.assert_array_equal(model.generate(2), loaded.generate(2))
    histories = [helpers.fit(one, images) for one in (model, loaded)]
    assert histories[0] == histories[1]
    helpers.assert_same(model.variables, loaded.variables)


def test_from_preset_builds_the_subclass(wgan_gp):
    assert wgan_gp.from_preset("article", critic_steps=2).critic_steps == 2
