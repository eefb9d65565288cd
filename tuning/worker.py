"""A worker's process: `python -m tuning.worker DIRECTORY ORIGIN [DEADLINE]`, started by the chief."""

import os
import sys
import threading


def main(directory: str, origin: str, deadline: str | None = None) -> None:
    """Runs the trials that the chief of KerasTuner's environment variables makes, until there are none.

    Args:
        directory: The search's.
        origin: When the search began, see `DCGANHyperModel`.
        deadline: When trials are cut short, likewise. Defaults to None: never.
    """
    threading.Thread(target=_end_with_the_chief, daemon=True).start()
    import tensorflow as tf

    from tuning import oracles
    from tuning.hypermodel import DCGANHyperModel
    from tuning.search_config import Budget
    from tuning.search_directory import SearchDirectory
    from tuning.tuner import DCGANTuner

    tf.config.experimental.enable_op_determinism()
    config, space = SearchDirectory(directory).load()
    hypermodel = DCGANHyperModel(
        config,
        directory,
        space=space,
        origin=float(origin),
        deadline=None if deadline is None else float(deadline),
    )
    DCGANTuner(oracles.make(config, Budget()), hypermodel).search(verbose=0)


def _end_with_the_chief() -> None:
    # Not `sys.stdin`, whose lock this thread would hold when the interpreter ends.
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
