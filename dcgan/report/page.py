"""The page that a report is."""

import dataclasses
import html
import pathlib
import re
import string
from collections.abc import Sequence

_TEMPLATE = pathlib.Path(__file__).with_name("page.html")


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        title: Its heading, plain text.
        html: What stands below, see `dcgan.report.markup`.
    """

    title: str
    html: str


def render(title: str, sections: Sequence[Section]) -> str:
    """Returns a whole page, which needs no other file and no network.

    Args:
        title: Its title, plain text.
        sections: What it shows.
    """
    template = string.Template(_TEMPLATE.read_text(encoding="utf-8"))
    links = "".join(
        f'<li><a href="#{_anchor(section)}">{html.escape(section.title)}</a></li>'
        for section in sections
    )
    body = "".join(
        f'<section id="{_anchor(section)}"><h2>{html.escape(section.title)}</h2>\n'
        f"{section.html}</section>\n"
        for section in sections
    )
    return template.substitute(title=html.escape(title), links=links, body=body)


def _anchor(section: Section) -> str:
    return re.sub(r"[^a-z0-9]+", "-", section.title.lower()).strip("-")
