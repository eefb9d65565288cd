import dataclasses
import json
import pathlib

import pytest

from dcgan import augmentation, losses, presets, schema
from dcgan.config import Augmentation, Loss, NetworkConfig, RunConfig, TrainingConfig
from dcgan.errors import InputError

CHANGED = RunConfig(
    preset="rgb64",
    data="photos",
    split="train[:10%]",
    skip_bad=True,
    network=NetworkConfig(image_size=64, channels=3, upsampling="bilinear", dropout=0.0),
    training=TrainingConfig(epochs=7, beta_1=0.5, ema_decay=0.99, augmentation="color,cutout"),
    precision="mixed_bfloat16",
    strategy="mirrored",
    seed=2**31 - 1,
)


@pytest.mark.parametrize("config", [RunConfig(), CHANGED, *map(presets.get, presets.PRESETS)])
def test_file_both_ways(tmp_path, config):
    path = tmp_path / "made" / "config.json"
    config.save(path)
    assert RunConfig.load(path) == config
    assert json.loads(path.read_text()) == dataclasses.asdict(config)


def test_flat():
    flat = CHANGED.flatten()
    assert (flat["seed"], flat["network.dropout"], flat["training.epochs"]) == (2**31 - 1, 0.0, 7)
    assert len(flat) == sum(map(len, map(schema.fields, (RunConfig, NetworkConfig, TrainingConfig)))) - 2


def test_values_left_out_take_their_defaults():
    read = RunConfig.from_dict({"seed": 3, "training": {"epochs": 2}})
    assert read == RunConfig(seed=3, training=TrainingConfig(epochs=2))


def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        RunConfig().seed = 1


def test_whole_number_for_a_float():
    dropout = NetworkConfig.from_dict({"dropout": 0}).dropout
    assert (dropout, type(dropout)) == (0.0, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "c.json: expected JSON"),
        ("[1]", "c.json: expected a JSON object"),
        ('{"sede": 1}', "c.json: sede: expected one of preset, data"),
        ('{"network": {"width": 1}}', "c.json: width: expected one of image_size, channels"),
        ('{"network": 3}', "c.json: network: expected an object of values. Received: 3"),
        ('{"seed": "3"}', "c.json: seed: expected a whole number. Received: '3'"),
        ('{"seed": 3.0}', "c.json: seed: expected a whole number. Received: 3.0"),
        ('{"seed": true}', "c.json: seed: expected a whole number. Received: True"),
        ('{"seed": null}', "c.json: seed: expected a whole number. Received: None"),
        ('{"data": 3}', "c.json: data: expected a string. Received: 3"),
        ('{"skip_bad": 1}', "c.json: skip_bad: expected true or false. Received: 1"),
        ('{"training": {"loss": "l1"}}', "c.json: loss: expected one of non_saturating"),
        ('{"training": {"beta_1": NaN}}', "c.json: beta_1: expected 0 to"),
        ('{"training": {"beta_1": "a"}}', "c.json: beta_1: expected a number"),
    ],
)
def test_json_that_is_no_configuration(tmp_path, monkeypatch, text, message):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("c.json").write_text(text)
    with pytest.raises(InputError) as caught:
        RunConfig.load("c.json")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"learning_rate: 3\n"])
def test_file_that_is_no_configuration(tmp_path, content):
    path = tmp_path / "config.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"config\.json: expected"):
        RunConfig.load(path)


@pytest.mark.parametrize(
    ("name", "refused", "taken"),
    [
        ("image_size", (0, 12, 30, 260, -28), (16, 28, 256)),
        ("channels", (0, 2, 4), (1, 3)),
        ("classes", (-1,), (0, 1)),
        ("latent_dim", (0, -1), (1,)),
        ("generator_width", (0, -1), (1,)),
        ("discriminator_width", (0, -1), (1,)),
        ("max_width", (0, -1), (1,)),
        ("kernel_size", (0, -1), (1,)),
        ("mapping_units", (-1,), (0, 1)),
        ("coarsest_size", (0, 9), (1, 8)),
        ("head_units", (-1,), (0, 1)),
        ("generator_blocks", (-1, 9), (0, 8)),
        ("upsampling", ("", "cubic"), ("transpose", "nearest", "bilinear")),
        ("generator_norm", ("layer",), ("batch", "none")),
        ("discriminator_norm", ("layer",), ("batch", "none")),
        ("norm_momentum", (-0.1, 1.1, float("nan")), (0.0, 1.0)),
        ("negative_slope", (-0.1, 1.1, float("nan")), (0.0, 1.0)),
        ("dropout", (-0.1, 1.0, float("nan")), (0.0, 0.95)),
        ("initializer", ("zeros",), ("glorot_uniform", "he_normal", "normal")),
    ],
)
def test_network_ranges(name, refused, taken):
    _check_range(NetworkConfig, name, refused, taken)


@pytest.mark.parametrize(
    ("name", "refused", "taken"),
    [
        ("batch_size", (0, -1), (1,)),
        ("epochs", (0, -1), (1,)),
        ("loss", ("l1",), tuple(Loss)),
        ("label_smoothing", (-0.1, 1.1, float("nan")), (0.0, 1.0)),
        ("r1_gamma", (-0.1, float("inf"), float("nan")), (0.0, 10.0)),
        ("r2_gamma", (-0.1, float("inf"), float("nan")), (0.0, 10.0)),
        ("penalty_interval", (0, -1), (1,)),
        ("generator_learning_rate", (0.0, -1e-4, float("inf"), float("nan")), (1e-9, 1.0)),
        ("discriminator_learning_rate", (0.0, -1e-4, float("inf"), float("nan")), (1e-9, 1.0)),
        ("beta_1", (-0.1, 1.0, float("nan")), (0.0, 0.99)),
        ("beta_2", (-0.1, 1.0, float("nan")), (0.0, 0.99)),
        ("learning_rate_schedule", ("linear",), ("constant", "cosine")),
        ("learning_rate_floor", (-0.1, 1.1, float("nan")), (0.0, 1.0)),
        ("ema_decay", (-0.1, 1.0, float("nan")), (0.0, 0.9999)),
        (
            "augmentation",
            ("flip", "color,flip", "ada,color"),
            ("", "ada", "color", "translation, cutout"),
        ),
        ("checkpoint_every", (0, -1), (1,)),
        ("evaluate_every", (0, -1), (1,)),
    ],
)
def test_training_ranges(name, refused, taken):
    _check_range(TrainingConfig, name, refused, taken)


@pytest.mark.parametrize(
    ("name", "refused", "taken"),
    [
        ("precision", ("float16", "bfloat16"), ("float32", "mixed_bfloat16", "mixed_float16")),
        ("strategy", ("tpu",), ("one_device", "mirrored", "multiworker")),
        ("seed", (-1, 2**31), (0, 2**31 - 1)),
    ],
)
def test_run_ranges(name, refused, taken):
    _check_range(RunConfig, name, refused, taken)


def _check_range(cls, name, refused, taken):
    for value in taken:
        assert getattr(cls(**{name: value}), name) == value
    for value in refused:
        with pytest.raises(InputError, match=f"^{name}: expected .*Received: ") as caught:
            cls(**{name: value})
        assert repr(value) in str(caught.value)


def test_every_field_has_a_range_test():
    tested = {
        mark.args[1][index][0]
        for test in (test_network_ranges, test_training_ranges, test_run_ranges)
        for mark in test.pytestmark
        for index in range(len(mark.args[1]))
    }
    fields = {
        field.name
        for cls in (NetworkConfig, TrainingConfig, RunConfig)
        for field in dataclasses.fields(cls)
    }
    free = {"preset", "data", "split", "skip_bad", "features", "network", "training"}
    assert tested == fields - free - {"stem_convolution", "smoothing"}


def test_every_name_has_its_function():
    assert list(losses.LOSSES) == list(Loss)
    assert list(augmentation.POLICIES) == list(Augmentation)


@pytest.mark.parametrize("loss", ["hinge", "wasserstein"])
def test_no_label_smoothing_without_labels(loss):
    with pytest.raises(InputError, match=f"label_smoothing: expected 0 with the {loss} loss"):
        TrainingConfig(loss=loss, label_smoothing=0.1)


@pytest.mark.parametrize("name", ["r1_gamma", "r2_gamma"])
def test_no_gradient_penalty_with_batch_norm(name):
    with pytest.raises(InputError, match=f"{name}: expected 0 with discriminator_norm='batch'"):
        RunConfig(
            network=NetworkConfig(discriminator_norm="batch"), training=TrainingConfig(**{name: 1.0})
        )


@pytest.mark.parametrize(
    ("size", "batch", "scale"), [(32, 64, 1.0), (64, 64, 4.0), (128, 64, 16.0), (32, 128, 0.5)]
)
def test_penalties_follow_size_and_batch(size, batch, scale):
    network, training = NetworkConfig(image_size=size), TrainingConfig(batch_size=batch)
    assert RunConfig(network=network, training=training).penalty_scale == pytest.approx(scale)


@pytest.mark.parametrize(
    ("size", "coarsest", "sizes"),
    [
        (28, 7, (28, 14, 7)),
        (28, 4, (28, 14, 7, 4)),
        (32, 4, (32, 16, 8, 4)),
        (36, 4, (36, 18, 9, 5)),
        (64, 4, (64, 32, 16, 8, 4)),
        (100, 4, (100, 50, 25, 13, 7, 4)),
        (16, 8, (16, 8)),
        (16, 1, (16, 8, 4, 2, 1)),
    ],
)
def test_sizes_of_feature_maps(size, coarsest, sizes):
    assert NetworkConfig(image_size=size, coarsest_size=coarsest).sizes == sizes
