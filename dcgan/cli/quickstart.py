"""`dcgan quickstart`: all steps on the bundled MNIST, each by the command that also runs it alone."""

import pathlib
import sys
import time
from collections.abc import Iterator
from typing import Annotated

import typer

from dcgan.cli import detect, evaluate, export, push, sample, score, serving_config, train
from dcgan.runs.run_directory import RunDirectory

_DATA = "mnist"
_EXAMPLES = 4


def quickstart(
    out: Annotated[pathlib.Path, typer.Option(help="The run's directory.")] = pathlib.Path(
        "runs/quickstart"
    ),
) -> None:
    """Train on MNIST, fit and evaluate a detector, export it, push it, score a few images.

    Takes 17 minutes to an hour on two cores. The same command resumes where it was interrupted.
    """
    started = time.monotonic()
    run = RunDirectory(out)
    _say("All steps take 17 minutes to an hour on two cores.")
    _say("1/6  Training: dcgan train")
    train.train(data=_DATA, out=out)
    if not _has_part(run, "detector"):
        _say(f"2/6  Fitting a detector of fakes: dcgan detect {out}")
        detect.run(out)
    if not _has_part(run, "evaluation"):
        _say(f"3/6  Measuring the samples: dcgan evaluate {out}")
        evaluate.evaluate(out)
    _say(f"4/6  Exporting the detector and validating the export: dcgan export {out}")
    export.export(out)
    _say(f"5/6  Pushing it: dcgan push {out}, dcgan serving-config {out}")
    push.push(out)
    _say(f"6/6  Scoring a few images: dcgan score {out} {out / 'examples'}")
    score.score([str(out), *map(str, _write_examples(run))])
    _say(f"Done in {(time.monotonic() - started) / 60:.0f} minutes. Results:")
    print(f"report     {run.report_html}")
    print(f"samples    {run.samples}")
    _say("To serve the detector:")
    serving_config.serving_config(out)


def _has_part(run: RunDirectory, name: str) -> bool:
    """Whether an interrupted earlier call has already written a part of the run's report."""
    return (run.report_parts / f"{name}.json").is_file()


def _write_examples(run: RunDirectory) -> Iterator[pathlib.Path]:
    """Writes a few test images and a few samples into the run; yields their directories."""
    from dcgan import data, images

    generated, real = run.path / "examples" / "generated", run.path / "examples" / "real"
    sample.sample(run.path, count=_EXAMPLES, png_dir=generated)
    for index, image in enumerate(data.load_images(_DATA, split="test").images[-_EXAMPLES:], 1):
        images.save_png(real / f"{index:06d}.png", image[..., 0])
    yield generated
    yield real


def _say(text: str) -> None:
    print(f"\n{text}", file=sys.stderr, flush=True)
