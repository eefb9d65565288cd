"""All subcommands under one name, and how their errors are shown."""

import contextlib
import errno
import io
import os
import sys
from typing import Annotated, NoReturn, cast

import typer

import dcgan
from dcgan.cli import (
    detect,
    evaluate,
    export,
    features,
    info,
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
from dcgan.cli.terminal import interrupts
from dcgan.errors import InputError, ServerError
from dcgan.system import environment, files, texts

# Typer, which has a Click of its own in newer versions, does not export this base of its errors.
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])
_INTERRUPTED = 130
# What is wrong with a path rather than with the program.
_PATHS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR)

app = typer.Typer(
    name="dcgan",
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


def _show_version(asked: bool) -> None:
    if asked:
        print("dcgan", dcgan.__version__)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Train a DCGAN, measure its samples, detect generated images, export for TF Serving."""


def main() -> NoReturn:
    """Runs the command line; an error that the user can fix is one line, with exit code 2."""
    _prepare_streams()
    environment.isolate()
    try:
        environment.check()
        with interrupts.arriving():
            code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        sys.stdout.flush()
    except (InputError, ServerError) as error:
        _fail(str(error))
    except _UsageError as error:
        _fail(error.format_message())
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except BrokenPipeError:
        _settle_output()
        code = 1  # As Typer says where it sees it first.
    except OSError as error:
        _settle_output()
        if files.is_full(error):
            _fail(f"expected free space on the disk ({error})")
        if error.errno not in _PATHS or not isinstance(error.filename, str):
            raise
        _fail(f"{error.filename}: expected a path that can be used ({error.strerror})")
    if code == _INTERRUPTED:
        print("Interrupted.", file=sys.stderr)
    sys.exit(code if isinstance(code, int) else 0)


def _prepare_streams() -> None:
    """Opens what the shell has closed, else the next file would take its place; escapes characters.

    A name that the terminal's encoding does not know ends nothing.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            stream = open(os.devnull, "w" if descriptor else "r", encoding="utf-8")  # noqa: SIM115, PTH123
            setattr(sys, name, stream)
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, io.TextIOWrapper):
            output.reconfigure(errors="backslashreplace")


def _fail(message: str) -> NoReturn:
    print("dcgan:", texts.printable(" ".join(message.split())), file=sys.stderr)
    sys.exit(2)


def _settle_output() -> None:
    """Writes what standard output still holds, or discards it: Python would fail again at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
