import keras
import numpy as np
import pytest
import tensorflow as tf

import helpers
from dcgan import losses
from dcgan.config import RunConfig, TrainingConfig
from dcgan.errors import InputError
from dcgan.model import DCGAN, conditioning

CLASSES = 3


def build_generator(*, classes=CLASSES, precision="float32"):
    init = keras.initializers.GlorotUniform
    latents, labels = keras.Input((4,)), keras.Input((), dtype="int32")
    embed = keras.layers.Embedding(
        classes, 4, embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0, seed=8)
    )
    x = keras.layers.Concatenate(dtype=precision)([latents, embed(labels)])
    x = keras.layers.Dense(16, "relu", kernel_initializer=init(1), dtype=precision)(x)
    x = keras.layers.Dense(64, "tanh", kernel_initializer=init(2), dtype="float32")(x)
    return keras.Model([latents, labels], keras.layers.Reshape((8, 8, 1))(x))


@pytest.fixture(scope="module")
def make_conditional(make_gan):
    """Makes a small conditional DCGAN on 8-pixel images, with vectors of classes other than 0."""

    def make(*, vectors=True, precision="float32", dropout=0.0, **options):
        discriminator = make_gan(precision=precision, dropout=dropout).discriminator
        generator = build_generator(precision=precision)
        model = DCGAN(generator, discriminator, classes=CLASSES, **options)
        if vectors:
            weight = projection(model)
            weight.assign(np.random.default_rng(0).normal(size=weight.shape))
        return model

    return make


def projection(model):
    return model.conditional_discriminator.get_layer("class_projection").vectors


def labels_of(count, **options):
    return np.arange(count, **options) % CLASSES


def logits_by_hand(model, images, labels):
    features = keras.Sequential(model.discriminator.layers[:-1])(images)
    shares = tf.gather(tf.constant(projection(model).numpy()), labels)
    return model.discriminator(images) + tf.reduce_sum(features * shares, axis=1, keepdims=True)


def test_logits_are_the_discriminators_and_the_projection(make_conditional, make_images):
    model, images, labels = make_conditional(), tf.constant(make_images(6)), tf.constant(labels_of(6))
    conditional = model.conditional_discriminator([images, labels])
    np.testing.assert_allclose(conditional, logits_by_hand(model, images, labels), rtol=1e-4, atol=1e-5)
    # Alone, images have the discriminator's logits.
    np.testing.assert_array_equal(model(images), model.discriminator(images))


def test_at_first_classes_make_no_difference(make_conditional, make_images):
    model, images = make_conditional(vectors=False), make_images(6)
    conditional = model.conditional_discriminator([images, labels_of(6)])
    np.testing.assert_allclose(conditional, model.discriminator(images), atol=1e-6)


def test_the_projection_is_on_whatever_the_last_layer_gets(make_images):
    """A convolution as the last layer, and what passes after it."""
    layers = [keras.layers.Conv2D(1, 8), keras.layers.Flatten(), keras.layers.Dropout(0.1)]
    discriminator = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    conditional = conditioning.with_projection(discriminator, CLASSES)
    vectors = conditional.get_layer("class_projection").vectors
    vectors.assign(np.random.default_rng(0).normal(size=(CLASSES, 64)))
    images, labels = make_images(5), labels_of(5)
    expected = np.sum(images.reshape(5, 64) * vectors.numpy()[labels], axis=1, keepdims=True)
    found = conditional([images, labels]) - discriminator(images)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_step_trains_all_of_both_networks(make_conditional, make_images):
    """With plain descent, against a step written by hand."""
    model, reference = (make_conditional().compile(**helpers.sgd()) for _ in range(2))
    images, labels = tf.constant(make_images(6)), tf.constant(labels_of(6))
    latents = reference.sample_latents(tf.constant(6))
    with tf.GradientTape(persistent=True) as tape:
        fakes = reference.generator([latents, labels])
        real, fake = (reference.conditional_discriminator([each, labels]) for each in (images, fakes))
        g_loss = tf.reduce_mean(tf.math.softplus(-fake))
        d_loss = tf.reduce_mean(tf.math.softplus(-real) + tf.math.softplus(fake))
    for loss, network in (
        (g_loss, reference.generator),
        (d_loss, reference.conditional_discriminator),
    ):
        for weight in network.trainable_weights:
            gradient = tape.gradient(loss, weight.value)
            assert gradient is not None, weight.path
            weight.assign(weight - 0.1 * tf.convert_to_tensor(gradient))
    logs = helpers.fit(model, images, y=labels, batch_size=6)
    np.testing.assert_allclose([logs["g_loss"][0], logs["d_loss"][0]], [g_loss, d_loss], rtol=1e-5)
    for network in ("generator", "conditional_discriminator"):
        pair = (getattr(one, network).weights for one in (model, reference))
        for a, b in zip(*pair, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5, err_msg=a.path)


def test_penalties_are_of_the_conditional_logits(make_conditional, make_images):
    model = make_conditional().compile(r1_gamma=2.0, penalty_interval=1)
    images, labels = tf.constant(make_images(6)), labels_of(6)
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = logits_by_hand(model, images, labels)
    expected = tf.reduce_sum(tape.gradient(logits, images) ** 2, axis=[1, 2, 3])
    found = model.discriminator_penalty(images, images, tf.constant(labels))
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    alone = losses.gradient_penalty(model.discriminator, images)
    assert not np.allclose(found, alone, rtol=0.1)


@pytest.mark.slow
def test_it_learns_which_class_is_bright(make_conditional):
    """Images of class 0 are dark, those of class 2 bright."""
    model = make_conditional(vectors=False)
    model.compile(*(keras.optimizers.Adam(5e-3, beta_1=0.5) for _ in range(2)))
    labels = labels_of(96)
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (96, 8, 8, 1))
    images = (noise + (0.8 * (labels - 1)).reshape(-1, 1, 1, 1)).astype(np.float32)
    model.fit(images, labels, batch_size=32, epochs=40, verbose=0)
    levels = [model.generate(32, labels=label, seed=1).mean() for label in range(CLASSES)]
    assert levels[0] < -0.4 < 0.4 < levels[2]
    assert levels[0] < levels[1] < levels[2]


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_low_precision_steps_are_finite(make_conditional, make_images, precision):
    model = make_conditional(precision=precision).compile(r1_gamma=1.0, penalty_interval=1)
    history = model.fit(make_images(8), labels_of(8), batch_size=4, verbose=0).history
    assert np.isfinite([*history.values()]).all()
    assert projection(model).dtype == "float32"
    conditional = model.conditional_discriminator([make_images(2), labels_of(2)])
    assert conditional.dtype == tf.float32


@pytest.mark.slow
@pytest.mark.parametrize(
    ("labels", "received"),
    [
        (None, "images alone"),
        (np.eye(3)[labels_of(8)], r"float\d+ of shape \(4, 3\)"),
        (np.eye(3, dtype=np.int64)[labels_of(8)], r"int64 of shape \(4, 3\)"),
        (labels_of(8, dtype=np.float32), r"float32 of shape \(4,\)"),
        (labels_of(8) + 1, "1 to 3"),
        (labels_of(8) - 1, "-1 to 1"),
    ],
)
def test_labels_that_are_none(make_conditional, make_images, labels, received):
    model = make_conditional().compile()
    before = [weight.numpy() for weight in model.weights]
    message = f"labels: expected a whole number from 0 to 2 .*: {received}"
    with pytest.raises(InputError, match=message):
        model.fit(make_images(), labels, batch_size=4, shuffle=False, verbose=0)
    with pytest.raises(InputError, match=message):
        model.evaluate(make_images(), labels, batch_size=4, verbose=0)
    helpers.assert_same(before, model.weights)


@pytest.mark.parametrize("labels", [labels_of(8, dtype=np.uint8), labels_of(8)[:, None]])
def test_kinds_of_labels(make_conditional, make_images, labels):
    batch = make_conditional().unpack((make_images(), labels))
    np.testing.assert_array_equal(batch.labels, labels_of(8))
    assert batch.labels.dtype == tf.int32


def test_a_later_batch_with_a_label_out_of_range(make_conditional, make_images):
    model, labels = make_conditional().compile(), labels_of(8)
    labels[6] = CLASSES
    with pytest.raises(
        tf.errors.InvalidArgumentError, match="labels: expected a whole number from 0 to"
    ):
        model.fit(make_images(), labels, batch_size=4, shuffle=False, verbose=0)


@pytest.mark.usefixtures("eager")
def test_evaluation_looks_at_labels_and_prediction_does_not(make_conditional, make_images):
    model, images = make_conditional().compile(), make_images()
    first, second = (
        model.evaluate(images, labels, batch_size=8, verbose=0, return_dict=True)
        for labels in (labels_of(8), labels_of(8)[::-1].copy())
    )
    assert first["d_loss"] != second["d_loss"]
    np.testing.assert_allclose(model.predict(images, verbose=0), model(images), atol=1e-5)
    assert not model.class_counts.numpy().any()


@pytest.mark.usefixtures("eager")
def test_labels_are_drawn_as_often_as_they_were_trained_on(make_conditional, make_images):
    model = make_conditional().compile()
    assert set(model.sample_labels(60)) == {0, 1, 2}
    labels = np.array([0, 0, 0, 2, 0, 0, 0, 2])
    model.fit(make_images(), labels, batch_size=4, epochs=2, verbose=0)
    np.testing.assert_array_equal(model.class_counts, [12, 0, 4])
    drawn = model.sample_labels(2000, seed=3)
    shares = np.bincount(drawn, minlength=CLASSES) / 2000
    np.testing.assert_allclose(shares, [0.75, 0, 0.25], atol=0.04)
    np.testing.assert_array_equal(drawn[:100], model.sample_labels(100, seed=3))
    assert not np.array_equal(drawn, model.sample_labels(2000, seed=4))
    np.testing.assert_array_equal(model.spread_labels(5), [0, 2])


def test_classes_to_show_are_spread_evenly(make_gan):
    model = DCGAN(build_generator(classes=9), make_gan().discriminator, classes=9)
    np.testing.assert_array_equal(model.spread_labels(3), [0, 4, 8])
    np.testing.assert_array_equal(model.spread_labels(20), range(9))


@pytest.mark.slow
@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("ema_decay", [0.0, 0.5])
def test_images_of_given_classes(make_conditional, make_images, ema_decay):
    model = make_conditional(ema_decay=ema_decay).compile()
    model.fit(make_images(), labels_of(8), batch_size=4, verbose=0)
    generator = model.ema_generator or model.generator
    latents = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    for labels in ([0, 1, 2], 1, np.int64(2), (2, 2, 0)):
        expected = generator([latents, np.broadcast_to(labels, 3)])
        np.testing.assert_allclose(model.generate(latents=latents, labels=labels), expected, atol=1e-6)
    assert len(model.generate(labels=[1, 2])) == 2
    assert len(model.generate(labels=1)) == 1
    # What draws without labels draws those of `sample_labels`.
    np.testing.assert_array_equal(
        model.generate(5, seed=2), model.generate(5, seed=2, labels=model.sample_labels(5, seed=2))
    )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (3, "whole numbers from 0 to 2. Received: 3"),
        ([0, -1], r"whole numbers from 0 to 2. Received: \[0, -1\]"),
        ([0], "a whole number, or 2 of them"),
        (1.0, "a whole number, or 2 of them. Received: 1.0"),
        (True, "a whole number, or 2 of them. Received: True"),
        ("cat", "a whole number, or 2 of them. Received: 'cat'"),
        ([[0, 1]], "a whole number, or 2 of them"),
        ([[0], [1, 2]], "a whole number, or 2 of them"),
    ],
)
def test_no_such_class(make_conditional, labels, message):
    with pytest.raises(InputError, match=f"^labels: expected {message}"):
        make_conditional().generate(2, labels=labels)


def test_no_labels_at_all(make_conditional):
    with pytest.raises(InputError, match=r"count: expected a whole number of at least 1. Received: 0"):
        make_conditional().generate(labels=[])


def test_an_unconditional_model_has_no_classes(make_gan):
    with pytest.raises(InputError, match=r"labels: expected a conditional model. Received: 1"):
        make_gan().generate(2, labels=1)


def test_networks_and_classes_that_do_not_fit(make_gan):
    discriminator, plain = make_gan().discriminator, make_gan().generator
    with pytest.raises(InputError, match=r"generator: expected two inputs, latents and labels.*: 1 inp"):
        DCGAN(plain, discriminator, classes=3)
    with pytest.raises(InputError, match=r"generator: expected one input. Received: 2 inputs"):
        DCGAN(build_generator(), discriminator)
    nested = keras.Sequential([keras.Input((8, 8, 1)), discriminator])
    with pytest.raises(InputError, match="discriminator: expected a dense layer as the last one"):
        DCGAN(build_generator(), nested, classes=3)


@pytest.mark.slow
def test_goes_on_to_the_bit(tmp_path, make_conditional, make_images, deterministic):
    """From a whole model, and from weights loaded into one that has just been compiled."""
    arguments = {"ema_decay": 0.9, "augmentation": "color", "dropout": 0.5}
    first, third = (make_conditional(**arguments).compile(r1_gamma=1.0) for _ in range(2))
    data = make_images(), labels_of(8)
    first.fit(*data, batch_size=4, verbose=0)
    first.save(tmp_path / "model.keras")
    second = keras.models.load_model(tmp_path / "model.keras")
    third.load_weights(tmp_path / "model.keras")
    models = first, second, third
    histories = [model.fit(*data, batch_size=4, verbose=0).history for model in models]
    assert histories[0] == histories[1] == histories[2]
    for other in (second, third):
        helpers.assert_same(first.variables, other.variables)
        helpers.assert_same(
            first.discriminator_optimizer.variables, other.discriminator_optimizer.variables
        )
        helpers.assert_same(first.discriminator.weights, other.discriminator.weights)
        np.testing.assert_array_equal(first.generate(3), other.generate(3))
    assert second.get_config()["classes"] == CLASSES


def test_the_exported_discriminator_takes_images_alone(tmp_path, make_conditional, make_images):
    model = make_conditional()
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    found = exported.serve(make_images(3))
    np.testing.assert_allclose(found, model.discriminator(make_images(3)), atol=1e-6)


@pytest.mark.usefixtures("eager")
def test_a_preset_with_classes(tiny_network, make_images):
    network = {**vars(tiny_network), "classes": CLASSES}
    config = RunConfig.from_dict({"network": network, "training": vars(TrainingConfig(ema_decay=0.9))})
    model = DCGAN.from_preset(config)
    assert model.classes == CLASSES
    assert [each.name for each in model.generator.inputs] == ["latents", "labels"]
    embedding = model.generator.get_layer("class_embedding")
    assert embedding.embeddings.shape == (CLASSES, tiny_network.latent_dim)
    before = [weight.numpy() for weight in model.trainable_weights]
    model.fit(make_images(6, size=28), labels_of(6), batch_size=6, verbose=0)
    moved = [not np.array_equal(a, b) for a, b in zip(before, model.trainable_weights, strict=True)]
    assert all(moved)
