import dataclasses
import types

import keras
import numpy as np
import pytest

from dcgan import layers, networks
from dcgan.config import NetworkConfig

SMALL = NetworkConfig(latent_dim=8, generator_width=8, discriminator_width=8, kernel_size=3)


def _layer_names(model, kind):
    return [layer.name for layer in model.layers if isinstance(layer, kind)]


def _latents(count=5, *, dim=8, scale=1.0):
    return scale * np.random.default_rng(0).standard_normal((count, dim), np.float32)


@pytest.mark.parametrize("size", [16, 28, 36, 64, 100])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("stem", [True, False])
def test_shapes_and_ranges(size, channels, stem):
    config = dataclasses.replace(
        SMALL, image_size=size, channels=channels, stem_convolution=stem, max_width=16, coarsest_size=4
    )
    images = networks.build_generator(config)(_latents(scale=100.0), training=True)
    assert images.shape == (5, size, size, channels)
    assert images.dtype == "float32"
    assert -1 <= np.min(images) < np.max(images) <= 1
    logits = networks.build_discriminator(config)(images)
    assert logits.shape == (5, 1)
    assert logits.dtype == "float32"


def test_images_reach_both_ends_of_the_range():
    generator = networks.build_generator(SMALL)
    generator.get_layer("to_image").kernel.assign(
        100 * np.random.default_rng(0).standard_normal((3, 3, 1, 8))
    )
    images = generator(_latents(), training=True).numpy()
    assert (images.min(), images.max()) == (-1, 1)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize("upsampling", ["transpose", "bilinear"])
def test_low_precision_inside_float32_outside(precision, norm, upsampling):
    config = dataclasses.replace(
        SMALL, upsampling=upsampling, discriminator_norm=norm, generator_norm=norm
    )
    generator = networks.build_generator(config, precision=precision)
    discriminator = networks.build_discriminator(config, precision=precision)
    for training in (False, True):
        images = generator(_latents(), training=training)
        logits = discriminator(images, training=training)
        assert (images.dtype, logits.dtype) == ("float32", "float32")
        assert np.isfinite(images).all()
        assert np.isfinite(logits).all()
    for network, outer in ((generator, {"images"}), (discriminator, {"logits"})):
        hidden = [x for x in network.layers[1:] if x.name not in outer]
        assert {x.compute_dtype for x in hidden} == {precision.removeprefix("mixed_")}
        assert {w.dtype for w in network.trainable_weights} == {"float32"}


@pytest.mark.parametrize(("precision", "atol"), [("mixed_float16", 2e-3), ("mixed_bfloat16", 2e-2)])
def test_low_precision_stays_near_float32(precision, atol):
    full, low = (
        networks.build_generator(SMALL, precision=each)(_latents()) for each in ("float32", precision)
    )
    np.testing.assert_allclose(full, low, atol=atol)


@pytest.mark.parametrize(
    ("upsampling", "resizing", "transposed"),
    [("transpose", 0, 3), ("nearest", 2, 0), ("bilinear", 2, 0)],
)
def test_upsampling_variants(upsampling, resizing, transposed):
    generator = networks.build_generator(dataclasses.replace(SMALL, upsampling=upsampling))
    resizers = [x for x in generator.layers if isinstance(x, keras.layers.UpSampling2D)]
    assert [x.interpolation for x in resizers] == [upsampling] * resizing
    # The stem's convolution keeps the size, so nothing is resized before it.
    assert len(_layer_names(generator, keras.layers.Conv2DTranspose)) == transposed
    assert len(_layer_names(generator, keras.layers.Conv2D)) == 3 - transposed
    assert generator.output_shape == (None, 28, 28, 1)


def test_widths_double_and_are_capped():
    config = dataclasses.replace(
        SMALL, image_size=64, max_width=32, stem_convolution=False, coarsest_size=4
    )
    generator = networks.build_generator(config)
    discriminator = networks.build_discriminator(config)
    convolutions = [x for x in discriminator.layers if isinstance(x, keras.layers.Conv2D)]
    assert [x.filters for x in convolutions] == [8, 16, 32, 32]
    assert generator.get_layer("stem_relu").output.shape[-1] == 4 * 4 * 32
    ups = [x for x in generator.layers if isinstance(x, keras.layers.Conv2DTranspose)]
    assert [x.filters for x in ups] == [32, 16, 8, 1]


def test_seeds_are_reproducible_and_independent():
    for build in (networks.build_generator, networks.build_discriminator):
        first, same, other = (build(SMALL, seed=seed).get_weights() for seed in (1, 1, 2))
        for a, b in zip(first, same, strict=True):
            np.testing.assert_array_equal(a, b)
        kernels = [(a, b) for a, b in zip(first, other, strict=True) if a.ndim > 1]
        assert len(kernels) >= 3
        assert not any(np.array_equal(a, b) for a, b in kernels)


def test_layers_of_one_network_have_seeds_of_their_own():
    config = dataclasses.replace(
        SMALL, image_size=64, max_width=8, initializer="normal", coarsest_size=4
    )
    kernels = [w for w in networks.build_discriminator(config).get_weights() if w.ndim == 4]
    same_shape = [w for w in kernels if w.shape == (3, 3, 8, 8)]
    assert len(same_shape) == 3
    assert len(np.unique([w.ravel() for w in same_shape], axis=0)) == 3


def test_initializers():
    config = dataclasses.replace(SMALL, initializer="normal", latent_dim=64)
    normal = networks.build_generator(config).layers[1].kernel.numpy()
    assert normal.std() == pytest.approx(0.02, rel=0.02)
    uniform = networks.build_generator(dataclasses.replace(config, initializer="glorot_uniform"))
    kernel = uniform.layers[1].kernel.numpy()
    limit = np.sqrt(6 / sum(kernel.shape))
    assert 0.99 * limit < np.abs(kernel).max() <= limit
    he = networks.build_generator(dataclasses.replace(config, initializer="he_normal"))
    assert he.layers[1].kernel.numpy().std() == pytest.approx(np.sqrt(2 / 64), rel=0.02)


def test_batch_norm_placement():
    both = dataclasses.replace(SMALL, discriminator_norm="batch", image_size=32, coarsest_size=4)
    generator, discriminator = networks.build_generator(both), networks.build_discriminator(both)
    kind = keras.layers.BatchNormalization
    assert _layer_names(generator, kind) == [f"{x}_norm" for x in ("stem", "up_0", "up_1", "up_2")]
    # Neither the first nor the last layer of the discriminator, nor the generator's images.
    assert _layer_names(discriminator, kind) == ["down_1_norm", "down_2_norm"]
    order = [layer.name for layer in discriminator.layers]
    start = order.index("down_1")
    assert order[start : start + 4] == ["down_1", "down_1_norm", "down_1_relu", "dropout_1"]
    assert [x.use_bias for x in discriminator.layers if isinstance(x, keras.layers.Conv2D)] == [
        True,
        False,
        False,
    ]


def test_no_norm_has_biases_instead():
    none = dataclasses.replace(SMALL, generator_norm="none")
    for network in (networks.build_generator(none), networks.build_discriminator(none)):
        assert not _layer_names(network, keras.layers.BatchNormalization)
        assert all(layer.use_bias for layer in network.layers if hasattr(layer, "use_bias"))


def test_settings_reach_the_layers():
    config = dataclasses.replace(
        SMALL, norm_momentum=0.7, negative_slope=0.1, dropout=0.4, discriminator_norm="batch"
    )
    generator, discriminator = (
        networks.build_generator(config),
        networks.build_discriminator(config),
    )
    for network in (generator, discriminator):
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                assert layer.momentum == 0.7
            if isinstance(layer, keras.layers.LeakyReLU):
                assert layer.negative_slope == pytest.approx(0.1)
            if isinstance(layer, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
                assert layer.kernel_size == (3, 3)
    rates = [x.rate for x in discriminator.layers if isinstance(x, layers.ReplicaDropout)]
    assert rates == [0.4, 0.4]
    without = networks.build_discriminator(dataclasses.replace(config, dropout=0.0))
    assert not _layer_names(without, keras.layers.Dropout)


@pytest.mark.parametrize("replicas", [1, 2])
def test_norm_is_synchronized_between_replicas(monkeypatch, replicas):
    strategy = types.SimpleNamespace(num_replicas_in_sync=replicas)
    distribute = types.SimpleNamespace(get_strategy=lambda: strategy)
    monkeypatch.setattr(networks, "tf", types.SimpleNamespace(distribute=distribute))
    generator = networks.build_generator(SMALL)
    norms = [x for x in generator.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert [norm.synchronized for norm in norms] == [replicas > 1] * 3


@pytest.mark.parametrize("build", [networks.build_generator, networks.build_discriminator])
def test_save_and_load(tmp_path, build):
    config = dataclasses.replace(SMALL, discriminator_norm="batch")
    network = build(config, precision="mixed_bfloat16")
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    inputs = np.random.default_rng(0).standard_normal((3, *network.input_shape[1:]), np.float32)
    np.testing.assert_array_equal(network(inputs), loaded(inputs))
    assert [type(x) for x in loaded.layers] == [type(x) for x in network.layers]


def test_optional_layers_are_there_when_asked_for():
    config = dataclasses.replace(SMALL, mapping_units=12, head_units=10)
    generator = networks.build_generator(config)
    discriminator = networks.build_discriminator(config)
    assert generator.layers[1].units == 12
    assert discriminator.layers[-3].units == 10
    assert discriminator(generator(_latents())).shape == (5, 1)


def test_optional_layers_are_absent_by_default():
    assert _layer_names(networks.build_generator(SMALL), keras.layers.Dense)[1:] == []
    names = _layer_names(networks.build_discriminator(SMALL), keras.layers.Conv2D)
    assert names == ["down_0", "down_1"]


def test_classes_are_a_second_input_of_the_generator_alone():
    config = dataclasses.replace(SMALL, classes=3)
    generator = networks.build_generator(config, seed=2)
    latents, labels = _latents(3), np.arange(3)
    images = generator([latents, labels])
    assert images.shape == (3, 28, 28, 1)
    # Each class has an image of its own for the same latents.
    same = generator([np.repeat(latents[:1], 3, axis=0), labels]).numpy()
    assert len(np.unique(same.round(4), axis=0)) == 3
    vectors = generator.get_layer("class_embedding").embeddings
    assert vectors.shape == (3, SMALL.latent_dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=0.5)
    assert len(networks.build_discriminator(config).inputs) == 1


@pytest.mark.parametrize("upsampling", ["transpose", "nearest", "bilinear"])
def test_smoothing_follows_each_doubling(upsampling):
    config = dataclasses.replace(SMALL, upsampling=upsampling, smoothing=True, coarsest_size=4)
    generator = networks.build_generator(config)
    names = [layer.name for layer in generator.layers]
    smoothed = ["up_1", "up_2", "to_image"]
    assert _layer_names(generator, layers.Smoothing) == [f"{name}_smooth" for name in smoothed]
    # 4 doubles to 8, of which 7 stay.
    assert _layer_names(generator, keras.layers.Cropping2D) == ["up_1_crop"]
    assert names.index("up_1") < names.index("up_1_smooth") < names.index("up_1_norm")
    assert not _layer_names(networks.build_generator(SMALL), layers.Smoothing)


def test_residual_blocks_follow_each_doubling():
    config = dataclasses.replace(SMALL, generator_blocks=2, coarsest_size=4, stem_convolution=False)
    generator = networks.build_generator(config)
    added = [f"block_{level}_{block}_add" for level in (0, 1) for block in (0, 1)]
    assert _layer_names(generator, keras.layers.Add) == added
    block = generator.get_layer("block_1_0")
    assert (block.kernel_size, block.filters) == ((3, 3), generator.get_layer("up_1").filters)
    # Blocks that give nothing leave the generator that has none.
    plain = networks.build_generator(dataclasses.replace(config, generator_blocks=0))
    for layer in generator.layers:
        if layer.name.startswith("block") and isinstance(layer, keras.layers.Conv2D):
            layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
        elif layer.weights and not layer.name.startswith("block"):
            plain.get_layer(layer.name).set_weights(layer.get_weights())
    np.testing.assert_allclose(generator(_latents()), plain(_latents()), atol=1e-6)
