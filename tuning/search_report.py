"""`report.html` of a search: what won, what decides, what failed."""

import json
from collections.abc import Sequence
from typing import Any

from dcgan import files
from dcgan.report import markup, page
from dcgan.report.page import Section
from tuning import importance, search_charts, trial_records
from tuning.search_config import SearchConfig
from tuning.search_directory import SearchDirectory
from tuning.space import Space
from tuning.trial_records import TrialRecord

_SHOWN = 5
_MOST_AXES = 9
_SCATTERED = 4
_LABELS = {
    "val_frechet_distance": "Fréchet distance",
    "val_kid": "KID",
    "detector_auroc": "AUROC of the detector",
}
_POSITIVE = ("val_frechet_distance",)


def write(directory: SearchDirectory) -> None:
    """Writes a search's tables and its report.

    Args:
        directory: The search; without a trial that has ended nothing is written.

    Raises:
        InputError: If a file of the search is damaged.
    """
    ended = trial_records.write_tables(directory)
    if not ended:
        return
    config, space = directory.load()
    ranked = trial_records.rank(ended, direction=config.direction)
    weights = importance.measure(ended, space, direction=config.direction)
    sections = [
        Section("Summary", _summary(directory, config, ended, ranked)),
        *_of_ranked(config, space, ended, ranked, weights),
        *_of_failed(ended),
        Section("All trials", _all(ended, config)),
        Section("Search", _settings(config, space)),
    ]
    title = f"Search {directory.path.resolve().name}: report"
    files.write_text(directory.report_html, page.render(title, sections))


def _of_ranked(
    config: SearchConfig,
    space: Space,
    ended: Sequence[TrialRecord],
    ranked: Sequence[TrialRecord],
    weights: dict[str, float],
) -> list[Section]:
    if not ranked:
        return []
    names = [name for name, parameter in space.parameters.items() if not parameter.fixed]
    names.sort(key=lambda name: -weights.get(name, 0))
    return [
        Section("Best trials", _best(config, space, ranked)),
        Section("Score against time", _progress(config, ended)),
        Section("Parallel coordinates", _parallel(space, ranked, names[:_MOST_AXES])),
        Section("What decides", _importance(config, space, ended, weights)),
    ]


def _of_failed(ended: Sequence[TrialRecord]) -> list[Section]:
    failed = [record for record in ended if record.failed]
    if not failed:
        return []
    text = (
        f"{len(failed)} of {len(ended)} trials failed. They count as worse than a generator that "
        "learned nothing, so that the search keeps away from them."
    )
    rows = [(record.trial, record.reason, _point(record)) for record in failed]
    table = markup.table(rows, header=("Trial", "Why", "Hyper-parameters"))
    return [Section("Failed trials", markup.paragraph(text) + markup.fold("Show them", table))]


def _summary(
    directory: SearchDirectory,
    config: SearchConfig,
    ended: Sequence[TrialRecord],
    ranked: Sequence[TrialRecord],
) -> str:
    failed = sum(record.failed for record in ended)
    minutes = max(record.elapsed for record in ended) / 60
    epochs = sum(record.epochs - record.first_epoch for record in ended)
    cards = [
        ("Trials", str(len(ended)), f"{failed} failed"),
        ("Time", f"{minutes:.1f} min", f"{epochs:.0f} epochs of {config.epoch_images:,} images"),
    ]
    if not ranked:
        note = markup.paragraph("No trial has ended well: there is no best configuration.", note=True)
        return markup.cards(cards) + note
    best = ranked[0]
    label = _LABELS[config.objective]
    cards.insert(
        0, (f"Best {label}", f"{best.score:.4g}", f"trial {best.trial}, {_epochs(best)} epochs")
    )
    hint = (
        f"best.json holds the winner's whole configuration; "
        f"dcgan train --config {directory.best} --out runs/NAME trains it in full."
    )
    return markup.cards(cards) + markup.paragraph(_explain(config)) + markup.paragraph(hint)


def _explain(config: SearchConfig) -> str:
    measured = f"{config.samples:,} samples of the generator"
    better = "lower" if config.direction == "min" else "higher"
    return (
        f"Trials are compared by {config.objective}, the {better} the better, of {measured} against "
        f"images that it does not learn from, after {', '.join(map(str, config.rungs))} epochs of "
        f"{config.epoch_images:,} images. Scores compare within this search only."
    )


def _best(config: SearchConfig, space: Space, ranked: Sequence[TrialRecord]) -> str:
    shown = ranked[:_SHOWN]
    names = [name for name, parameter in space.parameters.items() if not parameter.fixed]
    rows = [
        (_LABELS[config.objective], *(f"{record.score:.4g}" for record in shown)),
        ("epochs", *(_epochs(record) for record in shown)),
        *((name, *(_value(record, name) for record in shown)) for name in names),
    ]
    header = ("", *(f"trial {record.trial}" for record in shown))
    note = "Each configuration stands as it was measured last. - marks what does not matter there."
    return markup.table(rows, header=header) + markup.paragraph(note)


def _value(record: TrialRecord, name: str) -> str:
    return search_charts.show(record.values[name]) if name in record.values else "-"


def _progress(config: SearchConfig, ended: Sequence[TrialRecord]) -> str:
    label = _LABELS[config.objective]
    log = config.objective in _POSITIVE
    source = search_charts.progress(ended, label=label, direction=config.direction, log=log)
    return markup.figure(source, alt=f"{label} of each trial against the search's time")


def _parallel(space: Space, ranked: Sequence[TrialRecord], names: Sequence[str]) -> str:
    source = search_charts.parallel(ranked, space, names, label="rank")
    caption = (
        "A line is a configuration, the best one bold and orange, the others from dark (good) to light. "
        "Axes stand by importance, from the left; below its axis runs a line for which it does not "
        "matter."
    )
    return markup.figure(source, alt="Configurations over the axes of hyper-parameters", caption=caption)


def _importance(
    config: SearchConfig, space: Space, ended: Sequence[TrialRecord], weights: dict[str, float]
) -> str:
    if not weights:
        least = importance.FEWEST_TRIALS
        return markup.paragraph(f"At least {least} trials are needed to tell what decides.", note=True)
    caption = (
        f"By permutation in a random forest that predicts the ranks of {len(ended)} trials. With few "
        "trials this is a hint, not a measurement."
    )
    bars = markup.figure(
        search_charts.shares(weights), alt="Importance of each hyper-parameter", caption=caption
    )
    well = [record for record in ended if not record.failed]
    label, log = _LABELS[config.objective], config.objective in _POSITIVE
    plots = [
        markup.figure(
            search_charts.scatter(well, space, name, label=label, log=log), alt=f"{label} against {name}"
        )
        for name in list(weights)[:_SCATTERED]
        if well
    ]
    return bars + markup.beside(*plots)


def _all(ended: Sequence[TrialRecord], config: SearchConfig) -> str:
    header = ("Trial", "Status", _LABELS[config.objective], "Epochs", "From", "Seconds", "Worker", "Why")
    rows = [
        (
            record.trial,
            record.status,
            f"{record.score:.4g}",
            _epochs(record),
            record.parent,
            f"{record.seconds.get('total', 0):.1f}",
            record.worker,
            record.reason,
        )
        for record in ended
    ]
    return markup.fold(f"{len(ended)} trials", markup.table(rows, header=header))


def _settings(config: SearchConfig, space: Space) -> str:
    settings = [
        ("data", config.base.data),
        ("preset", config.base.preset),
        *((name, getattr(config, name)) for name in _SETTINGS),
    ]
    rows = [(name, *_describe(parameter)) for name, parameter in space.to_dict().items()]
    header = ("Hyper-parameter", "Values", "Only with")
    return markup.table(settings) + "<h3>Space</h3>" + markup.table(rows, header=header)


_SETTINGS = ("algorithm", "objective", "epochs", "epoch_images", "samples", "seed")


def _describe(parameter: dict[str, Any]) -> tuple[str, str]:
    when = ", ".join(f"{name} {json.dumps(values)}" for name, values in parameter["when"].items())
    if "choice" in parameter:
        return ", ".join(map(search_charts.show, parameter["choice"])), when
    scale = ", logarithmic" if parameter["log"] else ""
    return f"{parameter['low']:g} to {parameter['high']:g}{scale}", when


def _epochs(record: TrialRecord) -> str:
    return f"{record.epochs:g}"


def _point(record: TrialRecord) -> str:
    return ", ".join(f"{name} {search_charts.show(value)}" for name, value in record.values.items())
