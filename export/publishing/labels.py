"""Labels of live versions, kept in the file that tells a server which versions to load.

`models.config` is a text proto, `tensorflow.serving.ModelServerConfig`. A push changes two things in
it, which versions of a model are loaded and labels of versions that are gone, and nothing else: what
was added by hand stays.

Reference:
    [Serving configuration](https://www.tensorflow.org/tfx/serving/serving_config)
"""

import pathlib
import re
from collections.abc import Collection, Iterator, Mapping

from dcgan.errors import InputError
from dcgan.system import files
from export.publishing import versions

FILE = "models.config"
NAMES = ("stable", "canary")
MOUNT = "/models"
"""Where the server finds the directory of live models."""

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|' r"'(?:\\.|[^'\\])*'|#[^\n]*|[{}]", re.DOTALL)
_CONFIG = re.compile(r"\bconfig\s*:?\s*$")
_MODEL_NAME = re.compile(r"""\bname\s*:\s*["']([^"']+)["']""")
_POLICY = re.compile(r"\bmodel_version_policy\s*:?\s*(?=\{)")
_LABEL = re.compile(
    r"""[ \t]*\bversion_labels\s*:?\s*\{\s*key\s*:\s*["']([^"']*)["']\s*[,;]?"""
    r"""\s*value\s*:\s*(\d+)\s*[,;]?\s*\}[ \t]*\n?"""
)
_VERSION = re.compile(r"\bversions\s*:\s*(\d+)")

_MODEL_TEXT = """\
  config {{
    name: "{name}"
    base_path: "{mount}/{name}"
    model_platform: "tensorflow"
    # What has a label, and the newest, which a request without a label gets.
    {policy}
{labels}  }}
"""


def render(models: Mapping[str, Mapping[str, int]], *, live: Mapping[str, Collection[int]]) -> str:
    """Writes a configuration.

    Args:
        models: The labels of each model.
        live: The numbers of each model's versions.
    """
    configs = (_render_model(name, labels, live[name]) for name, labels in models.items())
    return f"model_config_list {{\n{''.join(configs)}}}\n"


def read(base: pathlib.Path) -> dict[str, dict[str, int]]:
    """Returns the labels of each model that a server of a directory is told to load.

    Args:
        base: The directory of live models. Without a configuration there are no labels.

    Raises:
        InputError: If the configuration cannot be read.
    """
    text = _read_text(base)
    return {name: _labels(base, text[start:end]) for name, (start, end) in _blocks(base, text).items()}


def named_versions(base: pathlib.Path, name: str) -> set[int]:
    """Returns the numbers of the versions that a server is told to load, or to find by a label.

    Args:
        base: The directory of live models.
        name: The model's name.

    Raises:
        InputError: If the configuration cannot be read.
    """
    text = _read_text(base)
    start, end = _blocks(base, text).get(name, (0, 0))
    block = text[start:end]
    return {*map(int, _VERSION.findall(_without_comments(block))), *_labels(base, block).values()}


def follow(base: pathlib.Path, name: str) -> None:
    """Tells a server to load a model's newest version beside the labelled ones.

    A label of a version that is gone goes, too: a server answers requests for it with an error rather
    than with another version. Without a configuration there is nothing to do.

    Args:
        base: The directory of live models.
        name: The model's name.

    Raises:
        InputError: If the configuration cannot be read or written.
    """
    text = _read_text(base)
    if not text:
        return
    live = versions.find(base / name)
    blocks = _blocks(base, text)
    if name in blocks:
        start, end = blocks[name]
        added = _update(base, text[start:end], live)
    else:
        start = end = _end_of_list(base, text)
        added = _render_model(name, dict.fromkeys(NAMES, max(live)), live)
    changed = text[:start] + added + text[end:]
    if changed != text:
        try:
            files.write_text(base / FILE, changed)
        except OSError as error:
            raise InputError(f"{base}: expected a directory to write to ({error.strerror})") from None


def _render_model(name: str, labels: Mapping[str, int], live: Collection[int]) -> str:
    lines = (f'    version_labels {{ key: "{key}" value: {labels[key]} }}\n' for key in labels)
    policy = _render_policy({*labels.values(), max(live)})
    return _MODEL_TEXT.format(name=name, mount=MOUNT, policy=policy, labels="".join(lines))


def _render_policy(numbers: Collection[int]) -> str:
    chosen = " ".join(f"versions: {number}" for number in sorted(numbers))
    return f"model_version_policy {{ specific {{ {chosen} }} }}"


def _update(base: pathlib.Path, block: str, live: Collection[int]) -> str:
    """Returns a model's block with its policy renewed, without the labels of versions that are gone."""
    labels = _labels(base, block)
    for match in reversed(list(_LABEL.finditer(_without_comments(block)))):
        if int(match[2]) not in live:
            block = block[: match.start()] + block[match.end() :]
    wanted = _render_policy({max(live), *(number for number in labels.values() if number in live)})
    if (found := _POLICY.search(_without_comments(block))) is None:
        return f"{{\n    {wanted}{block[1:]}"
    spans = {start: end for _, start, end in _braces(block)}
    return block[: found.start()] + wanted + block[spans[found.end()] :]


def _end_of_list(base: pathlib.Path, text: str) -> int:
    """Returns where another model's block goes."""
    ends = [end - 1 for depth, _, end in _braces(text) if depth == 0]
    if not ends:
        raise _unexpected(base)
    return ends[-1]


def _labels(base: pathlib.Path, block: str) -> dict[str, int]:
    plain = _without_comments(block)
    found = _LABEL.findall(plain)
    if len(found) != len(re.findall(r"\bversion_labels\b", plain)):
        raise _unexpected(base)
    return {key: int(number) for key, number in found}


def _blocks(base: pathlib.Path, text: str) -> dict[str, tuple[int, int]]:
    """Returns where each model's braces begin and end."""
    plain, found = _without_comments(text), {}
    try:
        for depth, start, end in _braces(text):
            if depth == 1 and _CONFIG.search(plain[:start]):
                name = _MODEL_NAME.search(plain[start:end])
                if name is None:
                    raise _unexpected(base)
                found[name[1]] = (start, end)
    except IndexError:
        raise _unexpected(base) from None
    return found


def _braces(text: str) -> Iterator[tuple[int, int, int]]:
    """Yields depth, beginning and end of each pair of braces.

    Raises:
        IndexError: If there is no pair to one.
    """
    opened: list[int] = []
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            opened.append(token.start())
        elif token[0] == "}":
            start = opened.pop()
            yield len(opened), start, token.end()
    if opened:
        raise IndexError


def _without_comments(text: str) -> str:
    """Returns a text with its comments blanked out, so that places in it stay the same."""
    return _TOKEN.sub(lambda token: " " * len(token[0]) if token[0][0] == "#" else token[0], text)


def _read_text(base: pathlib.Path) -> str:
    path = base / FILE
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError):
        raise _unexpected(base) from None


def _unexpected(base: pathlib.Path) -> InputError:
    return InputError(
        f"{base / FILE}: expected what `dcgan serving-config` writes; call it to write the file anew"
    )
