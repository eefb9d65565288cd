"""Writes docs/guides/architecture.svg: the rooms of the code, from the import contract in setup.cfg."""

import ast
import configparser
import html
import pathlib
import textwrap

ROOT = pathlib.Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "guides" / "architecture.svg"
_CONTRACT = "importlinter:contract:rooms"
_WIDTH, _MARGIN, _GAP, _LINE = 920, 12, 6, 15
_COLORS = {"dcgan": "#dbe9f6", "export": "#e3f1dd", "tuning": "#fbe8cf"}
# About the width of a letter, of which texts are broken into lines.
_LETTER = 6.6


def layers() -> list[list[str]]:
    """Returns the modules of each layer of the contract, the uppermost layer first."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config[_CONTRACT]["layers"].split("\n")
    return [line.split(" | ") for line in lines if line]


def describe(module: str) -> str:
    """Returns the first line of a module's docstring."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.splitlines()[0].replace("`", "")


def draw() -> str:
    """Returns the picture as SVG: one row a layer, which may import from all rows below it."""
    top, rows = _MARGIN, []
    for modules in layers():
        width = (_WIDTH - 2 * _MARGIN - _GAP * (len(modules) - 1)) / len(modules)
        texts = [textwrap.wrap(describe(module), int((width - 20) / _LETTER)) for module in modules]
        height = 26 + _LINE * max(map(len, texts))
        for index, (module, lines) in enumerate(zip(modules, texts, strict=True)):
            left = _MARGIN + index * (width + _GAP)
            rows.append(_box(module, lines, left=left, top=top, width=width, height=height))
        top += height + _GAP
    size = f'viewBox="0 0 {_WIDTH} {top + _MARGIN}" width="{_WIDTH}" height="{top + _MARGIN}"'
    style = 'font-family="sans-serif" font-size="12"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>\n' + "".join(rows) + "</svg>\n"


def _box(module: str, lines: list[str], *, left: float, top: float, width: float, height: int) -> str:
    place = f'x="{left:.0f}" y="{top:.0f}" width="{width:.0f}" height="{height}" rx="4"'
    parts = [
        f'<rect {place} fill="{_COLORS[module.split(".")[0]]}" stroke="#8a97a5"/>',
        f'<text x="{left + 10:.0f}" y="{top + 18:.0f}" font-weight="bold">{module}</text>',
    ]
    for number, line in enumerate(lines, 1):
        y = top + 18 + number * _LINE
        parts.append(f'<text x="{left + 10:.0f}" y="{y:.0f}">{html.escape(line)}</text>')
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
