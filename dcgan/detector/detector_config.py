"""How much work goes into a detector, in proportion to the run that it belongs to."""

import dataclasses
from typing import Self

from dcgan import schema
from dcgan.config import RunConfig
from dcgan.detector import certificate
from dcgan.errors import InputError
from dcgan.schema import Rule, above, at_least, field, multiple_of


def _names_deliveries(text: str) -> bool:
    try:
        return bool(certificate.parse_deliveries(text))
    except InputError:
        return False


class DetectorConfig(schema.Config):
    """Everything that decides how a detector ends.

    Example:
        >>> config = dcgan.detector.DetectorConfig(steps=1000, deliveries="as they are, jpeg 75")
        >>> config.certified
        ('as they are', 'jpeg 75')
    """

    steps: int = field("Training steps of the detector.", at_least(1), default=4_400)
    fold_steps: int = field(
        "Training steps of each network that is kept from one family of fakes, for the calibration.",
        at_least(1),
        default=200,
    )
    continuation_steps: int = field(
        "Steps for which each copy of the run's own model trains on.", at_least(1), default=120
    )
    familiarity_steps: int = field(
        "Training steps of the network that measures familiarity.", at_least(1), default=800
    )
    zoo_steps: int = field("Training steps of each GAN in the zoo.", at_least(1), default=160)
    rebuild_steps: int = field(
        "Training steps of the autoencoders and denoisers.", at_least(1), default=240
    )
    pool_size: int = field("Fakes in the pool.", at_least(1), default=30_000)
    batch_size: int = field(
        "Images in a step, half of them fakes.", multiple_of(2, at_least(8)), default=64
    )
    learning_rate: float = field(
        "Muon's step size at its peak; it warms up, then falls to 0.", above(0), default=0.012
    )
    width: int = field(
        "Width of the classifier of grey images, see `build_classifier`.", at_least(1), default=32
    )
    false_positive_rate: float = field(
        "Bound on the share of reals called fake.", above(0, below=1), default=0.01
    )
    confidence: float = field(
        "The least probability, over draws of the calibration images, that the bound holds.",
        above(0, below=1),
        default=0.95,
    )
    deliveries: str = field(
        "The deliveries that the bound is to hold under; `default` is all named ones but "
        f"{certificate.NOT_CERTIFIED}.",
        Rule("names of deliveries, joined by commas", _names_deliveries),
        default=certificate.DEFAULT,
    )
    miss_rate: float = field(
        "Share of unseen generators' fakes that may be called real; scores between the two thresholds "
        "are unsure.",
        above(0, below=1),
        default=0.02,
    )
    seed: int = field("Seed of everything random.", at_least(0), default=0)

    @property
    def certified(self) -> tuple[str, ...]:
        """The names in `deliveries`."""
        return certificate.parse_deliveries(self.deliveries)

    def certify(self, reals: int, false_positive_rate: float | None) -> Self:
        """Returns the config with a false positive rate that the calibration images can certify.

        Args:
            reals: How many calibration images there are.
            false_positive_rate: None for the config's own, or for the lowest possible if that is higher.

        Raises:
            InputError: If there are too few images for the rate that was given.
        """
        confidence, count = self.confidence, len(self.certified)
        if false_positive_rate is None:
            lowest = certificate.lowest_rate(reals, confidence=confidence, deliveries=count)
            return dataclasses.replace(self, false_positive_rate=max(self.false_positive_rate, lowest))
        certificate.check_count(reals, false_positive_rate, confidence=confidence, deliveries=count)
        return dataclasses.replace(self, false_positive_rate=false_positive_rate)

    @classmethod
    def for_run(cls, config: RunConfig, *, images: int, seed: int = 0, **values: float | str) -> Self:
        """Scales the defaults to a run: half the default preset's steps, half the work.

        Args:
            config: The run's config.
            images: How many images it trained on.
            seed: Seed of everything random. Defaults to 0.
            **values: Other values of the config.
        """
        training = config.training
        share = min(1.0, training.epochs * (images // training.batch_size) / _FULL_RUN)
        scaled = {name: max(1, round(getattr(cls, name) * share)) for name in _STEPS}
        image_bytes = config.network.image_size**2 * config.network.channels
        pool_size = min(max(_SMALLEST_POOL, int(cls.pool_size * share)), _POOL_BYTES // image_bytes)
        return cls.from_dict({**scaled, "pool_size": pool_size, "seed": seed, **values})


_STEPS = (
    "steps",
    "fold_steps",
    "familiarity_steps",
    "continuation_steps",
    "zoo_steps",
    "rebuild_steps",
)
# Steps of a run of the default preset, which the defaults are meant for.
_FULL_RUN = 11_250
# Three versions of every fake are in memory while a detector trains.
_POOL_BYTES = 2**28
_SMALLEST_POOL = 3_000
