"""Keras callbacks for a model with more than one optimizer."""

from typing import Any

import keras


class OptimizerCallback(keras.callbacks.Callback):
    """Lets a callback that acts on `model.optimizer` act on one named optimizer.

    `keras.callbacks.LearningRateScheduler` and `keras.callbacks.ReduceLROnPlateau` act on both
    optimizers of a `dcgan.DCGAN`. Wrapped, they act on one: the callback sees the model with that one
    in place of `optimizer`, and its learning rate is logged as `learning_rate_generator` or
    `learning_rate_discriminator`. Whatever else the callback reads or sets, such as `stop_training`, is
    the model's own.

    Args:
        callback: Any Keras callback.
        optimizer: The model's attribute that holds the optimizer.

    Raises:
        ValueError: When training starts, if the model has no such optimizer.

    Example:
        >>> halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
        >>> model.fit(dataset, callbacks=[OptimizerCallback(halve, "generator_optimizer")])
    """

    def __init__(self, callback: keras.callbacks.Callback, optimizer: str) -> None:
        super().__init__()
        self.callback = callback
        self.optimizer = optimizer
        # Bound methods of the wrapped callback itself, so that Keras also sees which hooks it
        # leaves at their defaults.
        for hook in dir(keras.callbacks.Callback):
            if hook.startswith("on_") and hook != "on_epoch_end":
                setattr(self, hook, getattr(callback, hook))

    def set_params(self, params: dict[str, Any]) -> None:
        """Hands the training parameters on."""
        super().set_params(params)
        self.callback.set_params(params)

    def set_model(self, model: keras.Model) -> None:
        """Hands a view of the model on."""
        super().set_model(model)
        if not isinstance(getattr(model, self.optimizer, None), keras.optimizers.Optimizer):
            raise ValueError(
                "Expected the name of one of the model's optimizers "
                f"({', '.join(_optimizer_names(model)) or 'it has none'}). "
                f"Received: optimizer={self.optimizer!r}"
            )
        self.callback.set_model(_ModelView(model, self.optimizer))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Runs the wrapped callback and names the learning rate that it logs."""
        logs = {} if logs is None else logs
        seen = {name: value for name, value in logs.items() if name != "learning_rate"}
        self.callback.on_epoch_end(epoch, seen)
        if "learning_rate" in seen:
            network = self.optimizer.removesuffix("_optimizer")
            seen[f"learning_rate_{network}"] = seen.pop("learning_rate")
        logs.update(seen)


class _ModelView:
    """A model whose `optimizer` is one of its other attributes."""

    def __init__(self, model: keras.Model, optimizer: str) -> None:
        object.__setattr__(self, "_model_and_optimizer", (model, optimizer))

    def __getattr__(self, name: str) -> Any:
        model, optimizer = self._model_and_optimizer
        return getattr(model, optimizer if name == "optimizer" else name)

    def __setattr__(self, name: str, value: Any) -> None:
        model, optimizer = self._model_and_optimizer
        setattr(model, optimizer if name == "optimizer" else name, value)


def _optimizer_names(model: keras.Model) -> list[str]:
    return sorted(
        name for name, value in vars(model).items() if isinstance(value, keras.optimizers.Optimizer)
    )
