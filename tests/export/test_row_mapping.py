import tensorflow as tf

from export.graph.row_mapping import map_rows


@tf.function(input_signature=[tf.TensorSpec((None,), tf.string)], autograph=False)
def numbers(texts):
    def parse(text):
        return tf.strings.to_number(text, tf.int32), tf.fill((2,), text)

    fallback = (tf.constant(-1), tf.constant(["none", "none"]))
    return map_rows(parse, (texts,), fallback=fallback)


def test_a_row_that_fails_gets_the_fallback():
    values, pairs = numbers(tf.constant(["7", "x", "9"]))
    assert values.numpy().tolist() == [7, -1, 9]
    assert pairs.numpy().tolist() == [[b"7"] * 2, [b"none"] * 2, [b"9"] * 2]


def test_nothing_but_failures_and_nothing_at_all():
    assert numbers(tf.constant(["x", ""]))[0].numpy().tolist() == [-1, -1]
    values, pairs = numbers(tf.constant([], tf.string))
    assert values.shape == (0,)
    assert pairs.shape == (0, 2)


def test_order_is_kept():
    many = [str(number) for number in range(200)]
    assert numbers(tf.constant(many))[0].numpy().tolist() == list(range(200))
