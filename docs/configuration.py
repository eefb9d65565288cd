"""Writes docs/configuration.md, all that can be configured, from the declarations in the code."""

import dataclasses
import json
import pathlib
import typing

from dcgan.config import NetworkConfig, RunConfig, TrainingConfig
from dcgan.detector.detector_config import DetectorConfig
from dcgan.schema import Config, fields
from tuning.search_config import Budget, SearchConfig

PAGE = pathlib.Path(__file__).with_name("configuration.md")
_HEAD = """\
# Configuration

`config.json` in a run's directory holds a `RunConfig`, `search.json` in a search's directory a
`SearchConfig`; values left out take their defaults. From Python the same classes take the same names.
`dcgan train --config FILE` starts from such a file. `python docs/configuration.py` writes this page.
"""
_SECTIONS: dict[str, type[Config]] = {
    "A run: `dcgan.config.RunConfig`": RunConfig,
    "Its networks, `network`: `dcgan.config.NetworkConfig`": NetworkConfig,
    "Its training, `training`: `dcgan.config.TrainingConfig`": TrainingConfig,
    "A detector: `dcgan.detector.DetectorConfig`": DetectorConfig,
    "A search: `tuning.SearchConfig`": SearchConfig,
    "The end of a search: `tuning.Budget`": Budget,
}
_KINDS = {int: "a whole number", float: "a number", str: "a string", bool: "true or false"}


def page() -> str:
    """Returns the page's text."""
    return _HEAD + "".join(f"\n## {title}\n\n{table(config)}" for title, config in _SECTIONS.items())


def table(config: type[Config]) -> str:
    """Returns a table of a config's values in Markdown; nested configs have tables of their own."""
    rows = [_row(field) for field in fields(config) if not isinstance(field.default, Config)]
    return (
        "\n".join(["| name | default | values | meaning |", "| --- | --- | --- | --- |", *rows]) + "\n"
    )


def _row(field: dataclasses.Field) -> str:
    default = "no limit" if field.default is None else f"`{json.dumps(field.default)}`"
    help, rule = field.metadata["help"], field.metadata["rule"]
    kind = (typing.get_args(field.type) or (field.type,))[0]
    return f"| `{field.name}` | {default} | {rule.text if rule else _KINDS[kind]} | {help} |"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
