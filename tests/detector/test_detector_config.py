import pytest

from dcgan import presets
from dcgan.detector import DetectorConfig
from dcgan.errors import InputError


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("steps", 0, "at least 1"),
        ("zoo_steps", 0, "at least 1"),
        ("batch_size", 9, "a multiple of 2, at least 8"),
        ("width", 0, "at least 1"),
        ("continuation_steps", 0, "at least 1"),
        ("false_positive_rate", 0, "above 0 and below 1"),
        ("miss_rate", 1.0, "above 0 and below 1"),
        ("confidence", 1.0, "above 0 and below 1"),
        ("deliveries", "'fog'", "names of deliveries, joined by commas"),
    ],
)
def test_values_out_of_range_are_refused_by_name(name, value, expected):
    with pytest.raises(InputError, match=f"{name}: expected {expected}. Received: {value}"):
        DetectorConfig(**{name: value.strip("'") if isinstance(value, str) else value})


def test_work_is_in_proportion_to_the_run():
    default = DetectorConfig()
    config = presets.get("mnist")
    longer = presets.override(config, training={"epochs": 2 * config.training.epochs})
    assert DetectorConfig.for_run(longer, images=60_000) == default
    half = presets.override(config, training={"epochs": config.training.epochs // 2})
    for_half = DetectorConfig.for_run(half, images=60_000)
    assert for_half.steps == pytest.approx(default.steps / 2, rel=0.01)
    assert for_half.pool_size == pytest.approx(default.pool_size / 2, rel=0.01)
    # However short a run was, its detector has some fakes to learn from.
    brief = DetectorConfig.for_run(config, images=config.training.batch_size)
    assert (brief.pool_size, brief.fold_steps >= 1) == (3_000, True)


def test_pools_of_large_images_fit_into_memory():
    config = presets.get("rgb128")
    large = DetectorConfig.for_run(config, images=10**6)
    network = config.network
    assert large.pool_size * network.image_size**2 * network.channels <= 2**28


def test_a_rate_that_the_images_can_certify():
    config = DetectorConfig()
    assert config.certify(5_000, None) == config
    assert config.certify(60, None).false_positive_rate == pytest.approx(1 - (0.05 / 34) ** (1 / 60))
    assert DetectorConfig(deliveries="blur").certify(299, 0.01).false_positive_rate == 0.01
    with pytest.raises(InputError, match="at least 649 real images"):
        config.certify(648, 0.01)
