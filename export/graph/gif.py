"""The first frame of a GIF, cut out by graph operations.

TensorFlow's decoder reads all frames of a GIF into memory, whatever size each announces, so that
it is only given the first, without extensions. What is transparent would be black in it; here, it
becomes white, over which `dcgan.data` composites.
"""

import tensorflow as tf

_SCREEN = 13
_EXTENSION, _CONTROL, _IMAGE = 0x21, 0xF9, 0x2C
# Of up to 255 bytes each; walking through as many takes about a second.
_MAX_BLOCKS = 2**15


def first_frame(content: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Cuts a GIF after its first frame.

    The operations fail where the file ends too early.

    Args:
        content: A GIF, scalar, string.

    Returns:
        A GIF of that frame alone; the frame's height and width as it announces them, scalars, int64.
    """
    raw = tf.io.decode_raw(content, tf.uint8)
    global_length = _palette_length(_byte(raw, 10))
    start = _SCREEN + global_length
    image, transparent, budget = _skip_extensions(raw, start)
    tf.debugging.assert_equal(_byte(raw, image), _IMAGE)
    local_length = _palette_length(_byte(raw, image + 9))
    end, budget = _skip_blocks(raw, image + 11 + local_length, budget)
    tf.debugging.assert_positive(budget)
    screen, data = tf.strings.substr(content, 0, start), tf.strings.substr(content, image, end - image)
    frame = tf.strings.join([screen, data, ";"])
    palette = tf.where(local_length > 0, start + 10, _SCREEN)
    length = tf.where(local_length > 0, local_length, global_length)
    is_listed = (transparent >= 0) & (3 * transparent < length)
    colour = tf.where(is_listed, palette + 3 * transparent, 0)
    frame = tf.where(is_listed, _whiten(frame, colour), frame)
    return frame, _pair(raw, image + 7), _pair(raw, image + 5)


def _skip_extensions(raw: tf.Tensor, position: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns where the first image begins, its transparent colour or -1, and the blocks left."""

    def is_extension(position: tf.Tensor, transparent: tf.Tensor, budget: tf.Tensor) -> tf.Tensor:
        return (_byte(raw, position) == _EXTENSION) & (budget > 0)

    def skip(position: tf.Tensor, transparent: tf.Tensor, budget: tf.Tensor) -> tuple[tf.Tensor, ...]:
        is_control = _byte(raw, position + 1) == _CONTROL
        has_colour = _byte(raw, position + 3) % 2 == 1
        colour = tf.where(has_colour, _byte(raw, position + 6), -1)
        return tf.where(is_control, colour, transparent), *_skip_blocks(raw, position + 2, budget)

    def body(position: tf.Tensor, transparent: tf.Tensor, budget: tf.Tensor) -> tuple[tf.Tensor, ...]:
        transparent, position, budget = skip(position, transparent, budget)
        return position, transparent, budget - 1

    state = (position, tf.constant(-1), tf.constant(_MAX_BLOCKS))
    return tf.while_loop(is_extension, body, state)


def _skip_blocks(raw: tf.Tensor, position: tf.Tensor, budget: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns what lies behind a chain of blocks, each of which begins with its length."""
    position, budget = tf.while_loop(
        lambda position, budget: (_byte(raw, position) > 0) & (budget > 0),
        lambda position, budget: (position + 1 + _byte(raw, position), budget - 1),
        (position, budget),
    )
    return position + 1, budget


def _whiten(frame: tf.Tensor, colour: tf.Tensor) -> tf.Tensor:
    before, after = tf.strings.substr(frame, 0, colour), tf.strings.substr(frame, colour + 3, 2**30)
    return tf.strings.join([before, tf.constant(b"\xff\xff\xff"), after])


def _palette_length(flags: tf.Tensor) -> tf.Tensor:
    return tf.where(flags >= 0x80, 3 * tf.bitwise.left_shift(2, flags % 8), 0)


def _byte(raw: tf.Tensor, position: tf.Tensor | int) -> tf.Tensor:
    return tf.cast(raw[position], tf.int32)


def _pair(raw: tf.Tensor, position: tf.Tensor) -> tf.Tensor:
    return tf.cast(_byte(raw, position) + 256 * _byte(raw, position + 1), tf.int64)
