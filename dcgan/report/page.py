"""The page that a report is: a single file, drawn by the templates beside this module."""

import pathlib
from collections.abc import Sequence

import jinja2
import markupsafe

from dcgan.errors import InputError
from dcgan.report import charts, search_charts, style
from dcgan.report.part import Part

TEMPLATES = ("samples", "detector", "run", "search")
"""What can draw a part, in the order in which parts appear."""

_LARGE = 10_000


def render(name: str, parts: Sequence[Part]) -> str:
    """Draws a whole page, which needs no other file and no network.

    Args:
        name: The name of the run or search.
        parts: What to show, in this order.

    Raises:
        InputError: If a part lacks what its template shows.
    """
    environment = _environment()
    headings: list[str] = []
    bodies = [_render_part(environment, part, headings) for part in parts]
    kind = "Search" if any(part.template == "search" for part in parts) else "Run"
    page = environment.get_template("page.html")
    return page.render(title=f"{kind} {name}: report", headings=headings, bodies=bodies)


def _render_part(environment: jinja2.Environment, part: Part, headings: list[str]) -> markupsafe.Markup:
    try:
        template = environment.get_template(f"{part.template}.html")
        return markupsafe.Markup(template.render(vars(part), headings=headings))
    except (jinja2.TemplateError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"report/{part.name}.json: expected all that template {part.template!r} shows; "
            f"delete it and repeat its command ({error})"
        ) from None


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(charts=charts, search_charts=search_charts, sheet=style.sheet)
    environment.filters.update(
        number=_number,
        three="{:.3f}".format,
        count="{:,}".format,
        percent="{:.2%}".format,
        show=search_charts.show,
        extract=lambda key, container: container[key],
    )
    return environment


def _number(value: float) -> str:
    """Shows four digits, large numbers without an exponent."""
    return f"{value:,.0f}" if abs(value) >= _LARGE else f"{value:.4g}"
