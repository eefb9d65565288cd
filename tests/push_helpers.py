"""What tests of candidates and live versions share."""

import re

from export.graph import saved_model
from export.publishing import integrity, pushing


def bless(exported, *, blessed=True, infra_blessed=True, **report):
    found = {"blessed": blessed, "infra_blessed": infra_blessed, "reasons": []}
    exported.bless(found | {"files": integrity.digest(exported.path)} | report)


def digests(run, base=None):
    """Versions and what they hold, by the number of the candidate that has the same digest."""
    known = {
        saved_model.digest(run.candidates / "detector" / number / "Format-Serving"): number
        for number in ("1", "2")
    }
    live = pushing.list_live((base or run.serving) / "detector")
    return {pushed.version: int(known[saved_model.digest(pushed.path)]) for pushed in live}


def list_tree(directory):
    """All paths in a directory, with the contents of files, but for the publisher's own notes."""
    return {
        path.relative_to(directory): path.read_bytes() if path.is_file() else None
        for path in directory.rglob("*")
        if not path.name.startswith(".")
    }


def truncate(path):
    path.write_bytes(path.read_bytes()[:100])


def read_policy(run):
    text = (run.serving / "models.config").read_text()
    return sorted(map(int, re.findall(r"versions: (\d+)", text)))


def grow(path):
    path.write_bytes(path.read_bytes() + b"\0")
