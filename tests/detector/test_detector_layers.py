import pytest

from dcgan.detector.layers.image_statistics import Framing, Levels
from dcgan.detector.layers.quantile_encoding import FeatureEmbedding, QuantileEncoding
from dcgan.detector.layers.texture import Texture
from layer_checks import POLICIES, check_layer


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("cls", "length"), [(Framing, 188), (Levels, 22), (Texture, 47)])
@pytest.mark.parametrize("channels", [1, 3])
def test_statistics(cls, length, channels, policy, tmp_path):
    check_layer(
        cls,
        {},
        policy=policy,
        tmp_path=tmp_path,
        input_shape=(12, 16, channels),
        output_shape=(length * channels,),
    )


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("bins", [1, 16])
def test_quantile_encoding(bins, policy, tmp_path):
    check_layer(
        QuantileEncoding,
        {"bins": bins},
        policy=policy,
        tmp_path=tmp_path,
        input_shape=(5,),
        output_shape=(bins, 5),
    )


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("units", "seed"), [(1, 0), (8, 3)])
def test_feature_embedding(units, seed, policy, tmp_path):
    check_layer(
        FeatureEmbedding,
        {"units": units, "seed": seed},
        policy=policy,
        tmp_path=tmp_path,
        input_shape=(4, 5),
        output_shape=(5 * units,),
    )
