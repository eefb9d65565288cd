"""How much memory a data set may take, and where the cache of a larger one lies."""

import dataclasses
import json
import math
import os
import pathlib
import re
from typing import Self

from dcgan.errors import InputError
from dcgan.system import files

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)
_CONTAINER_LIMIT = pathlib.Path("/sys/fs/cgroup/memory.max")


@dataclasses.dataclass(frozen=True)
class Storage:
    """Where images are kept while they are used.

    Args:
        memory: Bytes that a set of images may take in memory; a larger one goes through a cache on
            disk. Defaults to None, a quarter of the machine's memory.
        cache: Directory of the caches. Defaults to None, `dcgan` in the user's cache directory.

    Example:
        >>> storage = dcgan.data.Storage(memory=4 * 10**9, cache="/scratch/dcgan")
        >>> storage.holds(60_000, (28, 28, 1)), storage.holds(2_000_000, (64, 64, 3))
        (True, False)
        >>> digits = dcgan.load_images("mnist", split="test", storage=storage)
    """

    memory: int | None = None
    cache: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        """Makes a path of the cache's name."""
        if self.cache is not None:
            object.__setattr__(self, "cache", pathlib.Path(self.cache))

    @classmethod
    def load(cls, path: pathlib.Path) -> Self:
        """Reads what `save` wrote; the defaults where there is no such file.

        Raises:
            InputError: If the file is damaged.
        """
        if not path.is_file():
            return cls()
        values = files.read_json(path, "where a run's images are kept")
        try:
            return cls(values["memory"], values["cache"])
        except (KeyError, TypeError):
            raise InputError(f"{path}: expected where a run's images are kept") from None

    def save(self, path: pathlib.Path) -> None:
        """Writes both values as JSON, whole or not at all."""
        cache = None if self.cache is None else str(self.directory().absolute())
        files.write_text(path, json.dumps({"memory": self.memory, "cache": cache}, indent=2) + "\n")

    def holds(self, count: int, shape: tuple[int, ...]) -> bool:
        """Whether so many images of a shape may be in memory."""
        return count * math.prod(shape) <= (
            machine_memory() // 4 if self.memory is None else self.memory
        )

    def directory(self) -> pathlib.Path:
        """Returns the directory of the caches, which need not exist."""
        if self.cache is not None:
            return pathlib.Path(self.cache).expanduser()
        return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "dcgan"


def machine_memory() -> int:
    """Returns the bytes of memory that this machine, or the container around this process, has."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(memory, int(_CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):  # No container, or one without a limit: "max".
        return memory


def parse_size(text: str, *, option: str) -> int:
    """Reads a number of bytes such as "4GB" or "512 MiB".

    Args:
        text: The number, with or without a unit.
        option: What an error names.

    Raises:
        InputError: If it is no such number.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InputError(f"{option}: expected a size such as 4GB or 512MiB. Received: {text!r}")
    number, unit, binary = match.groups()
    factor = _UNITS[unit.lower()]
    if binary:
        factor = 1024 ** list(_UNITS).index(unit.lower())
    return int(float(number) * factor)


def describe_size(count: int) -> str:
    """Returns a number of bytes in gigabytes, or smaller units where it is below one."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count / 1000:.0f} kB"
