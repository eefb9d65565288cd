import json
import math

import keras_tuner
import pytest

from dcgan import presets
from dcgan.config import NetworkConfig, TrainingConfig
from dcgan.errors import InputError
from dcgan.model import DCGAN
from tuning import Parameter, Space


@pytest.fixture(scope="module")
def draw():
    """Draws points as KerasTuner does."""

    def draw(space, count):
        hp = keras_tuner.HyperParameters()
        space.declare(hp)
        oracle = keras_tuner.oracles.RandomSearchOracle(
            keras_tuner.Objective("score", "min"), max_trials=count, hyperparameters=hp, seed=1
        )
        for _ in range(count):
            hp.values = oracle._random_values()
            yield space.declare(hp)

    return draw


@pytest.mark.parametrize("preset", ["mnist", "article", "rgb64"])
def test_every_point_is_a_valid_configuration(draw, preset):
    base = presets.get(preset)
    space = Space()
    batch_normalised = 0
    for values in draw(space, 400):
        config = space.to_config(base, values)
        assert config.network.image_size == base.network.image_size
        for name, value in values.items():
            section = config.network if hasattr(config.network, name) else config.training
            wanted = value if isinstance(value, str) else pytest.approx(value, rel=1e-3)
            assert getattr(section, name) == wanted
        if config.network.discriminator_norm == "batch":
            batch_normalised += 1
            assert "r1_gamma" not in values
            assert config.training.r1_gamma == 0
        if config.training.loss == "hinge":
            assert "label_smoothing" not in values
            assert config.training.label_smoothing == 0
    assert 100 < batch_normalised < 300


def test_a_point_is_a_model(draw, tiny_space, make_config):
    base = make_config().base
    for values in draw(tiny_space, 2):
        model = DCGAN.from_preset(tiny_space.to_config(base, values))
        assert model.compiled
        assert model.generator.output_shape == (None, 28, 28, 1)


@pytest.mark.slow
def test_many_points_are_models(draw):
    space = Space()
    for values in draw(space, 40):
        DCGAN.from_preset(space.to_config(presets.get("mnist"), values))


def test_what_is_searched_by_default():
    assert set(Space().parameters) == {
        *("latent_dim", "generator_width", "discriminator_width", "kernel_size"),
        *("generator_norm", "discriminator_norm", "generator_learning_rate"),
        *("discriminator_learning_rate", "beta_1", "batch_size", "loss", "r1_gamma", "ema_decay"),
        *("label_smoothing", "augmentation"),
    }


def test_learning_rates_are_drawn_evenly_in_their_logarithm(draw):
    rates = [values["generator_learning_rate"] for values in draw(Space(), 300)]
    parameter = Space().parameters["generator_learning_rate"]
    middle = math.sqrt(parameter.low * parameter.high)
    assert 110 < sum(rate < middle for rate in rates) < 190
    samples = [Space().sample(seed)["generator_learning_rate"] for seed in range(300)]
    assert 110 < sum(rate < middle for rate in samples) < 190


def test_a_configuration_has_round_numbers():
    values = {**Space().sample(0), "generator_learning_rate": 0.000123456789}
    config = Space().to_config(presets.get("mnist"), values)
    assert config.training.generator_learning_rate == 0.0001235


def test_change_fixes_narrows_and_adds():
    space = Space().change(
        loss="hinge",
        latent_dim=[16, 32],
        beta_1={"low": 0.4, "high": 0.6},
        dropout={"low": 0, "high": 0.5},
        stem_convolution=[True, False],
        head_units={"low": 1, "high": 64, "log": True},
    )
    assert space.parameters["loss"].fixed
    config = space.to_config(presets.get("mnist"), space.sample(3))
    assert config.training.loss == "hinge"
    assert config.network.latent_dim in (16, 32)
    assert 0.4 <= config.training.beta_1 <= 0.6
    assert 0 <= config.network.dropout <= 0.5
    assert type(config.network.stem_convolution) is bool
    assert type(config.network.head_units) is int


def test_values_pass_through_keras_tuner_as_what_they_are(draw):
    space = Space().change(stem_convolution=[True, False], ema_decay=0, head_units={"low": 1, "high": 9})
    for values in draw(space, 20):
        config = space.to_config(presets.get("mnist"), values)
        assert type(config.network.stem_convolution) is bool
        assert type(config.training.ema_decay) is float
        assert type(config.network.head_units) is int


def test_a_change_keeps_the_condition_unless_it_has_its_own():
    space = Space().change(r1_gamma={"low": 0.01, "high": 1, "log": True})
    assert space.parameters["r1_gamma"].when == {"discriminator_norm": ("none",)}
    space = Space().change(dropout={"choice": [0.1, 0.3], "when": {"loss": "hinge"}})
    assert space.parameters["dropout"].when == {"loss": ("hinge",)}
    assert space.to_config(presets.get("mnist"), {"loss": "least_squares"}).network.dropout == 0.3


def test_parents_come_first():
    space = Space().change(kernel_size={"choice": [3, 5], "when": {"loss": ["hinge"]}})
    names = list(space.parameters)
    assert names.index("loss") < names.index("kernel_size")


def test_json_and_toml_say_the_same(tmp_path):
    changes = {"loss": "hinge", "beta_1": {"low": 0.0, "high": 0.5}, "latent_dim": [8, 16]}
    (tmp_path / "space.json").write_text(json.dumps(changes))
    (tmp_path / "space.toml").write_text(
        'loss = "hinge"\nlatent_dim = [8, 16]\n[beta_1]\nlow = 0.0\nhigh = 0.5\n'
    )
    assert Space.load(tmp_path / "space.json") == Space.load(tmp_path / "space.toml")
    assert Space.load(tmp_path / "space.json") == Space().change(**changes)


def test_to_dict_makes_the_same_space():
    space = Space().change(dropout={"low": 0.0, "high": 0.5})
    assert Space({}).change(**json.loads(json.dumps(space.to_dict()))) == space


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": [1]}, "width: expected one of latent_dim"),
        ({"image_size": [28]}, "image_size: expected one of"),
        ({"generator_width": [0, 32]}, "generator_width: expected at least 1. Received: 0"),
        ({"generator_width": {"low": 0, "high": 64}}, "generator_width: expected at least 1"),
        ({"generator_learning_rate": 0.0}, "generator_learning_rate: expected above 0"),
        ({"generator_learning_rate": {"low": 1, "high": 0.1}}, "expected low below high"),
        ({"generator_learning_rate": {"low": 0, "high": 1, "log": True}}, "low above 0 with log"),
        ({"beta_1": {"low": 0.0, "high": 1.0}}, "beta_1: expected 0 to below 1. Received: 1.0"),
        ({"loss": ["hinge", "huge"]}, "loss: expected one of non_saturating"),
        ({"loss": {"low": 1, "high": 2}}, "loss: expected a choice"),
        ({"latent_dim": [8.5]}, "latent_dim: expected values of type int. Received: 8.5"),
        ({"latent_dim": []}, "latent_dim: expected low below high"),
        ({"latent_dim": {"choice": [8], "low": 1}}, "latent_dim: expected either choice or low"),
        ({"latent_dim": {"values": [8]}}, "latent_dim: values: expected one of choice, low"),
        ({"latent_dim": {"choice": [8], "when": {"depth": [1]}}}, "latent_dim: when: expected param"),
        ({"loss": {"choice": ["hinge"], "when": {"loss": ["hinge"]}}}, "depend on itself"),
    ],
)
def test_what_no_model_can_have_is_refused(changes, message):
    with pytest.raises(InputError, match="(?s)" + message):
        Space().change(**changes)


@pytest.mark.parametrize("text", ["[1]", "{", "", "\ufeff"])
def test_a_file_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "space.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"space.json: expected"):
        Space.load(path)
    with pytest.raises(InputError, match=r"none.toml: expected a search space"):
        Space.load(tmp_path / "none.toml")


def test_contradictions_are_found_before_the_search():
    free = Parameter(choice=(0.0, 1.0))
    with pytest.raises(InputError, match="search space: r1_gamma: expected 0 with discriminator_norm"):
        Space().change(r1_gamma=free).check(presets.get("mnist"))
    Space().check(presets.get("mnist"))


def test_the_defaults_fit_the_configurations():
    fields = {**vars(NetworkConfig()), **vars(TrainingConfig())}
    assert set(Space().parameters) <= set(fields)
