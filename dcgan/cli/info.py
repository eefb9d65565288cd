"""`dcgan info`: what a run is and how far it has come."""

import rich.table

from dcgan.cli.options import RunArgument
from dcgan.cli.terminal import consoles
from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory
from dcgan.runs.training_record import TrainingRecord
from dcgan.system import texts


def info(run: RunArgument) -> None:
    """Show a run's config, progress and files."""
    directory = RunDirectory.open(run)
    config = directory.load_config()
    rows = directory.read_metrics()
    console = consoles.output()
    # A value that is too long for a terminal goes on in the next line.
    columns = [rich.table.Column(name, overflow="fold") for name in ("config", "value")]
    table = rich.table.Table(*columns, title=texts.printable(str(run)), title_justify="left")
    for name, value in config.flatten().items():
        table.add_row(name, str(value))
    console.print(table)
    console.print(_state(directory, config, epochs=len(rows)), highlight=False)
    if rows:
        console.print("  ".join(f"{name} {value:.6}" for name, value in rows[-1].items()))
    for path in sorted(directory.path.iterdir()):
        if not path.name.startswith("."):
            name = texts.printable(f"{path}{'/' if path.is_dir() else ''}")
            console.print(name, highlight=False, soft_wrap=True)


def _state(directory: RunDirectory, config: RunConfig, *, epochs: int) -> str:
    """Says how far training has come and, if it ended early, why."""
    planned = config.training.epochs
    progress = f"{epochs} of {planned} epochs"
    try:
        trained = directory.trained()
    except InputError:
        record = _read_end(directory)
        if record is None:
            return f"{progress}, not finished"
        return f"{record.epochs} of {planned} epochs, without a model: {record.message}"
    return f"{progress}, finished" if trained.finished else f"{progress}: {trained.message}"


def _read_end(directory: RunDirectory) -> TrainingRecord | None:
    """Reads how training ended; None if that is not known."""
    try:
        return TrainingRecord.load(directory.training)
    except InputError:
        return None
