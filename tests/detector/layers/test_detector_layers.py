import pytest

from dcgan.detector.layers.traces import ClippedTraces, Traces
from layer_checks import POLICIES, check_layer


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("gain", "channels"), [(20.0, 1), (5.0, 3)])
def test_traces(gain, channels, policy, tmp_path):
    check_layer(
        Traces,
        {"gain": gain},
        policy=policy,
        tmp_path=tmp_path,
        input_shape=(12, 16, channels),
        output_shape=(12, 16, 4 * channels),
    )


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("gain", [20.0, 5.0])
def test_clipped_traces(gain, policy, tmp_path):
    check_layer(
        ClippedTraces,
        {"gain": gain},
        policy=policy,
        tmp_path=tmp_path,
        input_shape=(12, 16, 3),
        output_shape=(12, 16, 9),
    )
