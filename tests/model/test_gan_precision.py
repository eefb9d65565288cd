import keras
import numpy as np
import pytest

import helpers
from dcgan.config import RunConfig, TrainingConfig
from dcgan.model import DCGAN


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_low_precision_steps_are_finite(tiny_network, make_images, precision):
    config = RunConfig(
        network=tiny_network,
        training=TrainingConfig(
            ema_decay=0.9, r1_gamma=1.0, penalty_interval=2, augmentation="translation"
        ),
        precision=precision,
    )
    model = DCGAN.from_preset(config)
    scaled = precision == "mixed_float16"
    for optimizer in (model.generator_optimizer, model.discriminator_optimizer):
        assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer) == scaled
    before = model.generator.get_weights()
    history = helpers.fit(model, make_images(16, size=28))
    assert np.isfinite(list(history.values())).all()
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    assert not np.array_equal(before[0], model.generator.get_weights()[0])
    assert model.generate(2).dtype == np.float32


@pytest.mark.usefixtures("eager")
def test_scaled_steps_are_those_of_float32(make_gan, make_images):
    """What half precision's loss is multiplied by, its gradients are divided by."""
    moves = []
    for precision in ("float32", "mixed_float16"):
        model = make_gan(precision=precision).compile(**helpers.sgd())
        networks = model.generator, model.discriminator
        before = [np.concatenate([w.ravel() for w in net.get_weights()]) for net in networks]
        helpers.fit(model, make_images(4))
        after = [np.concatenate([w.ravel() for w in net.get_weights()]) for net in networks]
        moves.append([b - a for a, b in zip(before, after, strict=True)])
    for full, half in zip(*moves, strict=True):
        assert np.linalg.norm(half - full) < 0.02 * np.linalg.norm(full)


def test_a_given_loss_scale_optimizer_is_kept(make_gan):
    given = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    model = make_gan(precision="mixed_float16").compile(given, keras.optimizers.SGD(0.1))
    assert model.generator_optimizer is given
    assert isinstance(model.discriminator_optimizer, keras.optimizers.LossScaleOptimizer)
