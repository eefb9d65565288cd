"""Texts that others chose, such as names of files, on their way to terminals, tables and JSON.

A name may hold line breaks, a terminal's control codes, and bytes that are not UTF-8, which Python
keeps as lone surrogates.
"""

import json
from typing import Any

_FORMULA = ("=", "+", "-", "@")


def printable(text: str) -> str:
    r"""Escapes what is not printable: `a\nb` for a line break, `\xff` for a byte that is not UTF-8."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else _escape(character) for character in text)


def to_cell(text: str) -> str:
    """Returns printable text that a spreadsheet does not take for a formula.

    Reference: https://owasp.org/www-community/attacks/CSV_Injection
    """
    return "'" + printable(text) if text.lstrip().startswith(_FORMULA) else printable(text)


def to_json(value: Any, *, only_ascii: bool = False) -> str:
    """Returns JSON on one line that keeps texts exactly and holds only printable characters.

    Args:
        value: What `json` writes.
        only_ascii: Whether to escape all other characters, too. Defaults to False.
    """
    text = json.dumps(value, ensure_ascii=only_ascii)
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1] for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
