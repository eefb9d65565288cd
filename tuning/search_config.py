"""What a search is: frozen, checked once, JSON both ways; and how much it may cost."""

import dataclasses

from dcgan.config import RunConfig
from dcgan.errors import InputError

ALGORITHMS = ("hyperband", "bayesian", "random")
OBJECTIVES = {"val_frechet_distance": "min", "val_kid": "min", "detector_auroc": "max"}
FACTOR = 3

_DEFAULT_TRIALS = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """Everything that decides how a search goes; together with the space it is `search.json`.

    Args:
        base: The run whose hyper-parameters are searched; what the space leaves alone stays.
        algorithm: "hyperband", "bayesian" or "random". Defaults to "hyperband".
        objective: "val_frechet_distance" or "val_kid", the lower the better, or "detector_auroc", the
            AUROC of a detector on fakes of generators it has not seen, the higher the better.
            Defaults to "val_frechet_distance".
        epochs: The most epochs that a trial is trained for. Defaults to 9.
        epoch_images: Images that an epoch of a trial takes, at most all. Defaults to 10,000.
        samples: How many samples a distance is measured with, at most as many as there are images.
            Defaults to 1,000.
        seed: Of the sampled points. Defaults to 0.

    Raises:
        InputError: If a value is not one of those.
    """

    base: RunConfig = dataclasses.field(default_factory=RunConfig)
    algorithm: str = "hyperband"
    objective: str = "val_frechet_distance"
    epochs: int = 9
    epoch_images: int = 10_000
    samples: int = 1_000
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks every value."""
        for name, choices in (("algorithm", ALGORITHMS), ("objective", tuple(OBJECTIVES))):
            if getattr(self, name) not in choices:
                raise InputError(
                    f"{name}: expected one of {', '.join(choices)}. Received: {getattr(self, name)!r}"
                )
        for name, least in (("epochs", 1), ("epoch_images", 1), ("samples", 100), ("seed", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name}: expected at least {least}. Received: {getattr(self, name)!r}")

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Budget:
    """When a search ends; whichever limit is reached first.

    Args:
        trials: The most trials. Defaults to None: no limit.
        epochs: The most epochs of all trials together. Defaults to None: no limit.
        minutes: The most wall-clock time, over all the times the search was started; trials under way
            are then cut short and measured. Defaults to None: no limit.

    Raises:
        InputError: If a limit is not above 0.
    """

    trials: int | None = None
    epochs: int | None = None
    minutes: float | None = None

    def __post_init__(self) -> None:
        """Checks every value."""
        for name, option in (("trials", "trials"), ("epochs", "max_epochs"), ("minutes", "max_minutes")):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise InputError(f"{option}: expected above 0. Received: {value!r}")

    @property
    def given(self) -> bool:
        """Whether there is any limit."""
        return (self.trials, self.epochs, self.minutes) != (None, None, None)

    def for_algorithm(self, algorithm: str) -> "Budget":
        """Returns the budget with 20 trials where an algorithm without an end has no limit."""
        if self.given or algorithm == "hyperband":
            return self
        return dataclasses.replace(self, trials=_DEFAULT_TRIALS)
