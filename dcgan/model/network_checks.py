"""Whether two networks make a GAN; a line about what does not fit."""

from typing import Any, TypeAlias

import keras

from dcgan.errors import InputError

# What may stand between the last activation and the output.
_PASSING = (
    keras.layers.Reshape,
    keras.layers.Flatten,
    keras.layers.Permute,
    keras.layers.Cropping2D,
    keras.layers.Dropout,
    keras.layers.Identity,
)
# Those that never come below 0.
_POSITIVE = {"sigmoid", "hard_sigmoid", "softmax", "softplus", "relu", "relu6"}


def check_pair(generator: keras.Model, discriminator: keras.Model, *, classes: int = 0) -> None:
    """Checks shapes and last activations.

    Args:
        generator: Should map latents, shape (batch, latent_dim), to images in -1 to 1.
        discriminator: Should map such images to (batch, 1) logits.
        classes: How many classes there are; with any, the generator should have labels, shape (batch,),
            as a second input. Defaults to 0.

    Raises:
        InputError: If they do not.
    """
    (inputs, images), ((expected,), logits) = (
        _shapes(generator, "generator", inputs=1 + bool(classes)),
        _shapes(discriminator, "discriminator"),
    )
    latents = inputs[0]
    if classes and len(inputs[1]) != 1:
        raise InputError(f"generator: expected labels of shape (batch,). Received: {inputs[1]}")
    if len(latents) != 2 or latents[1] is None:
        raise InputError(
            f"generator: expected latents of shape (batch, latent_dim). Received: {latents}"
        )
    if images[1:] != expected[1:]:
        raise InputError(
            f"generator: expected images that fit the discriminator. Received: {images}, not {expected}"
        )
    if logits[1:] != (1,):
        raise InputError(
            f"discriminator: expected one logit an image, shape (batch, 1). Received: {logits}"
        )
    if (activation := _last_activation(discriminator)) != "linear":
        raise InputError(
            "discriminator: expected logits, without an activation after the last layer. "
            f"Received: {activation}"
        )
    if (activation := _last_activation(generator)) in _POSITIVE:
        raise InputError(
            f"generator: expected images in [-1, 1], as tanh gives them. Received: {activation}"
        )


def check_penalized(discriminator: keras.Model) -> None:
    """Checks that an image's gradient is its own, without which R1 and R2 are not defined.

    Raises:
        InputError: If there is batch normalization.
    """
    for layer in discriminator._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable:
            raise InputError(
                "r1_gamma, r2_gamma: expected 0, or a discriminator without batch normalization, under "
                f"which an image's own gradient is not defined. Received: the layer {layer.name}"
            )


_Shape: TypeAlias = tuple[int | None, ...]


def _shapes(network: Any, name: str, *, inputs: int = 1) -> tuple[list[_Shape], _Shape]:
    """Returns the shapes of a network's inputs, of which there should be so many, and of its output."""
    try:
        found, output = [tuple(each.shape) for each in network.inputs], tuple(network.output_shape)
    except (AttributeError, TypeError):
        raise InputError(
            f"{name}: expected a built Functional or Sequential model. Received: {network!r}"
        ) from None
    if len(found) != inputs:
        wanted = "two inputs, latents and labels, as there are classes" if inputs > 1 else "one input"
        raise InputError(f"{name}: expected {wanted}. Received: {len(found)} inputs")
    return found, output


def last_operation(network: keras.Model) -> Any:
    """Returns the last layer or operation that does more than to pass, reshape or cast."""
    operation = network.outputs[0]._keras_history.operation
    while isinstance(operation, _PASSING) or _is_identity(operation):
        operation = operation.input._keras_history.operation
    return operation


def _last_activation(network: keras.Model) -> str:
    """Returns the name of the function that a network ends in; "linear" if there is none."""
    operation = last_operation(network)
    if isinstance(operation, keras.Model) and hasattr(operation, "outputs"):
        return _last_activation(operation)
    if (activation := getattr(operation, "activation", None)) is not None:
        return getattr(activation, "__name__", type(activation).__name__)
    name = type(operation).__name__.lower()
    return name if name in {"sigmoid", "softmax", "tanh", "relu", "hardsigmoid"} else "linear"


def _is_identity(operation: Any) -> bool:
    """Whether an operation only casts, as the last one under mixed precision often does."""
    return (
        isinstance(operation, keras.layers.Activation)
        and operation.activation is keras.activations.linear
    )
