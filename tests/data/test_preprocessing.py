import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from dcgan.data import preprocessing


def in_graphs(images, forms):
    """Runs `prepare` for sizes and numbers of channels in a graph that knows nothing but the rank."""

    @tf.function(input_signature=[tf.TensorSpec([None] * images.ndim, tf.uint8)])
    def graph(pixels):
        return [preprocessing.prepare(pixels, image_size=size, channels=c) for size, c in forms]

    return [prepared.numpy() for prepared in graph(tf.constant(images))]


def in_graph(images, *, image_size, channels):
    return in_graphs(images, [(image_size, channels)])[0]


def eagerly(images, *, image_size, channels):
    return preprocessing.prepare(tf.constant(images), image_size=image_size, channels=channels).numpy()


@pytest.mark.parametrize("run", [eagerly, in_graph])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("shape", [(12, 12), (4, 12, 12)])
def test_right_shape_passes_to_the_bit(noise, run, channels, shape):
    images = noise(*shape, channels)
    np.testing.assert_array_equal(run(images, image_size=12, channels=channels), images)


@pytest.mark.slow
@pytest.mark.parametrize("own", [1, 2, 3, 4])
def test_graph_agrees_with_eager(noise, own):
    """Smaller, of a height, larger; in batches and alone."""
    images = noise(2, 16, 23, own)
    forms = [(5, 1), (16, 3), (40, 1)]
    for (size, channels), batch in zip(forms, in_graphs(images, forms), strict=True):
        expected = eagerly(images, image_size=size, channels=channels)
        assert expected.shape == (2, size, size, channels)
        np.testing.assert_array_equal(batch, expected)
    alone = in_graph(images[0], image_size=40, channels=3)
    np.testing.assert_array_equal(alone, eagerly(images, image_size=40, channels=3)[0])


def test_luma_is_that_of_pillow(noise):
    images = noise(50, 50, 3)
    expected = np.asarray(PIL.Image.fromarray(images).convert("L"))
    np.testing.assert_array_equal(preprocessing.to_channels(images, 1)[..., 0], expected)


def test_grey_is_repeated(noise):
    images = noise(5, 5, 1)
    np.testing.assert_array_equal(preprocessing.to_channels(images, 3), np.repeat(images, 3, -1))


@pytest.mark.parametrize(
    ("rgba", "expected"),
    [
        ((10, 20, 30, 255), (10, 20, 30)),
        ((10, 20, 30, 0), (255, 255, 255)),
        ((0, 0, 0, 51), (204, 204, 204)),
        ((255, 0, 100, 102), (255, 153, 193)),
        ((0, 100, 200, 1), (254, 254, 255)),
        ((0, 100, 200, 128), (127, 177, 227)),
    ],
)
def test_alpha_is_composited_over_white(rgba, expected):
    images = np.array(rgba, np.uint8).reshape(1, 1, 4)
    assert preprocessing.to_channels(images, 3).numpy().ravel().tolist() == list(expected)


def test_compositing_is_within_a_level_of_pillow(noise):
    images = noise(40, 40, 4)
    white = PIL.Image.new("RGBA", (40, 40), "white")
    theirs = PIL.Image.alpha_composite(white, PIL.Image.fromarray(images)).convert("RGB")
    ours = preprocessing.to_channels(images, 3).numpy().astype(int)
    assert np.abs(ours - np.asarray(theirs)).max() <= 1


def test_grey_with_alpha(noise):
    images = np.array([[[100, 255], [100, 0]]], np.uint8)
    assert preprocessing.to_channels(images, 1).numpy().ravel().tolist() == [100, 255]


@pytest.mark.parametrize(("shape", "square"), [((6, 10), np.s_[:, 2:8]), ((11, 6), np.s_[2:8, :])])
@pytest.mark.parametrize("run", [eagerly, in_graph])
def test_crop_is_central(noise, run, shape, square):
    images = noise(*shape, 3)
    np.testing.assert_array_equal(run(images, image_size=6, channels=3), images[square])


def test_halving_a_checkerboard_is_mid_grey():
    board = np.indices((32, 32)).sum(0)[..., np.newaxis] % 2 * 255
    halved = preprocessing.resize(tf.constant(board, tf.uint8), 8).numpy()
    assert np.abs(halved[1:-1, 1:-1].astype(int) - 127).max() <= 1


@pytest.mark.parametrize("size", [9, 16, 31, 50])
def test_resize_is_within_a_level_of_pillow(size):
    rows, columns = np.indices((31, 31))
    images = (127.5 + 127 * np.sin(rows / 3) * np.cos(columns / 4)).astype(np.uint8)
    theirs = PIL.Image.fromarray(images).resize((size, size), PIL.Image.Resampling.BILINEAR)
    ours = preprocessing.resize(images[..., np.newaxis], size).numpy()[..., 0].astype(int)
    assert np.abs(ours - np.asarray(theirs)).max() <= 1


def test_resize_rounds_to_the_nearest_level():
    images = np.array([[0, 255], [0, 255]], np.uint8)[..., np.newaxis]
    enlarged = preprocessing.resize(images, 4).numpy()[0, :, 0]
    assert enlarged.tolist() == [0, 64, 191, 255]  # 63.75 and 191.25 before rounding.


def test_array_in_pieces_is_the_array(noise, monkeypatch):
    images = noise(10, 9, 7, 3)
    whole = preprocessing.prepare_array(images, image_size=5, channels=1)
    monkeypatch.setattr(preprocessing, "_CHUNK", 3)
    pieces = preprocessing.prepare_array(images, image_size=5, channels=1)
    assert whole.shape == (10, 5, 5, 1)
    np.testing.assert_array_equal(pieces, whole)
    np.testing.assert_array_equal(whole, eagerly(images, image_size=5, channels=1))


def test_array_of_the_right_shape_is_not_copied(noise):
    images = noise(10, 7, 7, 3)
    assert preprocessing.prepare_array(images, image_size=7, channels=3) is images
    assert preprocessing.prepare_array(images, image_size=None, channels=None) is images


def test_works_in_a_saved_model(tmp_path, noise):
    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, None, None, None], tf.uint8)])
        def __call__(self, images):
            return preprocessing.prepare(images, image_size=8, channels=1)

    tf.saved_model.save(Module(), str(tmp_path))
    images = noise(3, 20, 14, 4)
    np.testing.assert_array_equal(
        tf.saved_model.load(str(tmp_path))(tf.constant(images)),
        eagerly(images, image_size=8, channels=1),
    )


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("wanted", [1, 3])
def test_a_large_image_is_converted_in_strips(channels, wanted, monkeypatch):
    image = np.random.default_rng(0).integers(0, 256, (41, 13, channels), np.uint8)
    whole = preprocessing.to_channels(image, wanted).numpy()
    monkeypatch.setattr(preprocessing, "_STRIP", 100)
    np.testing.assert_array_equal(preprocessing.to_channels(image, wanted), whole)
    graph = preprocessing.for_any_size(image_size=None, channels=wanted)
    np.testing.assert_array_equal(graph(image), whole)
