import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers
from dcgan import augmentation, layers, losses


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


@pytest.mark.usefixtures("eager")
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


@pytest.mark.usefixtures("eager")
def test_labels_in_the_dataset_are_left_aside(make_gan, make_images, deterministic):
    images = make_images()
    plain, labelled = (make_gan().compile(**helpers.sgd()) for _ in range(2))
    helpers.fit(plain, tf.data.Dataset.from_tensor_slices(images).batch(4), batch_size=None)
    pairs = tf.data.Dataset.from_tensor_slices((images, np.arange(8))).batch(4)
    helpers.fit(labelled, pairs, batch_size=None)
    helpers.assert_same(plain.weights, labelled.weights)
    alone = plain.evaluate(images, batch_size=4, verbose=0)
    assert alone == labelled.evaluate(pairs, verbose=0)


@pytest.mark.slow
def test_steps_per_execution(make_gan, make_images, deterministic):
    one, many = (make_gan().compile(**helpers.sgd(), steps_per_execution=n) for n in (1, 3))
    histories = [helpers.fit(model, make_images(24)) for model in (one, many)]
    assert int(many.step) == 6
    helpers.assert_same(one.weights, many.weights)
    assert histories[0] == histories[1]


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


def test_replicas_draw_latents_apart(make_gan, monkeypatch):
    model = make_gan()
    draws = []
    for replica in (0, 1):
        monkeypatch.setattr(layers, "replica_id", lambda replica=replica: replica)
        draws.append(model.sample_latents(3).numpy())
    assert not np.isin(*draws).any()


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


@pytest.mark.slow
def test_augmented_training_in_a_graph(make_gan, make_images):
    model = make_gan(augmentation="color,translation,cutout", ema_decay=0.9).compile(
        **helpers.sgd(), r1_gamma=1.0, penalty_interval=2
    )
    assert np.isfinite(list(helpers.fit(model, make_images(16)).values())).all()
