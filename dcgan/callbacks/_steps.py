"""How far an epoch is."""

import keras


def done(callback: keras.callbacks.Callback, batch: int) -> int:
    """Returns the number of the epoch's batches that are done, after batch number `batch`.

    Keras numbers batches by whole executions of `steps_per_execution`, and so beyond the epoch's end.
    """
    steps = (callback.params or {}).get("steps")
    return min(batch + 1, steps) if steps else batch + 1
