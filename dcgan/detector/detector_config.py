"""How much work goes into a detector, in proportion to the run that it belongs to."""

import dataclasses
from typing import Self

from dcgan.config import RunConfig
from dcgan.errors import InputError


@dataclasses.dataclass(frozen=True, kw_only=True)
class DetectorConfig:
    """Everything that decides how a detector ends.

    Args:
        steps: Training steps of the detector. Defaults to 4,500.
        fold_steps: Training steps of each network that is kept from one family of fakes, for the
            calibration. Defaults to 200.
        replay_steps: Training steps for which a copy of the run's own model goes on. Defaults to 160.
        zoo_steps: Training steps of each GAN of the zoo. Defaults to 200.
        rebuild_steps: Training steps of the autoencoders and denoisers. Defaults to 240.
        pool_size: Fakes in the pool. Defaults to 30,000.
        batch_size: Images a step, half of them fakes. Defaults to 64.
        learning_rate: Muon's, rising at first and then falling to 0. Defaults to 0.012.
        width: Of the classifier, see `network.build_classifier`. Defaults to 32.
        false_positive_rate: Bound on the share of reals called fake. Defaults to 0.01.
        miss_rate: Share of unseen generators' fakes that may be called real; between the two, the
            decision is "unsure". Defaults to 0.02.
        seed: Of everything random. Defaults to 0.

    Raises:
        InputError: If a value is out of range.
    """

    steps: int = 4_500
    fold_steps: int = 200
    replay_steps: int = 160
    zoo_steps: int = 200
    rebuild_steps: int = 240
    pool_size: int = 30_000
    batch_size: int = 64
    learning_rate: float = 0.012
    width: int = 32
    false_positive_rate: float = 0.01
    miss_rate: float = 0.02
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks every value."""
        for name in _STEPS:
            if getattr(self, name) < 1:
                raise InputError(f"{name}: expected at least 1. Received: {getattr(self, name)!r}")
        if self.width < 2 or self.width % 2:
            raise InputError(f"width: expected an even number from 2. Received: {self.width!r}")
        if self.batch_size < 8 or self.batch_size % 2:
            raise InputError(
                f"batch_size: expected an even number from 8. Received: {self.batch_size!r}"
            )
        for name in ("false_positive_rate", "miss_rate"):
            if not 0 < getattr(self, name) < 1:
                raise InputError(
                    f"{name}: expected above 0 and below 1. Received: {getattr(self, name)!r}"
                )

    @classmethod
    def for_run(
        cls,
        config: RunConfig,
        *,
        images: int,
        seed: int = 0,
        **values: float,
    ) -> Self:
        """Scales the defaults to a run: half the default preset's steps, half the work.

        Args:
            config: The run.
            images: How many images it trained on.
            seed: Of everything random. Defaults to 0.
            **values: Other settings.
        """
        training = config.training
        share = min(1.0, training.epochs * (images // training.batch_size) / _FULL_RUN)
        scaled = {name: max(1, round(getattr(cls, name) * share)) for name in _STEPS}
        image_bytes = config.network.image_size**2 * config.network.channels
        pool_size = min(max(_SMALLEST_POOL, int(cls.pool_size * share)), _POOL_BYTES // image_bytes)
        given = {"pool_size": pool_size, "seed": seed}
        return cls(**{**scaled, **given, **values})


_STEPS = ("steps", "fold_steps", "replay_steps", "zoo_steps", "rebuild_steps")
# Steps of a run of the default preset, for which the defaults are meant.
_FULL_RUN = 7_500
# Three versions of every fake are in memory as a detector learns.
_POOL_BYTES = 2**28
_SMALLEST_POOL = 3_000
