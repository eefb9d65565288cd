"""What TF Serving needs besides the models: versions and labels, batching, monitoring.

Reference:
    [Serving configuration](https://www.tensorflow.org/tfx/serving/serving_config)
"""

import dataclasses
import os
import pathlib

from dcgan.errors import InputError
from dcgan.system import files
from export.publishing import labels as version_labels
from export.publishing import pushing, versions
from export.publishing.pushing import Pushed
from export.serving.container import ADDRESS, IMAGE, Container

_MOUNT = version_labels.MOUNT
_BATCHING, _MONITORING, _COMPOSE = "batching.config", "monitoring.config", "compose.yaml"
# The client sends up to 64 images a request; so many images make a batch.
_LARGEST_BATCH = 256
_WAIT_MICROSECONDS = 2_000
_QUEUED_BATCHES = 100
_POLL_SECONDS = 30

_BATCHING_TEXT = """\
# The most images that are scored at once; a single request must not have more.
max_batch_size {{ value: {largest} }}
# How long an image waits for others.
batch_timeout_micros {{ value: {wait} }}
# Requests beyond these get an error at once instead of waiting.
max_enqueued_batches {{ value: {queued} }}
# As many as the server has processors.
num_batch_threads {{ value: {threads} }}
"""
_MONITORING_TEXT = """\
# For Prometheus, on the REST port.
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""


@dataclasses.dataclass(frozen=True)
class Labels:
    """Names by which clients ask for versions of a model.

    Attributes:
        stable: The version that is known to be good.
        canary: The version on trial.

    Example:
        >>> labels = {"detector": export.Labels(stable=1, canary=2)}
        >>> export.write_serving_config("runs/mnist/serving", labels=labels).labels["detector"].stable
        1
    """

    stable: int
    canary: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServingConfig:
    """What `write_serving_config` wrote.

    Attributes:
        files: The files.
        labels: The labels of each model.
        docker: The command that serves the models.

    Example:
        >>> config = export.write_serving_config("runs/mnist/serving")
        >>> config.labels
        {'detector': Labels(stable=1, canary=2)}
    """

    files: tuple[pathlib.Path, ...]
    labels: dict[str, Labels]
    docker: str


def write_serving_config(
    base: str | os.PathLike[str],
    *,
    labels: dict[str, Labels] | None = None,
    image: str = IMAGE,
    address: str = ADDRESS,
) -> ServingConfig:
    """Writes a configuration for all live models.

    A server loads the labelled versions and the newest. Each push adds its version to those; labels stay
    until this is called again.

    Args:
        base: The directory of live models, where the files go.
        labels: The labels of each model. Defaults to the newest version as canary, and the version
            that a rollback would lead to as stable; if there is none, the newest is both.
        image: The server's image. Defaults to "tensorflow/serving:2.20.0".
        address: The IP address on which the server's ports open. Defaults to "127.0.0.1", which only
            this machine reaches; "0.0.0.0" is every network that it is on.

    Returns:
        The files and the command.

    Raises:
        InputError: If nothing is live, a label's model or version is not live, the address is none, or
            the base cannot be written to.

    Example:
        >>> print(export.write_serving_config("runs/mnist/serving").docker)
        docker run ...
    """
    base = pathlib.Path(base)
    server = Container(image=image, options=_options(), mount=_MOUNT, address=address)
    if not base.is_dir():
        raise _nothing_live(base)
    with versions.locked(base):
        live = _find_models(base)
        chosen = _choose_labels(base, live, labels or {})
        contents = {
            version_labels.FILE: _models_text(live, chosen),
            _BATCHING: _BATCHING_TEXT.format(
                largest=_LARGEST_BATCH,
                wait=_WAIT_MICROSECONDS,
                queued=_QUEUED_BATCHES,
                threads=os.cpu_count() or 1,
            ),
            _MONITORING: _MONITORING_TEXT,
            _COMPOSE: server.render_compose(),
        }
        _write(base, contents)
    return ServingConfig(
        files=tuple(base / name for name in contents),
        labels=chosen,
        docker=server.command(base),
    )


def _write(base: pathlib.Path, contents: dict[str, str]) -> None:
    try:
        for name, text in contents.items():
            files.write_text(base / name, text)
    except OSError as error:
        raise InputError(f"{base}: expected a directory to write to ({error.strerror})") from None


def _nothing_live(base: pathlib.Path) -> InputError:
    return InputError(f"{base}: expected live models; `dcgan push` makes one live")


def _find_models(base: pathlib.Path) -> dict[str, list[Pushed]]:
    """Returns the live versions of each model."""
    names = sorted(path.name for path in base.iterdir() if versions.is_name(path.name))
    live = {name: pushing.list_live(base / name) for name in names}
    live = {name: found for name, found in live.items() if found}
    if not live:
        raise _nothing_live(base)
    return live


def _choose_labels(
    base: pathlib.Path, live: dict[str, list[Pushed]], given: dict[str, Labels]
) -> dict[str, Labels]:
    """Returns the labels of each model; where some are given, those of other models stay."""
    if unknown := sorted(set(given) - set(live)):
        raise InputError(f"{base}: expected a live model {unknown[0]}, one of {', '.join(live)}")
    kept = _read_labels(base, live) if given else {}
    chosen = {name: _default_labels(live[name]) for name in live} | kept | given
    for name, pair in given.items():
        _check_labels(base / name, live[name], pair)
    return chosen


def _read_labels(base: pathlib.Path, live: dict[str, list[Pushed]]) -> dict[str, Labels]:
    """Returns the labels that were chosen before, of models where both versions are still live."""
    try:
        found = version_labels.read(base)
    except InputError:
        return {}
    return {
        name: Labels(**labels)
        for name, labels in found.items()
        if name in live
        and set(labels) == set(version_labels.NAMES)
        and {pushed.version for pushed in live[name]} >= set(labels.values())
    }


def _default_labels(live: list[Pushed]) -> Labels:
    newest = live[-1]
    return Labels(stable=(pushing.find_previous(live) or newest).version, canary=newest.version)


def _check_labels(model: pathlib.Path, live: list[Pushed], labels: Labels) -> None:
    numbers = [pushed.version for pushed in live]
    for name, version in dataclasses.asdict(labels).items():
        if version not in numbers:
            raise InputError(
                f"{name}: expected a live version of {model}, one of {numbers}. Received: {version}"
            )


def _models_text(live: dict[str, list[Pushed]], labels: dict[str, Labels]) -> str:
    return version_labels.render(
        {name: dataclasses.asdict(pair) for name, pair in labels.items()},
        live={name: [pushed.version for pushed in found] for name, found in live.items()},
    )


def _options() -> list[str]:
    return [
        f"--model_config_file={_MOUNT}/{version_labels.FILE}",
        f"--model_config_file_poll_wait_seconds={_POLL_SECONDS}",
        # No version is loaded at the start, when labels would be refused.
        "--allow_version_labels_for_unavailable_models=true",
        "--enable_batching=true",
        f"--batching_parameters_file={_MOUNT}/{_BATCHING}",
        f"--monitoring_config_file={_MOUNT}/{_MONITORING}",
    ]
