"""A run is one directory: where its files are, and who may write to it."""

import contextlib
import os
import pathlib
from collections.abc import Collection, Iterator

from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.runs import checkpoint_files, epoch_table, training_record
from dcgan.runs.training_record import Trained, TrainingRecord
from dcgan.system import files


class RunDirectory:
    """The files of one run.

    Args:
        path: The directory; it need not exist yet.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)
        self.config = self.path / "config.json"
        self.data_json = self.path / "data.json"
        self.data_npz = self.path / "data.npz"
        self.storage = self.path / "storage.json"
        self.training = self.path / "training.json"
        self.samples = self.path / "samples"
        self.interpolations = self.path / "interpolations"
        self.progress_gif = self.path / "progress.gif"
        self.checkpoints = self.path / "checkpoints"
        self.metrics = self.path / "metrics.csv"
        self.timings = self.path / "timings.csv"
        self.logs = self.path / "logs"
        self.references = self.path / "references"
        self.model = self.path / "dcgan.keras"
        self.report_json = self.path / "report.json"
        self.report_html = self.path / "report.html"
        self.report_parts = self.path / "report"
        self.replay = self.path / "replay"
        self.detector = self.path / "detector.keras"
        self.detector_files = self.path / "detector"
        self.candidates = self.path / "export"
        self.serving = self.path / "serving"

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "RunDirectory":
        """Returns a run that has been started.

        Args:
            path: Its directory.

        Raises:
            InputError: If no run was started there.
        """
        run = cls(path)
        if not run.config.is_file():
            raise InputError(f"{run.path}: expected a run's directory, one that holds config.json")
        return run

    def load_config(self) -> RunConfig:
        """Reads the run's config.

        Raises:
            InputError: If there is none, it is damaged, or another version of dcgan wrote it.
        """
        return RunConfig.load(self.config, own=True)

    def newest_model(self) -> pathlib.Path:
        """Returns the model with most epochs behind it: the saved one or an undamaged checkpoint.

        A damaged checkpoint is skipped with a warning.

        Raises:
            InputError: If there is neither.
        """
        if self.model.is_file() and not self._has_gone_on():
            return self.model
        checkpoint = next(checkpoint_files.iterate_usable(self.checkpoints), None)
        if checkpoint is None and self.model.is_file():
            return self.model
        if checkpoint is None:
            record = TrainingRecord.load(self.training)
            ended = f" ({record.message})" if record else ""
            raise InputError(f"{self.path}: expected a trained run, found no usable checkpoint{ended}")
        return checkpoint

    def _has_gone_on(self) -> bool:
        """Whether training went on after the model was saved, and has left a newer checkpoint."""
        record = TrainingRecord.load(self.training)
        if record is None or record.model_epochs is None:
            return False
        newest = checkpoint_files.list_all(self.checkpoints)[-1:]
        return any(checkpoint_files.epoch_of(path) > record.model_epochs for path in newest)

    def trained(self) -> Trained:
        """Returns the newest model with how the training behind it ended.

        Raises:
            InputError: If there is no model, or a file of the run is damaged.
        """
        path, record = self.newest_model(), TrainingRecord.load(self.training)
        if path != self.model:
            epochs = checkpoint_files.epoch_of(path)
        elif record is not None and record.model_epochs is not None:
            epochs = record.model_epochs
        else:
            epochs = len(self.read_metrics())
        planned = self.load_config().training.epochs
        return training_record.resolve(path, record, epochs=epochs, planned=planned)

    def read_metrics(self) -> list[dict[str, float]]:
        """Reads `metrics.csv`: a dictionary for each epoch, with the values that it logged.

        Raises:
            InputError: If the file is damaged.
        """
        rows, problem = epoch_table.read(self.metrics)
        if problem:
            raise InputError(f"{self.metrics}: {problem}")
        return [{name: float(value) for name, value in row.items() if value} for row in rows]

    def check(self, config: RunConfig, *, besides: Collection[str] = ()) -> None:
        """Makes sure that the run has not been started with another config.

        More epochs than before continue the training, unless the learning rate's schedule depends on
        their number.

        Args:
            config: The config asked for.
            besides: Values that are not compared, such as "network.classes". Defaults to none.

        Raises:
            InputError: If the run has another config, or the path is a file.
        """
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{self.path}: expected a directory to write to, found a file")
        if self.config.is_file():
            started = self.load_config()
            differences = _differences(started, config, besides)
            if differences and not _extends(started, config, differences):
                raise InputError(
                    f"{self.path}: holds a run with {'; '.join(differences)}. "
                    "Another --out starts anew; without these options this run goes on"
                )

    def claim(self, config: RunConfig) -> RunConfig:
        """Starts the run, or makes sure by `check` that it can continue.

        Args:
            config: The config asked for.

        Returns:
            The config to train with.

        Raises:
            InputError: If the run has another config, or the directory cannot be written to.
        """
        self.check(config)
        if not self.config.is_file() or config != self.load_config():
            try:
                config.save(self.config)
            except OSError as error:
                raise InputError(f"{self.path}: expected a directory to write to ({error})") from None
        return config

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps other processes from training in the directory while the block runs.

        Raises:
            InputError: If another process is training in it, or it cannot be written to.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = open(self.path / ".lock", "w", encoding="utf-8")  # noqa: SIM115, PTH123
        except OSError as error:
            raise InputError(f"{self.path}: expected a directory to write to ({error})") from None
        with handle:
            if not files.try_lock(handle.fileno()):
                raise InputError(f"{self.path}: another process is training in it")
            yield


def _differences(started: RunConfig, asked: RunConfig, besides: Collection[str]) -> list[str]:
    before, after = started.flatten(), asked.flatten()
    return [
        f"{name.rpartition('.')[2]}={before[name]!r}, not {value!r}"
        for name, value in after.items()
        if before[name] != value and name not in besides
    ]


def _extends(started: RunConfig, asked: RunConfig, differences: list[str]) -> bool:
    """Whether `asked` is the same run with more epochs under a constant learning rate."""
    longer = asked.training.epochs > started.training.epochs
    constant = asked.training.learning_rate_schedule == "constant"
    return len(differences) == 1 and longer and constant
