"""Which images a split such as "train[:10%]+test" stands for.

The syntax is TensorFlow Datasets': names of splits, each with an optional slice in images or percent,
joined by "+"; "all" is everything. Where a source has fewer splits:

- A source with `train` but without `test` tests on `validation` (or `val`) if it has one; otherwise
  the last 10 % of `train` become `test`, and `train` is the rest.
- Of a source with splits of other names, the last 10 % of the first one are `test`; it keeps them.
- A source without any splits is shuffled by a fixed seed; 10 % of it, at least one image, are `test`,
  the rest is `train`. `all` keeps the source's order.

A split is a set: an image that it names twice, as in "train+all", is there once, where it came first.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from dcgan import errors

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


def choose(split: str, sizes: Mapping[str, int], *, source: str) -> np.ndarray:
    """Finds the images of a split of a source of files.

    Args:
        split: The split asked for, such as "train[:1000]" or "train+test".
        sizes: How many images each of the source's splits has; under "" those of a source without.
        source: The source's name, for errors.

    Returns:
        Positions in the whole source, all of its splits in a row; shape (images of the split,), int64.

    Raises:
        InputError: If `split` is malformed, names no split of the source or has no images.
    """
    if "" in sizes:
        return of_undeclared(split, sizes[""], source=source)
    return positions(of_declared(split, sizes, source=source), sizes)


def of_declared(split: str, sizes: Mapping[str, int], *, source: str) -> list[Part]:
    """Finds the images of a split of a source that has splits of its own.

    Args:
        split: The split asked for, such as "train[:1000]" or "train+test".
        sizes: How many images each of the source's splits has.
        source: The source's name, for errors.

    Returns:
        The parts, in the order in which they are to be joined; at least one image together, and none
        of it twice.

    Raises:
        InputError: If `split` is malformed, names no split of the source or has no images.
    """
    whole = [Part(name, 0, size) for name, size in sizes.items()]
    return once(_find(split, _with_test(sizes), everything=whole, source=source))


def of_undeclared(split: str, count: int, *, source: str) -> np.ndarray:
    """Finds the images of a split of a source without splits of its own.

    Args:
        split: "all", "train" or "test", each with an optional slice, joined by "+".
        count: How many images the source has.
        source: The source's name, for errors.

    Returns:
        Positions in the source, each once, shape (images of the split,), int64.

    Raises:
        InputError: If `split` is malformed, names another split or has no images.
    """
    order = np.random.default_rng(_SEED).permutation(count)
    border = count - _held_out(count)
    orders = {"train": order[:border], "test": order[border:], "all": np.arange(count)}
    known = {name: Part(name, 0, len(positions)) for name, positions in orders.items()}
    parts = _find(split, known, everything=[known["all"]], source=source)
    found = np.concatenate([orders[part.name][part.start : part.stop] for part in parts])
    return found[np.sort(np.unique(found, return_index=True)[1])]


def positions(parts: Sequence[Part], sizes: Mapping[str, int]) -> np.ndarray:
    """Returns where the images of some parts are in the whole source, all of its splits in a row.

    Args:
        parts: What `of_declared` returned.
        sizes: How many images each of the source's splits has.

    Returns:
        Shape (images of the parts,), int64.
    """
    starts = dict(zip(sizes, np.cumsum([0, *sizes.values()]), strict=False))
    return np.concatenate(
        [np.arange(part.start, part.stop) + starts[part.name] for part in parts]
    ).astype(np.int64)


def join(stacks: Sequence[np.ndarray]) -> np.ndarray:
    """Concatenates stacks of images or labels; a single one is returned without a copy."""
    return stacks[0] if len(stacks) == 1 else np.concatenate(stacks)


def once(parts: Sequence[Part]) -> list[Part]:
    """Removes from each part what is in an earlier one.

    Args:
        parts: In the order in which they are to be joined.
    """
    kept: list[Part] = []
    for part in parts:
        pieces = [part]
        for earlier in kept:
            pieces = [left for piece in pieces for left in _without(piece, earlier)]
        kept += pieces
    return kept


def _without(part: Part, other: Part) -> list[Part]:
    if part.name != other.name:
        return [part]
    ends = (part.start, min(part.stop, other.start)), (max(part.start, other.stop), part.stop)
    return [Part(part.name, start, stop) for start, stop in ends if start < stop]


def _held_out(count: int) -> int:
    return max(1, round(count * _HELD_OUT))


def _with_test(sizes: Mapping[str, int]) -> dict[str, Part]:
    """Returns the splits that can be asked for, a test split among them wherever possible."""
    known = {name: Part(name, 0, size) for name, size in sizes.items()}
    if "test" in known or not known:
        return known
    for name in ("validation", "val"):
        if name in known:
            return known | {"test": known[name]}
    first = "train" if "train" in known else next(iter(known))
    size = sizes[first]
    border = size - min(size, _held_out(size))
    known |= {"test": Part(first, border, size)}
    return known | {"train": Part("train", 0, border)} if first == "train" else known


def _find(split: str, known: Mapping[str, Part], *, everything: list[Part], source: str) -> list[Part]:
    asked = f"split {split!r} of {source}"
    parts: list[Part] = []
    for term in map(str.strip, split.split("+")):
        name, bracket, bounds = term.partition("[")
        if term == "all":
            parts += everything
        elif name not in known:
            names = ", ".join(dict.fromkeys([*known, "all"]))
            raise errors.InputError(
                f"{asked}: expected one of {names}, with slices such as train[:1000] or "
                "train[10%:20%], joined by +"
            )
        else:
            parts.append(_slice(known[name], bracket + bounds, asked=asked) if bracket else known[name])
    if not any(part.count for part in parts):
        alone = sum(part.count for part in everything) == 1
        found = "found one, which is held out to test on" if alone else "found none"
        raise errors.InputError(
            f"{asked}: expected at least {'two' if alone else 'one'} image{'s' * alone}, {found}"
        )
    return [part for part in parts if part.count]


def _slice(whole: Part, bounds: str, *, asked: str) -> Part:
    """Slices a part as TensorFlow Datasets does, which is loaded only for this."""
    import tensorflow_datasets as tfds

    info = tfds.core.SplitInfo(name="whole", shard_lengths=[whole.count], num_bytes=0)
    try:
        instruction = tfds.core.ReadInstruction.from_spec(f"whole{bounds}")
        if instruction.unit == "shard":
            raise ValueError("Only sets of TensorFlow Datasets have shards.")
        (found,) = instruction.to_absolute({"whole": info})
    except ValueError:
        raise errors.InputError(
            f"{asked}: expected a slice such as [:1000] or [10%:20%] within {whole.count} images. "
            f"Received: {bounds}"
        ) from None
    start, stop = found.from_ or 0, whole.count if found.to is None else found.to
    return Part(whole.name, whole.start + start, whole.start + max(start, stop))
