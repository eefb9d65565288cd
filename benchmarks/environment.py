"""What a figure was measured on."""

import os
import pathlib
import platform
from importlib import metadata
from typing import Any

_PACKAGES = ("tensorflow", "keras", "numpy")


def describe(*more_packages: str) -> dict[str, Any]:
    """Returns processor, cores, Python and the versions of the packages that matter.

    Args:
        *more_packages: Further packages, such as a peer's; left out if they are not installed.
    """
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version for name in (*_PACKAGES, *more_packages) if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    information = pathlib.Path("/proc/cpuinfo")
    if information.is_file():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
