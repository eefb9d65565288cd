import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers
from dcgan.config import RunConfig, TrainingConfig
from dcgan.errors import InputError
from dcgan.model import DCGAN, augmenters


def _adapt(augmenter, real, fake, *, steps=4, first=0):
    real, fake = (np.asarray(logits, np.float32)[:, None] for logits in (real, fake))
    weights = tf.ones(len(real))
    for step in range(first, first + steps):
        augmenter.adapt(tf.constant(real), tf.constant(fake), weights=weights, step=tf.constant(step))
    return float(augmenter.probability)


APART = np.linspace(1, 2, 50), np.linspace(-2, -1, 50)
MIXED = np.linspace(-1, 1, 50), np.linspace(-1, 1, 50)


def test_rises_while_the_discriminator_separates():
    augmenter = augmenters.make("ada")
    assert _adapt(augmenter, *APART, steps=3) == 0, "moves every fourth step"
    assert _adapt(augmenter, *APART, steps=1, first=3) == pytest.approx(200 / 50_000)
    assert _adapt(augmenter, *APART, steps=8, first=4) == pytest.approx(600 / 50_000)


def test_falls_while_it_does_not_and_stays_in_0_to_1():
    augmenter = augmenters.make("ada")
    assert _adapt(augmenter, *MIXED) == 0
    augmenter.probability.assign(0.5)
    assert _adapt(augmenter, *MIXED) == pytest.approx(0.5 - 200 / 50_000)
    augmenter.probability.assign(0.999)
    assert _adapt(augmenter, *APART) == 1


@pytest.mark.parametrize(("above", "rises"), [(38, False), (42, True)])
def test_the_target_is_a_mean_sign_of_six_tenths(above, rises):
    """40 of 50 reals above the border are 0.8 - 0.2."""
    real = np.where(np.arange(50) < above, 1.0, -1.0) + np.linspace(0, 0.1, 50)
    augmenter = augmenters.make("ada")
    augmenter.probability.assign(0.5)
    moved = _adapt(augmenter, real, -real)
    assert (moved > 0.5) == rises


@pytest.mark.parametrize("change", [lambda x: x + 100, lambda x: x - 100, lambda x: 1000 * x**3])
@pytest.mark.parametrize("logits", [APART, MIXED])
def test_does_not_depend_on_the_logits_zero_scale_or_outliers(logits, change):
    plain, changed = augmenters.make("ada"), augmenters.make("ada")
    for augmenter in (plain, changed):
        augmenter.probability.assign(0.5)
    assert _adapt(plain, *logits) == _adapt(changed, *(change(each) for each in logits))


def test_steps_that_failed_do_not_spoil_it():
    augmenter = augmenters.make("ada")
    _adapt(augmenter, np.full(50, np.nan), np.full(50, np.nan))
    assert _adapt(augmenter, *APART) == pytest.approx(200 / 50_000)


@pytest.mark.parametrize("channels", [1, 3])
def test_at_zero_images_pass_exactly_and_at_one_all_change(make_images, channels):
    images = np.repeat(make_images(50), channels, axis=-1)
    augmenter, seed = augmenters.make("ada"), tf.constant([0, 7], tf.int64)
    np.testing.assert_array_equal(augmenter.augment(tf.constant(images), seed=seed), images)
    augmenter.probability.assign(1.0)
    changed = augmenter.augment(tf.constant(images), seed=seed).numpy()
    assert np.isfinite(changed).all()
    assert (np.abs(changed - images).max(axis=(1, 2, 3)) > 0.1).all()


def test_gradients_pass(make_images):
    augmenter, images = augmenters.make("ada"), tf.constant(make_images(20))
    augmenter.probability.assign(0.7)
    with tf.GradientTape() as tape:
        tape.watch(images)
        changed = augmenter.augment(images, seed=tf.constant([0, 7], tf.int64))
    assert np.isfinite(gradients := tape.gradient(changed, images).numpy()).all()
    assert (np.abs(gradients).max(axis=(1, 2, 3)) > 0.1).all()


@pytest.mark.parametrize("name", ["ADA", "ada,color", "flip"])
def test_unknown_names(name):
    with pytest.raises(InputError, match=r"augmentation: expected ada, or any of color") as error:
        augmenters.make(name)
    assert repr(name) in str(error.value)


@pytest.mark.usefixtures("eager")
def test_training_at_zero_is_as_without(make_gan, make_images, deterministic):
    plain, adaptive = (make_gan(augmentation=name).compile(**helpers.sgd()) for name in ("", "ada"))
    for model in (plain, adaptive):
        helpers.fit(model, make_images(12))
    for name in ("generator", "discriminator"):
        helpers.assert_same(getattr(plain, name).weights, getattr(adaptive, name).weights)


def _separating(make_gan, cls=DCGAN, **options):
    """Its reals lie above its fakes whatever it has learned."""

    class Separating(cls):
        def _discriminate(self, images, *arguments, **options):
            logits = super()._discriminate(images, *arguments, **options)
            return logits + 1e3 * tf.reduce_mean(images, axis=[1, 2, 3])[:, None]

    return make_gan(Separating, augmentation="ada", **options)


@pytest.mark.slow
def test_is_logged_with_ada_only(make_gan, make_images):
    model = _separating(make_gan).compile(**helpers.sgd(0.0))
    # Bright reals, which no distortion comes to change.
    history = helpers.fit(model, 0.9 + 0.1 * make_images(32), epochs=2)
    assert sorted(history) == sorted([*helpers.LOGGED, "augmentation_p"])
    np.testing.assert_allclose(history["augmentation_p"], [32 / 50_000, 64 / 50_000], rtol=1e-5)
    assert "augmentation_p" not in helpers.fit(make_gan().compile(), make_images())


def _config(tiny_network, **options):
    training = TrainingConfig(augmentation="ada", generator_learning_rate=1e-2)
    return RunConfig(network=tiny_network, training=training, **options)


@pytest.mark.slow
def test_saved_and_loaded_goes_on_to_the_bit(tmp_path, tiny_network, make_images, deterministic):
    """From within an interval of four steps."""
    model, images = DCGAN.from_preset(_config(tiny_network)), make_images(12, size=28)
    model.augmenter.probability.assign(0.6)
    helpers.fit(model, images)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.augmenter.probability) == pytest.approx(0.6)
    resumed = DCGAN.from_preset(_config(tiny_network))
    resumed.optimizer.build(resumed.trainable_variables)
    resumed.load_weights(tmp_path / "model.keras")
    histories = [helpers.fit(one, images) for one in (model, loaded, resumed)]
    assert histories[0] == histories[1] == histories[2]
    assert histories[0]["augmentation_p"][0] != pytest.approx(0.6, abs=1e-6)
    for other in (loaded, resumed):
        helpers.assert_same(model.variables, other.variables)


@pytest.mark.usefixtures("eager")
def test_mixed_precision(tiny_network, make_images):
    model = DCGAN.from_preset(_config(tiny_network, precision="mixed_float16"))
    model.augmenter.probability.assign(0.6)
    assert np.isfinite(list(helpers.fit(model, make_images(8, size=28)).values())).all()
    assert model.augmenter.probability.dtype == "float32"


@pytest.mark.slow
def test_compiled_by_xla(make_gan, make_images):
    model = make_gan(augmentation="ada").compile(**helpers.sgd(), jit_compile=True)
    model.augmenter.probability.assign(0.6)
    history = helpers.fit(model, make_images(16))
    assert np.isfinite(list(history.values())).all()
    assert history["augmentation_p"][0] != pytest.approx(0.6, abs=1e-6)
