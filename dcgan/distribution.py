"""Strategies of `tf.distribute` by name, and who writes under them."""

import contextlib
import json
import os
from collections.abc import Iterator

import tensorflow as tf

from dcgan.config import STRATEGIES
from dcgan.errors import InputError, WorkerLostError

# What TensorFlow raises when a worker was killed, hangs, has left, or has come back meanwhile.
_WORKER_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
)
_LOST = (
    "Another worker was lost. Run the same command on all workers to continue from the last checkpoint."
)


def make_strategy(name: str) -> tf.distribute.Strategy:
    """Returns a strategy to train under.

    Args:
        name: "one_device" (TensorFlow's default: the first GPU, or the CPU), "mirrored" (all GPUs of
            this machine) or "multiworker" (the processes listed in `TF_CONFIG`).

    Raises:
        InputError: If there is no such strategy, or "multiworker" has no usable `TF_CONFIG` or comes
            after TensorFlow's first operation.
        WorkerLostError: If another worker is gone before all have met.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multiworker":
        return _join_cluster(_check_cluster())
    if name != "one_device":
        raise InputError(f"strategy: expected one of {', '.join(STRATEGIES)}. Received: {name!r}")
    return tf.distribute.get_strategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Returns whether this process writes the run's files: a cluster's first worker, or the only one."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.cluster_spec().jobs:
        return True
    chief = "chief" if "chief" in resolver.cluster_spec().jobs else "worker"
    return resolver.task_type == chief and resolver.task_id == 0


@contextlib.contextmanager
def naming_lost_workers(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Turns TensorFlow's many errors about a lost worker into one line.

    A killed worker is noticed at the next step, one that hangs within about a minute.

    Raises:
        WorkerLostError: If another worker is gone.
    """
    try:
        yield
    except _WORKER_LOST as error:
        if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
            raise
        raise WorkerLostError(_LOST) from error


def _join_cluster(address: str) -> tf.distribute.Strategy:
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.UnknownError as error:
        raise InputError(
            f"--strategy multiworker: expected this process's address in TF_CONFIG, {address}, to be "
            f"free ({error.message})"
        ) from None
    except _WORKER_LOST as error:
        raise WorkerLostError(_LOST) from error
    except RuntimeError as error:
        raise InputError(
            "strategy: expected before TensorFlow's first operation, such as making a dataset; start "
            "the program with `strategy = tf.distribute.MultiWorkerMirroredStrategy()` and pass it on "
            f"({error})"
        ) from None


def _check_cluster() -> str:
    """Returns this process's address, which `TF_CONFIG` names among the cluster's."""
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        cluster, task = config["cluster"], config["task"]
        addresses, index = cluster[task["type"]], int(task["index"])
        ports = [int(address.rpartition(":")[2]) for job in cluster.values() for address in job]
        usable = index in range(len(addresses)) and all(0 < port < 2**16 for port in ports)
    except (KeyError, TypeError, ValueError, AttributeError):
        usable = False
    if not usable:
        raise InputError(
            "--strategy multiworker: expected the environment variable TF_CONFIG with this process's "
            'cluster and task, as {"cluster": {"worker": ["host:port", ...]}, '
            '"task": {"type": "worker", "index": 0}}'
        )
    return addresses[index]
