"""The classifier behind a fitted extractor."""

import keras

FEATURE_DIM = 64
_SMALLEST_GRID = 8
_NARROWEST = 16


def build_classifier(image_shape: tuple[int, int, int], classes: int, *, seed: int) -> keras.Model:
    """Builds a small convolutional classifier whose penultimate layer serves as features.

    The features are chosen for what the metrics assume of them. They are 64, so that the
    covariance of a few thousand samples is well estimated. Each is a learned weighted sum of one
    channel over the grid: a sum of many terms, without a kink at zero, and so closer to normal, as
    the Frechet distance supposes, than rectified features are; and unlike a plain average it knows
    where a stroke lies. They are batch-normalized without scale or offset to zero mean and unit
    variance over the training images, so that no dimension outweighs the others in a k-nearest
    search and ``x @ y / dim`` in the polynomial kernel is of the order of 1.

    Args:
        image_shape: (height, width, channels); height and width from 16 to 256.
        classes: How many classes.
        seed: Seed of the initial weights.

    Returns:
        A model from float32 images in [-1, 1], shape (batch, height, width, channels), to class
        probabilities, shape (batch, classes). Its last layer is a softmax over logits.

    Reference:
        Chen et al. (2018), MobileFaceNets: global depthwise convolution for embeddings.
    """
    seeds = iter(range(1000 * seed, 1000 * (seed + 1)))
    inputs = keras.Input(image_shape, name="image")
    halvings = _halvings(max(image_shape[:2]))
    x = _convolve(inputs, _width(halvings), strides=1, seed=next(seeds))
    for left in reversed(range(halvings)):
        x = _convolve(x, _width(left), strides=2, seed=next(seeds))
        x = _convolve(x, _width(left), strides=1, seed=next(seeds))
    initial = keras.initializers.GlorotUniform(seed=next(seeds))
    pool = keras.layers.EinsumDense(
        "bhwc,hwc->bc", output_shape=(FEATURE_DIM,), kernel_initializer=initial, name="pool"
    )
    x = keras.layers.BatchNormalization(center=False, scale=False, name="features")(pool(x))
    initial = keras.initializers.GlorotUniform(seed=next(seeds))
    logits = keras.layers.Dense(classes, kernel_initializer=initial, name="logits")(x)
    return keras.Model(inputs, keras.layers.Softmax(name="probabilities")(logits), name="extractor")


def _halvings(size: int) -> int:
    """Returns how often a grid of `size` is halved, rounding up, until it is 8 or less."""
    count = 0
    while size > _SMALLEST_GRID:
        size, count = -(-size // 2), count + 1
    return count


def _width(left: int) -> int:
    """Returns the channels of a stage with `left` halvings still to come."""
    return max(_NARROWEST, FEATURE_DIM >> left)


def _convolve(x: keras.KerasTensor, width: int, *, strides: int, seed: int) -> keras.KerasTensor:
    x = keras.layers.Conv2D(
        width,
        3,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
    )(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
