"""Which precision a machine trains convolutions in fastest."""

import pathlib

PRECISIONS = ("float32", "mixed_bfloat16")
_PROCESSORS = pathlib.Path("/proc/cpuinfo")


def fastest() -> str:
    """Returns "mixed_bfloat16" where processors multiply matrices of bfloat16 (AMX), or "float32"."""
    try:
        known = _PROCESSORS.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return "float32"
    return "mixed_bfloat16" if "amx_bf16" in known else "float32"
