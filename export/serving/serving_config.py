"""What TF Serving needs besides the models: versions and labels, batching, monitoring.

Reference:
    [Serving configuration](https://www.tensorflow.org/tfx/serving/serving_config)
"""

import dataclasses
import json
import os
import pathlib
import shlex

from dcgan import files
from dcgan.errors import InputError
from export.publishing import pushing
from export.publishing.pushing import Pushed

IMAGE = "tensorflow/serving:latest"
_MOUNT = "/models"
_PORTS = (8500, 8501)
_MODELS, _BATCHING = "models.config", "batching.config"
_MONITORING, _COMPOSE = "monitoring.config", "compose.yaml"
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
_MODEL_TEXT = """\
  config {{
    name: "{name}"
    base_path: "{mount}/{name}"
    model_platform: "tensorflow"
    # A request without a label gets the newest.
    model_version_policy {{ latest {{ num_versions: {count} }} }}
    version_labels {{ key: "stable" value: {stable} }}
    version_labels {{ key: "canary" value: {canary} }}
  }}
"""
_COMPOSE_TEXT = """\
services:
  serving:
    image: {image}
    command: {command}
    ports: {ports}
    volumes: {volumes}
    restart: unless-stopped
"""


@dataclasses.dataclass(frozen=True)
class Labels:
    """Names by which clients ask for versions of a model.

    Attributes:
        stable: The version that is known to be good.
        canary: The version on trial.
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
    """

    files: tuple[pathlib.Path, ...]
    labels: dict[str, Labels]
    docker: str


def write_serving_config(
    base: str | os.PathLike[str], *, labels: dict[str, Labels] | None = None, image: str = IMAGE
) -> ServingConfig:
    """Writes a configuration for all live models.

    A server loads new versions by itself; labels stay until this is called again.

    Args:
        base: The directory of live models, where the files go.
        labels: The labels of each model. Defaults to the newest version as canary, and the version
            that a rollback would lead to as stable; if there is none, the newest is both.
        image: The server's image. Defaults to "tensorflow/serving:latest".

    Returns:
        The files and the command.

    Raises:
        InputError: If nothing is live, a label's version is not live, or the base cannot be written to.

    Example:
        >>> print(write_serving_config("runs/mnist/serving").docker)
    """
    base = pathlib.Path(base)
    live = _find_models(base)
    chosen = {name: (labels or {}).get(name) or _default_labels(live[name]) for name in live}
    for name, pair in chosen.items():
        _check_labels(base / name, live[name], pair)
    contents = {
        _MODELS: _models_text(live, chosen),
        _BATCHING: _BATCHING_TEXT.format(
            largest=_LARGEST_BATCH,
            wait=_WAIT_MICROSECONDS,
            queued=_QUEUED_BATCHES,
            threads=os.cpu_count() or 1,
        ),
        _MONITORING: _MONITORING_TEXT,
        _COMPOSE: _compose_text(image),
    }
    try:
        for name, text in contents.items():
            files.write_text(base / name, text)
    except OSError as error:
        raise InputError(f"{base}: expected a directory to write to ({error.strerror})") from None
    return ServingConfig(
        files=tuple(base / name for name in contents), labels=chosen, docker=_docker(base, image)
    )


def _find_models(base: pathlib.Path) -> dict[str, list[Pushed]]:
    """Returns the live versions of each model."""
    names = sorted(path.name for path in base.iterdir() if path.is_dir()) if base.is_dir() else []
    live = {name: pushing.list_live(base / name) for name in names}
    live = {name: found for name, found in live.items() if found}
    if not live:
        raise InputError(f"{base}: expected live models; `dcgan push` makes one live")
    return live


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
    configs = ""
    for name, pair in labels.items():
        oldest = min(pair.stable, pair.canary)
        # All versions from the oldest with a label on, and one more to come.
        count = sum(pushed.version >= oldest for pushed in live[name]) + 1
        configs += _MODEL_TEXT.format(name=name, mount=_MOUNT, count=count, **dataclasses.asdict(pair))
    return f"model_config_list {{\n{configs}}}\n"


def _options() -> list[str]:
    return [
        f"--model_config_file={_MOUNT}/{_MODELS}",
        f"--model_config_file_poll_wait_seconds={_POLL_SECONDS}",
        # No version is loaded at the start, when labels would be refused.
        "--allow_version_labels_for_unavailable_models=true",
        "--enable_batching=true",
        f"--batching_parameters_file={_MOUNT}/{_BATCHING}",
        f"--monitoring_config_file={_MOUNT}/{_MONITORING}",
    ]


def _compose_text(image: str) -> str:
    # JSON's lists and texts are valid YAML.
    return _COMPOSE_TEXT.format(
        image=json.dumps(image),
        command=json.dumps(_options()),
        ports=json.dumps([f"{port}:{port}" for port in _PORTS]),
        volumes=json.dumps([f".:{_MOUNT}:ro"]),
    )


def _docker(base: pathlib.Path, image: str) -> str:
    ports = [part for port in _PORTS for part in ("-p", f"{port}:{port}")]
    volume = ["-v", f"{base.resolve()}:{_MOUNT}:ro"]
    return shlex.join(["docker", "run", "--rm", *ports, *volume, image, *_options()])
