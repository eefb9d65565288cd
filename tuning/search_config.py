"""What a search is, and how much it may cost."""

import dataclasses

from dcgan import schema
from dcgan.config import RunConfig
from dcgan.schema import above, at_least, field, one_of

ALGORITHMS = ("hyperband", "bayesian", "random")
OBJECTIVES = {"val_frechet_distance": "min", "val_kid": "min", "detector_auroc": "max"}
FACTOR = 3

_DEFAULT_TRIALS = 20


class SearchConfig(schema.Config):
    """Everything that decides how a search goes; together with the space it is `search.json`.

    Example:
        >>> config = tuning.SearchConfig(base=dcgan.presets.get("mnist"), algorithm="bayesian", epochs=3)
        >>> config.base.data, config.objective
        ('mnist', 'val_frechet_distance')
    """

    base: RunConfig = field(
        "The run whose hyper-parameters are searched; what the space leaves alone stays.",
        default=RunConfig(),
    )
    algorithm: str = field("How trials are chosen.", one_of(*ALGORITHMS), default="hyperband")
    objective: str = field(
        "What is made best: a distance of the samples, or the AUROC of a detector on generators that it "
        "has not seen.",
        one_of(*OBJECTIVES),
        default="val_frechet_distance",
    )
    epochs: int = field("Most epochs of a trial.", at_least(1), default=9)
    epoch_images: int = field(
        "Images in an epoch of a trial, or all if there are fewer.", at_least(1), default=10_000
    )
    samples: int = field(
        "Samples to measure a distance with, or as many as there are images if those are fewer.",
        at_least(100),
        default=1_000,
    )
    seed: int = field("Seed of the points that are tried.", at_least(0), default=0)

    @property
    def direction(self) -> str:
        """Whether the objective is better when it is lower ("min") or higher ("max")."""
        return OBJECTIVES[self.objective]

    @property
    def rungs(self) -> tuple[int, ...]:
        """The epochs after which trials are measured: 1, 3, 9 and so on, and the last."""
        powers = [FACTOR**power for power in range(self.epochs) if FACTOR**power < self.epochs]
        return (*powers, self.epochs)

    def steps(self, batch_size: int, *, images: int) -> int:
        """Returns how many steps an epoch of a trial has.

        Args:
            batch_size: The trial's.
            images: How many images there are.
        """
        return max(1, min(self.epoch_images, images) // batch_size)


class Budget(schema.Config):
    """When a search ends: at whichever limit is reached first.

    Example:
        >>> tuning.Budget(trials=20, minutes=60)
        Budget(trials=20, epochs=None, minutes=60.0)
    """

    trials: int | None = field("Most trials.", above(0), default=None)
    epochs: int | None = field(
        "Most epochs of all trials together.", above(0), default=None, option="max_epochs"
    )
    minutes: float | None = field(
        "Most minutes over all starts of the search; trials under way are then cut short and measured.",
        above(0),
        default=None,
        option="max_minutes",
    )

    @property
    def given(self) -> bool:
        """Whether there is any limit."""
        return (self.trials, self.epochs, self.minutes) != (None, None, None)

    def for_algorithm(self, algorithm: str) -> "Budget":
        """Returns the budget with 20 trials where an algorithm without an end has no limit."""
        if self.given or algorithm == "hyperband":
            return self
        return dataclasses.replace(self, trials=_DEFAULT_TRIALS)
