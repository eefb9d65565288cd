import keras
import pytest

from dcgan import features
from dcgan.config import NetworkConfig, RunConfig
from dcgan.errors import InputError


@pytest.mark.parametrize(
    ("data", "image_size", "channels", "expected"),
    [
        ("mnist", 28, 1, "mnist"),
        ("tfds:mnist", 28, 1, "mnist"),
        ("mnist", 32, 1, "random"),
        ("mnist", 28, 3, "random"),
        ("fashion_mnist", 28, 1, "random"),
        ("/images/mnist", 28, 1, "random"),
    ],
)
def test_the_rule(data, image_size, channels, expected):
    assert features.for_data(data, image_size=image_size, channels=channels) == expected


@pytest.mark.parametrize(
    ("extractor", "data", "expected"),
    [("auto", "mnist", "mnist"), ("auto", "faces", "random"), ("random", "mnist", "random")],
)
def test_of_a_run(extractor, data, expected):
    assert features.for_run(RunConfig(features=extractor, data=data)).name == expected


def test_a_run_may_want_none():
    assert features.for_run(RunConfig(features="none")) is None


def test_a_file(tmp_path):
    keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()]).save(tmp_path / "mine.keras")
    assert features.for_run(RunConfig(features=str(tmp_path / "mine.keras"))).name == "mine"


def test_a_feature_extractor_of_another_shape_is_one_line():
    config = RunConfig(features="mnist", network=NetworkConfig(image_size=32))
    with pytest.raises(InputError, match=r"features mnist: .*\(32, 32, 1\); it takes \(28, 28, 1\)"):
        features.for_run(config)
