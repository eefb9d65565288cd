import copy

import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers
from dcgan.config import RunConfig, TrainingConfig
from dcgan.errors import InputError
from dcgan.model import DCGAN


def test_config_both_ways(make_gan):
    model = make_gan(ema_decay=0.5, augmentation="color", seed=3, name="mine")
    second = DCGAN.from_config(model.get_config())
    assert second.get_config() == model.get_config()
    assert (second.ema_decay, second.augmentation, second.seed, second.name) == (0.5, "color", 3, "mine")


def test_from_config_leaves_the_configs_as_they_are(tiny_network):
    model = DCGAN.from_preset(RunConfig(network=tiny_network))
    configs = model.get_config(), model.get_compile_config()
    before = copy.deepcopy(configs)
    DCGAN.from_config(configs[0]).compile_from_config(configs[1])
    assert configs == before


def test_exported_without_a_call_beforehand(tmp_path, make_gan, make_images):
    model = make_gan(dropout=0.5).compile()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(exported.serve(make_images(3)), model(make_images(3)), atol=1e-6)


@pytest.mark.slow
def test_saved_and_loaded_training_goes_on_to_the_bit(
    tmp_path, tiny_network, make_images, deterministic
):
    """With dropout, augmentation, Adam, its schedule, R1 and the moving average under way."""
    config = RunConfig(
        network=tiny_network,
        training=TrainingConfig(
            ema_decay=0.9,
            r1_gamma=1.0,
            penalty_interval=3,
            augmentation="color",
            label_smoothing=0.1,
            learning_rate_schedule="cosine",
            generator_learning_rate=1e-2,
        ),
    )
    model, images = DCGAN.from_preset(config, total_steps=8), make_images(16, size=28)
    helpers.fit(model, images)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, DCGAN)
    assert loaded.get_compile_config() == model.get_compile_config()
    np.testing.assert_array_equal(model.generate(3), loaded.generate(3))
    histories = [helpers.fit(one, images) for one in (model, loaded)]
    assert histories[0] == histories[1]
    helpers.assert_same(model.variables, loaded.variables)
    for name in ("generator_optimizer", "discriminator_optimizer"):
        helpers.assert_same(getattr(model, name).variables, getattr(loaded, name).variables)


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
def test_weights_alone_go_on_to_the_bit(tmp_path, make_gan, make_images, deterministic):
    """Into a model that has just been compiled, as a resumed training does."""
    first, second = (make_gan(dropout=0.5, ema_decay=0.9).compile() for _ in range(2))
    helpers.fit(first, make_images())
    first.save_weights(tmp_path / "model.weights.h5")
    second.load_weights(tmp_path / "model.weights.h5")
    histories = [helpers.fit(model, make_images()) for model in (first, second)]
    assert histories[0] == histories[1]
    helpers.assert_same(first.variables, second.variables)


def test_loaded_without_compiling(tmp_path, make_gan):
    model = make_gan(ema_decay=0.9).compile()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    assert not loaded.compiled
    np.testing.assert_array_equal(model.generate(2), loaded.generate(2))


@pytest.mark.usefixtures("eager")
def test_saved_before_compiling(tmp_path, make_gan, make_images):
    model = make_gan(dropout=0.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model(make_images()), loaded(make_images()))
    assert np.isfinite(helpers.fit(loaded.compile(), make_images())["g_loss"])


def test_dropout_state_is_saved(tmp_path, make_gan):
    model = make_gan(dropout=0.5)
    dropout = next(x for x in model.discriminator.layers if isinstance(x, keras.layers.Dropout))
    dropout.seed_generator.state.assign([11, 12])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    dropout = next(x for x in loaded.discriminator.layers if isinstance(x, keras.layers.Dropout))
    np.testing.assert_array_equal(dropout.seed_generator.state, [11, 12])


def test_networks_that_do_not_fit(make_gan, tiny_network):
    small, other = make_gan(), DCGAN.from_preset(RunConfig(network=tiny_network))
    with pytest.raises(ValueError, match=r"\(None, 8, 8, 1\), not \(None, 28, 28, 1\)"):
        DCGAN(small.generator, other.discriminator)


def test_unknown_augmentation(make_gan):
    with pytest.raises(InputError, match="augmentation: expected ada, or any of color"):
        make_gan(augmentation="flip")
