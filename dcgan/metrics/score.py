"""A metric's value with everything that is needed to compare it with another."""

import dataclasses

HIGHER_IS_BETTER = {
    "frechet_distance": False,
    "kid": False,
    "precision": True,
    "recall": True,
    "density": True,
    "coverage": True,
    "class_divergence": False,
    "class_entropy": True,
    "classifier_score": True,
}
"""The metrics by name, and whether more is better."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Score:
    """One metric's value for a set of fakes, as `evaluate_features` returns it.

    Attributes:
        name: A key of `HIGHER_IS_BETTER`.
        value: The value.
        spread: Standard deviation over subsets, for metrics that are averaged over them.
        features: Name of the feature extractor.
        real_count: How many real images were compared with.
        fake_count: How many fakes were measured.
        seed: Seed of every draw.
        floor: The score of as many held-out real images in the fakes' place, which a perfect generator
            would get; None where there are none.
    """

    name: str
    value: float
    spread: float | None = None
    features: str
    real_count: int
    fake_count: int
    seed: int
    floor: float | None = None

    def __post_init__(self) -> None:
        if self.name not in HIGHER_IS_BETTER:
            raise ValueError(
                f"Expected a metric of {', '.join(HIGHER_IS_BETTER)}. Received: name={self.name!r}"
            )

    @property
    def higher_is_better(self) -> bool:
        """Whether more is better."""
        return HIGHER_IS_BETTER[self.name]
