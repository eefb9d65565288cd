"""Pieces of HTML; everything that comes in as text is escaped."""

import html
from collections.abc import Iterable, Sequence


def paragraph(text: str, *, note: bool = False) -> str:
    """Returns a paragraph.

    Args:
        text: Plain text.
        note: Whether it is something to watch out for. Defaults to False.
    """
    kind = ' class="note"' if note else ""
    return f"<p{kind}>{html.escape(text)}</p>"


def table(rows: Iterable[Sequence[object]], *, header: Sequence[str] = (), caption: str = "") -> str:
    """Returns a table whose first column heads its rows.

    Args:
        rows: Values of each row, shown as `str` shows them.
        header: Names of the columns. Defaults to none.
        caption: What stands above. Defaults to nothing.
    """
    parts = [f"<caption>{html.escape(caption)}</caption>"] if caption else []
    if header:
        cells = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in header)
        parts.append(f"<thead><tr>{cells}</tr></thead>")
    body = "".join(_row(first, rest) for first, *rest in rows)
    return f'<div class="wide"><table>{"".join(parts)}<tbody>{body}</tbody></table></div>'


def figure(source: str, *, alt: str, caption: str = "", pixelated: bool = False) -> str:
    """Returns an image with a caption.

    Args:
        source: A data URI, see `dcgan.report.pictures`.
        alt: What the image shows, for those who cannot see it.
        caption: What stands below. Defaults to nothing.
        pixelated: Whether pixels keep sharp edges when the browser enlarges them. Defaults to False.
    """
    kind = ' class="pixels"' if pixelated else ""
    below = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return f'<figure><img src="{source}" alt="{html.escape(alt)}"{kind}>{below}</figure>'


def beside(*pieces: str) -> str:
    """Returns pieces side by side, or below each other where the window is narrow."""
    return f'<div class="beside">{"".join(pieces)}</div>'


def cards(values: Iterable[tuple[str, str, str]]) -> str:
    """Returns the few figures that matter most, large.

    Args:
        values: A name, a value and what it is to be compared with, each.
    """
    parts = [
        f'<div class="card"><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>'
        f"<dd>{html.escape(compared)}</dd></div>"
        for name, value, compared in values
    ]
    return f'<dl class="cards">{"".join(parts)}</dl>'


def fold(summary: str, content: str) -> str:
    """Returns content that opens when its summary is clicked on."""
    return f"<details><summary>{html.escape(summary)}</summary>{content}</details>"


def _row(first: object, rest: Sequence[object]) -> str:
    cells = "".join(f"<td>{html.escape(str(value))}</td>" for value in rest)
    return f'<tr><th scope="row">{html.escape(str(first))}</th>{cells}</tr>'
