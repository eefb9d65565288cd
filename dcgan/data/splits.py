"""Which images a split such as "train[:10%]+test" stands for.

The syntax is that of TensorFlow Datasets: split names, each with an optional slice in images or
percent, joined by "+"; "all" is everything. The rules where a source says less than that:

- A source with `train` but no `test` of its own tests on `validation` (or `val`) if it has one;
  else the last 10 % of `train` become `test`, and `train` is the rest.
- A source without any splits is shuffled by a fixed seed; 10 % of it, at least one image, are
  `test` and the rest is `train`, whatever else is asked for. `all` keeps the source's order.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence

import numpy as np

from dcgan import errors

_TERM = re.compile(r"([\w-]+)(?:\[(-?[\d.]*)(%?):(-?[\d.]*)(%?)\])?")
_HELD_OUT = 0.1
_SEED = 0


@dataclasses.dataclass(frozen=True)
class Part:
    """The images from `start` up to `stop` of the split `name` that the source itself has."""

    name: str
    start: int
    stop: int

    @property
    def count(self) -> int:
        """How many images it has."""
        return self.stop - self.start


def of_declared(split: str, sizes: Mapping[str, int], *, source: str) -> list[Part]:
    """Finds the images of a split of a source that has splits of its own.

    Args:
        split: What is asked for, such as "train[:1000]" or "train+test".
        sizes: How many images each of the source's splits has.
        source: The source's name, for errors.

    Returns:
        The parts, in the order in which they are to be joined; at least one image together.

    Raises:
        InputError: If `split` is not understood, names no split of the source or has no images.
    """
    whole = [Part(name, 0, size) for name, size in sizes.items()]
    parts = _parse(split, _with_test(sizes), everything=whole, source=source)
    return _not_empty(parts, split=split, source=source)


def of_undeclared(split: str, count: int, *, source: str) -> np.ndarray:
    """Finds the images of a split of a source that has no splits of its own.

    Args:
        split: What is asked for: "all", "train" or "test", with slices and joined by "+".
        count: How many images the source has.
        source: The source's name, for errors.

    Returns:
        Positions in the source, shape (images of the split,), int64.

    Raises:
        InputError: If `split` is not understood, names another split or has no images.
    """
    order = np.random.default_rng(_SEED).permutation(count)
    held_out = _held_out(count)
    orders = {
        "train": order[: count - held_out],
        "test": order[count - held_out :],
        "all": np.arange(count),
    }
    known = {name: Part(name, 0, len(positions)) for name, positions in orders.items()}
    parts = _parse(split, known, everything=[known["all"]], source=source)
    parts = _not_empty(parts, split=split, source=source)
    return np.concatenate([orders[part.name][part.start : part.stop] for part in parts])


def join(stacks: Sequence[np.ndarray]) -> np.ndarray:
    """Concatenates stacks of images or labels; a single one is returned without a copy."""
    return stacks[0] if len(stacks) == 1 else np.concatenate(stacks)


def _held_out(count: int) -> int:
    return max(1, round(count * _HELD_OUT))


def _with_test(sizes: Mapping[str, int]) -> dict[str, Part]:
    """Returns the splits that can be asked for, a test split among them wherever possible."""
    known = {name: Part(name, 0, size) for name, size in sizes.items()}
    if "test" in known:
        return known
    for name in ("validation", "val"):
        if name in known:
            return known | {"test": known[name]}
    if "train" in known:
        size = sizes["train"]
        border = size - min(size, _held_out(size))
        known |= {"train": Part("train", 0, border), "test": Part("train", border, size)}
    return known


def _parse(split: str, known: Mapping[str, Part], *, everything: list[Part], source: str) -> list[Part]:
    parts = []
    for term in split.split("+"):
        match = _TERM.fullmatch(term.strip())
        if match and term.strip() == "all":
            parts += everything
        elif match and match[1] in known:
            parts.append(_slice(known[match[1]], match, split=split))
        else:
            names = ", ".join(dict.fromkeys([*known, "all"]))
            raise errors.InputError(
                f"split {split!r} of {source}: expected one of {names}, with slices such as "
                "train[:1000] or train[10%:20%], joined by +"
            )
    return parts


def _slice(whole: Part, match: re.Match[str], *, split: str) -> Part:
    """Applies a slice as TensorFlow Datasets does: percents round, bounds must lie inside."""
    _, start, start_unit, stop, stop_unit = match.groups()
    percent = bool(start_unit or stop_unit)
    bounds = []
    for text, default in ((start, 0), (stop, whole.count)):
        bound = _bound(text, percent=percent, count=whole.count) if text else default
        if bound is None or abs(bound) > whole.count:
            raise errors.InputError(
                f"split {split!r}: expected slice bounds within the {whole.count} images of "
                f"{match[1]!r}, received {match[0]!r}"
            )
        bounds.append(bound + whole.count if bound < 0 else bound)
    return Part(whole.name, whole.start + bounds[0], whole.start + max(bounds))


def _bound(text: str, *, percent: bool, count: int) -> int | None:
    try:
        return round(float(text) * count / 100) if percent else int(text)
    except ValueError:
        return None


def _not_empty(parts: list[Part], *, split: str, source: str) -> list[Part]:
    if not any(part.count for part in parts):
        raise errors.InputError(f"split {split!r} of {source}: expected at least one image, found none")
    return [part for part in parts if part.count]
