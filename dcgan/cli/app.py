"""All subcommands under one name, and how their errors are shown."""

import errno
import io
import os
import sys
from typing import NoReturn, cast

import typer

from dcgan import environment
from dcgan.cli import (
    detect,
    evaluate,
    export,
    features,
    info,
    interrupts,
    push,
    quickstart,
    report,
    sample,
    score,
    serving_config,
    train,
    tune,
    versions,
)
from dcgan.errors import InputError

# Typer, which has a Click of its own in newer versions, does not export this base of its errors.
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])
_INTERRUPTED = 130
_FULL = (errno.ENOSPC, errno.EDQUOT)

app = typer.Typer(
    name="dcgan",
    help="Train a DCGAN, measure its samples, detect generated images, export for TF Serving.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(quickstart.quickstart)
app.command()(train.train)
app.command()(tune.tune)
app.command()(sample.sample)
app.command()(info.info)
app.command()(evaluate.evaluate)
app.command()(report.report)
app.add_typer(features.app, name="features")
app.add_typer(detect.app, name="detect")
app.command()(score.score)
app.command()(export.export)
app.command()(push.push)
app.command()(versions.versions)
app.command()(serving_config.serving_config)


def main() -> NoReturn:
    """Runs the command line; an error that the user can fix is one line, with exit code 2."""
    _open_closed_streams()
    environment.isolate()
    try:
        environment.check()
        with interrupts.arriving():
            code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except InputError as error:
        _fail(str(error))
    except _UsageError as error:
        _fail(error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _fail(f"expected free space on the disk ({error})")
    if code == _INTERRUPTED:
        print("Interrupted.", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def _open_closed_streams() -> None:
    """Puts a file into which everything vanishes where the shell has closed a standard stream.

    Otherwise the next file that is opened would take its place.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            stream = open(os.devnull, "w" if descriptor else "r", encoding="utf-8")  # noqa: SIM115, PTH123
            setattr(sys, name, stream)
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, io.TextIOWrapper):
            # Names of files may have characters that the terminal does not.
            output.reconfigure(errors="backslashreplace")


def _fail(message: str) -> NoReturn:
    print("dcgan:", " ".join(message.split()), file=sys.stderr)
    sys.exit(2)
