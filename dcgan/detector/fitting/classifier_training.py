"""Training: a detector learns from reals and a pool of fakes."""

import math
import os
import pathlib

import keras
import numpy as np
import tensorflow as tf

from dcgan.data.indexed_images import Images
from dcgan.detector.detector_config import DetectorConfig
from dcgan.detector.detector_model import Detector
from dcgan.detector.fakes.fake_pool import FakePool
from dcgan.detector.fit_progress import FitProgress, Progress, ignore
from dcgan.detector.fitting import training_batches
from dcgan.detector.start import colour_classifier

_WARM_UP = 0.06
# What a detector has learned later counts for more than the start, which may never have seen its like.
_START_FACTOR = 0.15
_PROCESSOR = pathlib.Path("/proc/cpuinfo")


def train(
    discriminator: keras.Model,
    pool: FakePool,
    reals: Images,
    *,
    config: DetectorConfig,
    progress: Progress = ignore,
) -> tuple[Detector, dict[str, Detector]]:
    """Trains a detector on all fakes of a pool, and others briefly without each family of fakes.

    Args:
        discriminator: Maps images to logits, positive for real. It is left unchanged.
        pool: The fakes.
        reals: Shape (images, height, width, channels), uint8.
        config: Steps, batch size, learning rate, width and seed.
        progress: Called after each step. Defaults to nothing.

    Returns:
        The detector, not yet calibrated, and the folds: detectors by the family that they have not
        learned from. There are no folds if there is only one family.
    """
    families = np.unique(pool.families).tolist()
    folds = len(families) if len(families) > 1 else 0
    tasks = [(pool, config.steps, FitProgress(progress, "detector"))]
    for part, family in enumerate(families[:folds]):
        callback = FitProgress(progress, "calibration", part=part, parts=folds)
        tasks.append((pool.where(pool.families != family), config.fold_steps, callback))
    detector, *others = (
        _train(discriminator, part, reals, config, steps=steps, callback=callback)
        for part, steps, callback in tasks
    )
    return detector, dict(zip(families[:folds], others, strict=True))


def train_on(
    detector: Detector,
    pool: FakePool,
    reals: Images,
    *,
    config: DetectorConfig,
    steps: int,
    progress: Progress = ignore,
) -> Detector:
    """Trains a copy of a detector on.

    Args:
        detector: A trained detector. It is left unchanged.
        pool: The fakes.
        reals: Shape (images, height, width, channels), uint8.
        config: As for `train`, with the learning rate to go on at.
        steps: Training steps.
        progress: Called after each step. Defaults to nothing.

    Returns:
        The copy, not yet calibrated and without a measure of familiarity.
    """
    callback = FitProgress(progress, "learning")
    discriminator = detector.discriminator
    return _train(
        discriminator, pool, reals, config, steps=steps, callback=callback, former=detector.classifier
    )


@keras.saving.register_keras_serializable(package="dcgan")
class KernelMuon(keras.optimizers.Muon):
    """Keras's Muon, extended to convolutions: kernels count as matrices of inputs by outputs.

    Keras's own updates only two-dimensional kernels by Muon. Vectors, and kernels with a single
    output, are still updated by AdamW.

    Takes the arguments of `keras.optimizers.Muon`.
    """

    def lr_adjust(self, x: tf.Tensor) -> tf.Tensor:
        """Scales an update by the size of its matrix."""
        return x * self.rms_rate * max(math.prod(x.shape[:-1]), x.shape[-1]) ** 0.5

    def zeropower_via_newtonschulz5(self, x: tf.Tensor, steps: int) -> tf.Tensor:
        """Brings all singular values of a gradient's matrix to about 1."""
        matrix = tf.reshape(x, (-1, x.shape[-1]))
        return tf.reshape(super().zeropower_via_newtonschulz5(matrix, steps), x.shape)

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) < 2 or variable.shape[-1] == 1


def _train(
    discriminator: keras.Model,
    pool: FakePool,
    reals: Images,
    config: DetectorConfig,
    *,
    steps: int,
    callback: keras.callbacks.Callback,
    former: keras.Model | None = None,
) -> Detector:
    """Trains a new classifier, or a copy of a former one."""

    def build(precision: str) -> Detector:
        return Detector.from_discriminator(
            discriminator, width=config.width, precision=precision, seed=config.seed
        )

    detector, fast = build("float32"), build(fastest_precision())
    if former is not None:
        for each in (detector, fast):
            each.classifier.set_weights(former.get_weights())
    learner = colour_classifier.learner_of(fast.classifier)
    learner.compile(
        optimizer(config.learning_rate, steps), keras.losses.BinaryCrossentropy(from_logits=True)
    )
    dataset = training_batches.training_batches(
        reals, pool, batch_size=config.batch_size, steps=steps, seed=config.seed
    )
    learner.fit(dataset, steps_per_epoch=steps, callbacks=[callback], verbose=0, shuffle=False)
    # Another model: scores are computed in float32, and a file would hold the optimizer as well.
    classifier = detector.classifier
    colour_classifier.learner_of(classifier).set_weights(learner.get_weights())
    if colour_classifier.has_start(classifier):
        factor = 1.0 if former is None else _START_FACTOR
        colour_classifier.standardise(classifier, reals, start_factor=factor, seed=config.seed)
    return detector


def fastest_precision() -> str:
    """The faster of two precisions that train equally well, on this machine's processor."""
    flags = _PROCESSOR.read_text() if _PROCESSOR.is_file() else ""
    # TensorFlow asks the processor for bfloat16 even where oneDNN is told not to use all of it.
    capped = "ONEDNN_MAX_CPU_ISA" in os.environ
    fast = ("avx512_bf16" in flags or "amx_bf16" in flags) and not capped
    return "mixed_bfloat16" if fast else "float32"


def optimizer(learning_rate: float, steps: int) -> KernelMuon:
    """Returns the detector's optimizer, whose step size warms up, then falls to 0 along a cosine.

    Args:
        learning_rate: Its peak.
        steps: Length of the training.
    """
    rising = max(1, int(_WARM_UP * steps))
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rising), warmup_target=learning_rate, warmup_steps=rising
    )
    return KernelMuon(
        rate, adam_lr_ratio=0.3, adam_beta_2=0.99, weight_decay=0.1, adam_weight_decay=None
    )
