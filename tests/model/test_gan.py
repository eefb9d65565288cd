import copy
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers
from dcgan import augmentation, layers, losses
from dcgan.config import RunConfig, TrainingConfig
from dcgan.errors import InputError
from dcgan.model import DCGAN


def test_fit_moves_both_networks(make_gan, make_images):
    model = make_gan().compile()
    before = [[w.numpy() for w in net.weights] for net in (model.generator, model.discriminator)]
    history = helpers.fit(model, make_images(), epochs=2)
    assert sorted(history) == sorted(helpers.LOGGED)
    assert np.isfinite(list(history.values())).all()
    for network, old in zip((model.generator, model.discriminator), before, strict=True):
        for weight, value in zip(network.weights, old, strict=True):
            assert not np.array_equal(weight, value), weight.path
    assert int(model.step) == 4


def _article_step(generator, discriminator, optimizers, *, reals, latents):
    """The article's step: two tapes, two optimizers, Keras's cross-entropy."""
    cross_entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
        fakes = generator(latents, training=True)
        real, fake = discriminator(reals, training=True), discriminator(fakes, training=True)
        g_loss = cross_entropy(tf.ones_like(fake), fake)
        d_loss = cross_entropy(tf.ones_like(real), real)
        d_loss += cross_entropy(tf.zeros_like(fake), fake)
    g_gradients = g_tape.gradient(g_loss, generator.trainable_weights)
    d_gradients = d_tape.gradient(d_loss, discriminator.trainable_weights)
    optimizers[0].apply_gradients(zip(g_gradients, generator.trainable_weights, strict=True))
    optimizers[1].apply_gradients(zip(d_gradients, discriminator.trainable_weights, strict=True))
    return float(g_loss), float(d_loss)


def test_steps_are_the_articles(make_gan, make_images):
    """With plain descent: Adam would turn rounding near a gradient of 0 into whole steps."""
    ours, reference = make_gan().compile(**helpers.sgd()), make_gan()
    optimizers = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)
    reals, expected = make_images(12), []
    for step, batch in enumerate(np.split(reals, 3)):
        ours.step.assign(step)
        latents = ours.sample_latents(4)
        networks = reference.generator, reference.discriminator
        expected.append(_article_step(*networks, optimizers, reals=batch, latents=latents))
    ours.step.assign(0)
    history = helpers.fit(ours, reals)
    for network in ("generator", "discriminator"):
        for a, b in zip(
            getattr(ours, network).weights, getattr(reference, network).weights, strict=True
        ):
            np.testing.assert_allclose(a, b, atol=1e-5, err_msg=a.path)
    np.testing.assert_allclose(
        [history["g_loss"][0], history["d_loss"][0]], np.mean(expected, axis=0), rtol=1e-5
    )


def test_each_optimizer_has_its_own_rate(make_gan, make_images):
    model = make_gan(norm=False)
    model.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.1))
    before = [w.numpy() for w in model.generator.weights]
    kernel = model.discriminator.weights[0].numpy()
    helpers.fit(model, make_images())
    helpers.assert_same(model.generator.weights, before)
    assert not np.array_equal(model.discriminator.weights[0], kernel)


def test_logs_are_epoch_means(make_gan, make_images):
    model = make_gan(helpers.Recording).compile(**helpers.sgd(), run_eagerly=True)
    # The last batch is smaller: every image counts alike.
    history = helpers.fit(model, make_images(10), epochs=2)
    assert [len(step["real"]) for step in model.seen] == [4, 4, 2, 4, 4, 2]
    for epoch in (0, 1):
        steps = model.seen[3 * epoch : 3 * epoch + 3]
        real, fake = (np.concatenate([step[name] for step in steps]) for name in ("real", "fake"))
        d_loss = np.concatenate([step["d_loss"] for step in steps])
        expected = (
            np.logaddexp(0, -fake).mean(),
            d_loss.mean(),
            (real > 0).mean(),
            (fake < 0).mean(),
        )
        logged = [history[name][epoch] for name in helpers.LOGGED]
        np.testing.assert_allclose(logged, expected, rtol=1e-5)


@pytest.mark.slow
def test_training_is_reproducible_and_follows_the_seed(make_gan, make_images, deterministic):
    def weights(seed):
        keras.utils.set_random_seed(1)
        model = make_gan(dropout=0.5, seed=seed, augmentation="color,translation,cutout")
        helpers.fit(model.compile(**helpers.sgd()), make_images(), epochs=2)
        return model.generator.get_weights()

    first = weights(1)
    helpers.assert_same(first, weights(1))
    assert not np.array_equal(first[0], weights(2)[0])


def test_latents_are_new_in_every_step_and_normal(make_gan):
    model = make_gan(seed=2)
    draws = []
    for step in range(200):
        model.step.assign(step)
        draws.append(model.sample_latents(50).numpy())
    draws = np.stack(draws)
    assert len(np.unique(draws[:, 0, 0])) == 200
    # 40,000 draws: five standard errors.
    assert draws.mean() == pytest.approx(0, abs=0.025)
    assert draws.std() == pytest.approx(1, abs=0.02)
    model.step.assign(0)
    np.testing.assert_array_equal(model.sample_latents(50), draws[0])


def test_labels_in_the_dataset_are_left_aside(make_gan, make_images, deterministic):
    images = make_images()
    plain, labelled = (make_gan().compile(**helpers.sgd()) for _ in range(2))
    helpers.fit(plain, tf.data.Dataset.from_tensor_slices(images).batch(4), batch_size=None)
    pairs = tf.data.Dataset.from_tensor_slices((images, np.arange(8))).batch(4)
    helpers.fit(labelled, pairs, batch_size=None)
    helpers.assert_same(plain.weights, labelled.weights)
    alone = plain.evaluate(images, batch_size=4, verbose=0)
    assert alone == labelled.evaluate(pairs, verbose=0)


def test_compile_returns_the_model(make_gan, make_images):
    history = make_gan().compile(**helpers.sgd()).fit(make_images(), batch_size=4, verbose=0)
    assert isinstance(history, keras.callbacks.History)


def test_steps_per_execution(make_gan, make_images, deterministic):
    one, many = (make_gan().compile(**helpers.sgd(), steps_per_execution=n) for n in (1, 3))
    histories = [helpers.fit(model, make_images(24)) for model in (one, many)]
    assert int(many.step) == 6
    helpers.assert_same(one.weights, many.weights)
    assert histories[0] == histories[1]


def test_jit_compile_is_left_to_keras(make_gan):
    reference = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    reference.compile("sgd")
    assert make_gan().compile().jit_compile == reference.jit_compile
    assert make_gan().compile(jit_compile=True).jit_compile is True


@pytest.mark.slow
def test_jit_compile_trains(make_gan, make_images):
    model = make_gan(dropout=0.3, augmentation="color,translation,cutout", ema_decay=0.9)
    model.compile(**helpers.sgd(), r1_gamma=1.0, penalty_interval=2, jit_compile=True)
    assert np.isfinite(list(helpers.fit(model, make_images(16)).values())).all()


@pytest.mark.parametrize("loss", losses.LOSSES)
def test_every_loss_trains(make_gan, make_images, loss):
    model = make_gan(helpers.Recording).compile(**helpers.sgd(0.01), loss=loss, run_eagerly=True)
    history = helpers.fit(model, make_images(4))
    step, pair = model.seen[0], losses.get(loss)
    np.testing.assert_allclose(step["d_loss"], pair.discriminator(step["real"], step["fake"]))
    assert history["g_loss"][0] == pytest.approx(
        np.mean(pair.generator(step["real"], step["fake"])), rel=1e-5
    )


@pytest.mark.parametrize("loss", ["non_saturating", "least_squares"])
def test_label_smoothing(make_gan, make_images, loss):
    model = make_gan(helpers.Recording)
    model.compile(**helpers.sgd(), loss=loss, label_smoothing=0.2, run_eagerly=True)
    helpers.fit(model, make_images(4))
    step, pair = model.seen[0], losses.get(loss)
    np.testing.assert_allclose(step["d_loss"], pair.discriminator(step["real"], step["fake"], 0.2))
    plain = pair.discriminator(step["real"], step["fake"])
    assert not np.allclose(step["d_loss"], plain)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "l1"}, InputError, "loss: expected one of"),
        ({"loss": "hinge", "label_smoothing": 0.1}, InputError, "expected 0 with the hinge loss"),
        ({"loss": keras.losses.MeanSquaredError()}, InputError, "loss: expected a string"),
        ({"label_smoothing": 2.0}, InputError, "label_smoothing: expected 0 to 1. Received: 2.0"),
        ({"r1_gamma": -1.0}, InputError, "r1_gamma: .*Received: -1"),
        ({"r1_gamma": math.nan}, InputError, "r1_gamma: .*Received: nan"),
        ({"r2_gamma": -1.0}, InputError, "r2_gamma: .*Received: -1"),
        ({"penalty_interval": 0}, InputError, "penalty_interval: .*Received: 0"),
        ({"penalty_interval": 1.5}, InputError, "penalty_interval: .*whole number. Received: 1.5"),
        *(
            (
                {name: value},
                InputError,
                f"{name}: expected one of keras.optimizers, its name or its configuration",
            )
            for name in ("generator_optimizer", "discriminator_optimizer")
            for value in ("steepest", 0.1, keras.optimizers.Adam, {"class_name": "Steepest"})
        ),
        *(
            ({name: 1}, TypeError, f"DCGAN.compile does not support {name}. It has generator_opt")
            for name in ("optimizer", "metrics", "loss_weights", "weighted_metrics", "auto_scale_loss")
        ),
    ],
)
def test_compile_refuses(make_gan, options, error, message):
    with pytest.raises(error, match=message):
        make_gan().compile(**options)


def test_compile_takes_keras_arguments_that_are_none(make_gan):
    unset = dict.fromkeys(("metrics", "weighted_metrics", "loss_weights", "run_eagerly"))
    assert make_gan().compile(**unset).compiled


def test_one_optimizer_is_not_for_both(make_gan):
    one = keras.optimizers.SGD()
    for other in (one, keras.optimizers.LossScaleOptimizer(one)):
        with pytest.raises(InputError, match="expected an optimizer for each network"):
            make_gan().compile(one, other)


def test_an_optimizer_of_another_model_is_refused(make_gan):
    used = keras.optimizers.Adam()
    model = make_gan().compile(used)
    with pytest.raises(InputError, match="discriminator_optimizer: expected a new optimizer"):
        make_gan().compile(None, used)
    assert model.compile(used).compiled


def test_optimizers_by_name_and_configuration(make_gan):
    sgd = keras.optimizers.SGD(0.25)
    config = keras.optimizers.serialize(keras.optimizers.LossScaleOptimizer(sgd))
    before = copy.deepcopy(config)
    model = make_gan().compile("rmsprop", config)
    assert isinstance(model.generator_optimizer, keras.optimizers.RMSprop)
    assert float(model.discriminator_optimizer.learning_rate) == 0.25
    assert config == before


@pytest.mark.parametrize("option", ["sample_weight", "class_weight"])
@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_weights_of_images_are_refused(make_gan, make_images, option, method):
    if (option, method) == ("class_weight", "evaluate"):
        pytest.skip("Keras's evaluate has no class_weight")
    weights = {"sample_weight": np.ones(8), "class_weight": {0: 1.0, 1: 2.0}}[option]
    model = make_gan().compile()
    for labels in (None, np.arange(8) % 2):
        with pytest.raises(InputError, match="DCGAN does not support sample_weight and class_weight"):
            getattr(model, method)(make_images(8), labels, verbose=0, **{option: weights})


@pytest.mark.parametrize(
    ("method", "before"),
    [("fit", (None, 4, 1, 0, None, 0.0, None, True, None)), ("evaluate", (None, 4, 0))],
)
def test_weights_by_position_are_refused(make_gan, make_images, method, before):
    with pytest.raises(InputError, match="DCGAN does not support sample_weight and class_weight"):
        getattr(make_gan().compile(), method)(make_images(8), *before, np.ones(8))


def test_weights_in_the_dataset_are_refused(make_gan, make_images):
    rows = make_images(8), np.arange(8), np.ones(8)
    with pytest.raises(InputError, match="DCGAN does not support sample_weight and class_weight"):
        make_gan().compile().fit(tf.data.Dataset.from_tensor_slices(rows).batch(4), verbose=0)


def test_replicas_draw_latents_apart(make_gan, monkeypatch):
    model = make_gan()
    draws = []
    for replica in (0, 1):
        monkeypatch.setattr(layers, "replica_id", lambda replica=replica: replica)
        draws.append(model.sample_latents(3).numpy())
    assert not np.isin(*draws).any()


# The R1 penalty


def test_r1_value_and_interval(make_gan, make_images):
    """A linear discriminator's gradient is its kernel: gamma / 2 * interval * |w|^2."""
    generator = make_gan().generator
    discriminator = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model = DCGAN(generator, discriminator).compile(r1_gamma=3.0, penalty_interval=4)
    squared_norm = np.square(discriminator.layers[-1].kernel).sum()
    penalty = tf.function(model.discriminator_penalty)
    reals, values = tf.constant(make_images()), []
    for step in range(9):
        model.step.assign(step)
        values.append(penalty(reals, reals))
    expected = np.where(np.arange(9) % 4 == 0, 0.5 * 3.0 * 4 * squared_norm, 0)
    np.testing.assert_allclose(values, np.repeat(expected[:, None], len(reals), axis=1), rtol=1e-5)


def test_r2_is_the_same_on_fakes(make_gan, make_images):
    model = make_gan().compile(r2_gamma=3.0, penalty_interval=4)
    reals, fakes = tf.constant(make_images(seed=1)), tf.constant(make_images(seed=2))
    model.step.assign(4)
    penalty = losses.gradient_penalty(model.discriminator, fakes)
    np.testing.assert_allclose(
        model.discriminator_penalty(reals, fakes), 0.5 * 3 * 4 * penalty, rtol=1e-5
    )
    model.compile(r1_gamma=1.0, r2_gamma=3.0, penalty_interval=4)
    both = 0.5 * 4 * losses.gradient_penalty(model.discriminator, reals) + 0.5 * 3 * 4 * penalty
    np.testing.assert_allclose(model.discriminator_penalty(reals, fakes), both, rtol=1e-5)


def test_r2_leaves_the_generator_alone(make_gan, make_images):
    plain = make_gan().compile(**helpers.sgd())
    with_r2 = make_gan().compile(**helpers.sgd(), r2_gamma=5.0, penalty_interval=16)
    for model in (plain, with_r2):
        helpers.fit(model, make_images(4))
    for a, b in zip(plain.generator.weights, with_r2.generator.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    assert not np.allclose(plain.discriminator.weights[0], with_r2.discriminator.weights[0], atol=1e-3)


def test_r1_is_computed_only_when_due(make_gan, make_images, monkeypatch):
    calls, compute = [], losses.gradient_penalty

    def counted(critic, images, **options):
        calls.append(images.numpy())
        return compute(critic, images, **options)

    monkeypatch.setattr(losses, "gradient_penalty", counted)
    images = make_images(36)
    model = make_gan().compile(**helpers.sgd(), r1_gamma=1.0, penalty_interval=4, run_eagerly=True)
    helpers.fit(model, images)
    assert len(calls) == 3
    # On reals, as they are.
    helpers.assert_same(calls, [images[4 * step : 4 * step + 4] for step in (0, 4, 8)])


def test_r1_reaches_the_discriminator_alone_and_not_the_logs(make_gan, make_images):
    plain = make_gan().compile(**helpers.sgd())
    with_r1 = make_gan().compile(**helpers.sgd(), r1_gamma=5.0, penalty_interval=16)
    logs = [helpers.fit(model, make_images(4)) for model in (plain, with_r1)]
    for name in helpers.LOGGED:
        np.testing.assert_allclose(logs[0][name], logs[1][name], rtol=1e-6)
    for a, b in zip(plain.generator.weights, with_r1.generator.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    kernels = plain.discriminator.weights[0], with_r1.discriminator.weights[0]
    # SGD's step is the rate times the gradient, whose R1 part has 16 times the weight.
    assert np.abs(kernels[0] - kernels[1]).max() > 0.01


# Augmentation


def test_augmentation_distorts_reals_and_fakes_apart(make_gan, make_images, monkeypatch):
    calls, compute = [], augmentation.diff_augment

    def recorded(images, policy, *, seed):
        calls.append((images.shape, policy, seed.numpy().tolist()))
        return compute(images, policy, seed=seed)

    monkeypatch.setattr(augmentation, "diff_augment", recorded)
    policy = "color,translation,cutout"
    model = make_gan(helpers.Recording, augmentation=policy).compile(**helpers.sgd(), run_eagerly=True)
    helpers.fit(model, make_images(8))
    assert [call[:2] for call in calls] == [((4, 8, 8, 1), policy)] * 4
    assert len({tuple(call[2]) for call in calls}) == 4
    assert [step["real"].shape for step in model.seen] == [(4, 1), (4, 1)]
    model.evaluate(make_images(4), verbose=0)
    model.generate(2)
    model.predict(make_images(2), verbose=0)
    assert len(calls) == 4


def test_augmented_training_in_a_graph(make_gan, make_images):
    model = make_gan(augmentation="color,translation,cutout", ema_decay=0.9).compile(
        **helpers.sgd(), r1_gamma=1.0, penalty_interval=2
    )
    assert np.isfinite(list(helpers.fit(model, make_images(16)).values())).all()


# Low precision


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_low_precision_steps_are_finite(tiny_network, make_images, precision):
    config = RunConfig(
        network=tiny_network,
        training=TrainingConfig(
            ema_decay=0.9, r1_gamma=1.0, penalty_interval=2, augmentation="translation"
        ),
        precision=precision,
    )
    model = DCGAN.from_preset(config)
    scaled = precision == "mixed_float16"
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer) == scaled
    before = model.generator.get_weights()
    history = helpers.fit(model, make_images(16, size=28))
    assert np.isfinite(list(history.values())).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert not np.array_equal(before[0], model.generator.get_weights()[0])
    assert model.generate(2).dtype == np.float32


def test_scaled_steps_are_those_of_float32(make_gan, make_images):
    """What half precision's loss is multiplied by, its gradients are divided by."""
    moves = []
    for precision in ("float32", "mixed_float16"):
        model = make_gan(precision=precision).compile(**helpers.sgd())
        networks = model.generator, model.discriminator
        before = [np.concatenate([w.ravel() for w in net.get_weights()]) for net in networks]
        helpers.fit(model, make_images(4))
        after = [np.concatenate([w.ravel() for w in net.get_weights()]) for net in networks]
        moves.append([b - a for a, b in zip(before, after, strict=True)])
    for full, half in zip(*moves, strict=True):
        assert np.linalg.norm(half - full) < 0.02 * np.linalg.norm(full)


def test_a_given_loss_scale_optimizer_is_kept(make_gan):
    given = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    model = make_gan(precision="mixed_float16").compile(given, keras.optimizers.SGD(0.1))
    assert model.generator_optimizer is given
    assert isinstance(model.discriminator_optimizer, keras.optimizers.LossScaleOptimizer)
