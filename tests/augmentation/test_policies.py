import numpy as np
import pytest
import tensorflow as tf

from dcgan import augmentation
from dcgan.errors import InputError

EVERY = ["color", "translation", "cutout", "color,translation,cutout"]
SIZE, REACH = 16, 2


def _augment(images, policy, *, seed=0):
    seeds = tf.constant([seed, 7], tf.int64)
    return augmentation.diff_augment(tf.constant(images), policy, seed=seeds).numpy()


@pytest.fixture(scope="module")
def marker():
    """Many copies of one image whose mirror images all differ from it: an L on black."""
    image = np.full((SIZE, SIZE, 1), -1, np.float32)
    image[5:10, 6] = 1
    image[9, 6:9] = 0.5
    return np.repeat(image[None], 400, axis=0)


@pytest.mark.parametrize("policy", EVERY)
@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_seed(make_images, policy, channels):
    images = make_images(4, channels=channels)
    first = _augment(images, policy, seed=3)
    assert first.shape == images.shape
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, _augment(images, policy, seed=3))
    assert not np.array_equal(first, _augment(images, policy, seed=4))


@pytest.mark.parametrize("policy", EVERY)
def test_each_image_on_its_own(make_images, policy):
    images = np.repeat(make_images(1, size=32), 8, axis=0)
    assert len(np.unique(_augment(images, policy), axis=0)) > 1


@pytest.mark.parametrize("policy", EVERY)
def test_any_batch_size_in_a_graph(make_images, policy):
    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1))])
    def run(images):
        return augmentation.diff_augment(images, policy, seed=tf.constant([0, 7], tf.int64))

    for count in (1, 3):
        images = make_images(count)
        np.testing.assert_allclose(run(images), _augment(images, policy), atol=1e-6)


@pytest.mark.parametrize("policy", EVERY)
def test_gradients_flow(make_images, policy):
    images = tf.constant(make_images(16))
    with tf.GradientTape() as tape:
        tape.watch(images)
        augmented = augmentation.diff_augment(images, policy, seed=tf.constant([0, 7], tf.int64))
    gradients = tape.gradient(augmented, images).numpy()
    assert np.isfinite(gradients).all()
    assert (np.abs(gradients).sum(axis=(1, 2, 3)) > 0).all()


def test_no_policy_leaves_images_alone(make_images):
    images = make_images()
    np.testing.assert_array_equal(_augment(images, ""), images)


def test_translation_shifts_by_at_most_an_eighth_and_never_flips(marker):
    def shifted(image, rows, columns):
        canvas = np.full((SIZE + 2 * REACH, SIZE + 2 * REACH, 1), -1, np.float32)
        canvas[REACH + rows : REACH + rows + SIZE, REACH + columns : REACH + columns + SIZE] = image
        return canvas[REACH:-REACH, REACH:-REACH]

    moves = [(i, j) for i in range(-REACH, REACH + 1) for j in range(-REACH, REACH + 1)]
    allowed = {shifted(marker[0], *move).tobytes(): move for move in moves}
    assert len(allowed) == 25
    seen = [allowed[image.tobytes()] for image in _augment(marker, "translation")]
    # 400 uniform draws of 25: each is expected 16 times.
    assert set(seen) == set(moves)
    assert max(map(seen.count, moves)) < 40


def test_translation_brings_in_black_and_never_wraps():
    images = np.full((200, SIZE, SIZE, 3), 0.25, np.float32)
    images[:, 0], images[:, :, -1] = 0.5, 0.75
    moved = _augment(images, "translation")
    # What left at the top never comes back at the bottom, nor on the left what left on the right.
    assert 0.5 not in moved[:, REACH + 1 :, : -REACH - 1]
    assert 0.75 not in moved[:, :, : -REACH - 1]
    assert set(np.unique(moved)) == {-1.0, 0.25, 0.5, 0.75}


@pytest.mark.parametrize("size", [28, 32])
def test_cutout_is_one_grey_square_of_half_the_side(size):
    images = np.ones((200, size, size, 1), np.float32)
    cut = _augment(images, "cutout")[..., 0]
    assert set(np.unique(cut)) == {0.0, 1.0}
    for image in cut:
        rows, columns = np.flatnonzero((image == 0).any(1)), np.flatnonzero((image == 0).any(0))
        hole = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert not hole.any(), "the hole is a full rectangle"
        for found in (rows, columns):
            inside = found[0] > 0 and found[-1] < size - 1
            assert len(found) == size // 2 if inside else size // 4 <= len(found) <= size // 2
    assert any((image == 0).sum() == (size // 2) ** 2 for image in cut)
    assert any((image == 0).sum() < (size // 2) ** 2 for image in cut)


def test_colour_keeps_grey_images_grey(make_images):
    grey = np.repeat(make_images(8), 3, axis=-1)
    coloured = _augment(grey, "color")
    np.testing.assert_allclose(coloured, np.repeat(coloured[..., :1], 3, axis=-1), atol=1e-5)
    assert not np.allclose(coloured, grey, atol=0.01)


@pytest.mark.parametrize("channels", [1, 3])
def test_colour_keeps_order_and_strength(make_images, channels):
    """Of a grey image it makes a x + b, 0.5 <= a <= 1.5, that moves the mean by at most a half."""
    images = np.repeat(make_images(200), channels, axis=-1)
    coloured = _augment(images, "color")
    change = coloured.mean(axis=(1, 2, 3)) - images.mean(axis=(1, 2, 3))
    scale = coloured.std(axis=(1, 2, 3)) / images.std(axis=(1, 2, 3))
    assert -0.5 - 1e-5 <= change.min() < -0.4 < 0.4 < change.max() <= 0.5 + 1e-5
    assert 0.5 - 1e-5 <= scale.min() < 0.6 < 1.4 < scale.max() <= 1.5 + 1e-5
    straight = np.corrcoef(images[0].ravel(), coloured[0].ravel())[0, 1]
    assert straight == pytest.approx(1.0, abs=1e-5)


def test_policy_is_split_at_commas():
    assert augmentation.parse_policy("") == []
    assert augmentation.parse_policy(" color , cutout,") == ["color", "cutout"]


@pytest.mark.parametrize("policy", ["flip", "color,flip", "color translation", "Color", "color,ada"])
def test_unknown_policy(policy):
    with pytest.raises(InputError, match=r"augmentation: expected ada, or any.*Received: '") as e:
        augmentation.parse_policy(policy)
    assert repr(policy) in str(e.value)
