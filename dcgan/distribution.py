"""Strategies of `tf.distribute` by name, and who writes under them."""

import json
import os

import tensorflow as tf

from dcgan.config import STRATEGIES
from dcgan.errors import InputError


def make_strategy(name: str) -> tf.distribute.Strategy:
    """Returns a strategy to train under.

    Args:
        name: "one_device" (TensorFlow's default: the first GPU, or the CPU), "mirrored" (all GPUs of
            this machine) or "multiworker" (the processes that `TF_CONFIG` tells of).

    Raises:
        InputError: If there is no such strategy, or "multiworker" has no usable `TF_CONFIG`.
    """
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    if name == "multiworker":
        _check_cluster()
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name != "one_device":
        raise InputError(f"strategy: expected one of {', '.join(STRATEGIES)}. Received: {name!r}")
    return tf.distribute.get_strategy()


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes the run's files: one of a cluster's workers, or the only process.

    Args:
        strategy: What the process trains under.
    """
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.cluster_spec().jobs:
        return True
    chief = "chief" if "chief" in resolver.cluster_spec().jobs else "worker"
    return resolver.task_type == chief and resolver.task_id == 0


def _check_cluster() -> None:
    try:
        cluster = json.loads(os.environ["TF_CONFIG"])
        usable = cluster["task"]["type"] in cluster["cluster"]
    except (KeyError, TypeError, ValueError):
        usable = False
    if not usable:
        raise InputError(
            "--strategy multiworker: expected the environment variable TF_CONFIG with this process's "
            'cluster and task, as {"cluster": {"worker": ["host:port", ...]}, '
            '"task": {"type": "worker", "index": 0}}'
        )
