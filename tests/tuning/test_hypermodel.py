import keras
import keras_tuner
import pytest

from dcgan import presets
from dcgan.errors import InputError
from tuning import DCGANHyperModel, SearchConfig


def test_a_cosine_ends_with_the_last_epoch_of_the_longest_trial(
    make_config, tiny_space, noise, noise_reference, tmp_path
):
    base = presets.override(make_config().base, training={"learning_rate_schedule": "cosine"})
    config = SearchConfig(**{**vars(make_config()), "base": base})
    hypermodel = DCGANHyperModel(
        config, tmp_path, space=tiny_space, images=noise, reference=noise_reference
    )
    hp = keras_tuner.HyperParameters()
    model = hypermodel.build(hp)
    steps = config.steps(hp.get("batch_size"), images=160)
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        rate = optimizer.get_config()["learning_rate"]["config"]
        assert rate["decay_steps"] == steps * config.epochs


@pytest.mark.parametrize("limit", ["max_epochs", "max_steps_per_epoch"])
def test_keras_limits_would_falsify_trials(search, monkeypatch, limit, tmp_path):
    monkeypatch.setattr(keras.config, limit, lambda: 1)
    with pytest.raises(InputError, match=f"KERAS_{limit.upper()}=1: expected it unset"):
        search()
    assert not (tmp_path / "search").exists()
