import io
import zipfile

import numpy as np
import pytest

from dcgan import images as pixels
from dcgan.data import load_images


def everything(source, **options):
    return load_images(source, split="all", **options)


def test_uint8_is_taken_as_it_is(noise):
    images = noise(10, 6, 5, 3)
    loaded = everything(images)
    np.testing.assert_array_equal(loaded.images, images)
    assert np.shares_memory(loaded.images, images)
    assert (loaded.name, loaded.labels, loaded.class_names) == ("array", None, None)


def test_grey_without_a_channel_axis(noise):
    assert everything(noise(10, 6, 5)).images.shape == (10, 6, 5, 1)


def test_splits_are_seeded(noise):
    images = np.arange(100, dtype=np.uint8)[:, None, None] * np.ones((4, 4), np.uint8)
    train, test = (load_images(images, split=s).images[:, 0, 0, 0] for s in ("train", "test"))
    assert (len(train), len(test)) == (90, 10)
    assert sorted([*train, *test]) == list(range(100))
    np.testing.assert_array_equal(load_images(images, split="train[:10%]").images[:, 0, 0, 0], train[:9])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 1), (0, 255)])
def test_floats_of_a_clear_range(dtype, low, high):
    levels = np.arange(256)
    images = (low + levels / 255 * (high - low)).astype(dtype).reshape(1, 16, 16)
    np.testing.assert_array_equal(everything(images).images.ravel(), levels)


@pytest.mark.parametrize("suffix", ["", ".npy", ".npz"])
@pytest.mark.parametrize(
    ("low", "high", "known"),
    [
        (-1e-6, 1, (0, 1)),
        (-0.04, 1.04, (0, 1)),
        (-1.09, 1, (-1, 1)),
        (-1, 1.05, (-1, 1)),
        (0, 255.5, (0, 255)),
        (-3, 260, (0, 255)),
    ],
)
def test_floats_near_a_range_are_clipped_and_it_says_so(tmp_path, caplog, low, high, known, suffix):
    clear = np.linspace(*known, 256, dtype=np.float32).reshape(1, 16, 16)
    images = clear.copy()
    images[0, 0, 0], images[0, -1, -1] = low, high
    source = tmp_path / f"a{suffix}" if suffix else images
    if suffix:
        np.save(source, images) if suffix == ".npy" else np.savez(source, images=images)
    np.testing.assert_array_equal(everything(source).images, everything(clear).images)
    low, high = np.float32([low, high])
    said = f"values from {low:g} to {high:g} are clipped to [{known[0]}, {known[1]}]"
    assert said in caplog.text


def test_floats_within_a_range_are_not_talked_about(caplog):
    everything(np.linspace(-1, 1, 256, dtype=np.float32).reshape(1, 16, 16))
    assert not caplog.text


@pytest.mark.parametrize("shape", [(28, 28, 1), (28, 28, 3)])
def test_one_image_is_not_taken_for_many(refused, shape):
    refused(lambda: everything(np.zeros(shape, np.uint8)), "received one of shape", "np.newaxis")


def test_masks_of_0_and_1_are_refused(refused, tmp_path, write_image):
    masks = np.random.default_rng(0).integers(0, 2, (5, 8, 8), np.uint8)
    message = refused(lambda: everything(masks), "array: expected levels from 0 to 255", "only 0 and 1")
    assert message.endswith("multiply them by 255")
    for number, mask in enumerate(masks):
        write_image(tmp_path / f"{number}.png", mask)
    refused(lambda: everything(tmp_path), tmp_path, "only 0 and 1")


def test_networks_range_is_that_of_dcgan_images(noise):
    images = noise(4, 5, 5, 1)
    np.testing.assert_array_equal(everything(pixels.to_float(images)).images, images)


@pytest.mark.parametrize(
    ("low", "high"),
    [(-1.2, 1), (-1, 1.2), (0, 1.1), (0, 16), (0, 270), (-127, 128), (-3, 3), (-0.3, 1), (-0.05, 0.05)],
)
def test_floats_of_an_unclear_range(refused, low, high):
    images = np.linspace(low, high, 64, dtype=np.float32).reshape(1, 8, 8)
    refused(lambda: everything(images), "array", "clearly in [-1, 1], [0, 1] or [0, 255]", f"{high:g}")


@pytest.mark.parametrize("dtype", [bool, np.int64, np.uint16, object, "<U3"])
def test_other_dtypes(refused, dtype):
    images = np.zeros((2, 4, 4), dtype)
    refused(lambda: everything(images), "expected uint8 or float images", images.dtype)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(refused, value):
    images = np.zeros((5, 4, 4), np.float32)
    images[3, 2, 1] = images[4, 0, 0] = value
    refused(lambda: everything(images), "array: expected finite values")


@pytest.mark.parametrize("shape", [(4, 4), (4,), (2, 4, 4, 2), (2, 4, 4, 4), (1, 2, 4, 4, 3), (0, 4, 4)])
def test_other_shapes(refused, shape):
    refused(
        lambda: everything(np.zeros(shape, np.uint8)),
        "expected images of shape (count",
        str(shape)[:-1],
    )


def test_channels_must_be_those_asked_for(refused, noise):
    refused(lambda: everything(noise(2, 4, 4), channels=3), "expected 3 channels", "received 1")
    refused(lambda: everything(noise(2, 4, 4, 3), channels=1), "expected 1 channels", "received 3")
    assert everything(noise(2, 4, 4, 3), channels=3).images.shape == (2, 4, 4, 3)


def test_size_is_brought_about(noise):
    assert everything(noise(2, 9, 7, 3), image_size=6).images.shape == (2, 6, 6, 3)


def test_npy(tmp_path, noise):
    np.save(tmp_path / "a.npy", noise(10, 4, 4))
    loaded = everything(tmp_path / "a.npy")
    assert loaded.name == str(tmp_path / "a.npy")
    np.testing.assert_array_equal(loaded.images[..., 0], noise(10, 4, 4))


def test_npz_with_labels(tmp_path, noise):
    np.savez(tmp_path / "a.npz", images=noise(20, 4, 4), labels=np.arange(20, dtype=np.int32))
    loaded = load_images(str(tmp_path / "a.npz"), split="test")
    assert loaded.labels.dtype == np.int64
    np.testing.assert_array_equal(loaded.images[..., 0], noise(20, 4, 4)[loaded.labels])


def test_npz_with_one_stack(tmp_path, noise):
    np.savez_compressed(tmp_path / "a.npz", faces=noise(5, 4, 4), ids=np.arange(5))
    assert everything(tmp_path / "a.npz").images.shape == (5, 4, 4, 1)


@pytest.mark.parametrize("keys", [("a", "b"), ("x_train", "x_test"), ()])
def test_npz_without_a_clear_stack(tmp_path, refused, noise, keys):
    np.savez(tmp_path / "a.npz", **{key: noise(5, 4, 4) for key in keys})
    received = ", ".join(map(repr, keys)) or "none"
    refused(lambda: everything(tmp_path / "a.npz"), tmp_path / "a.npz", "'images'", received)


@pytest.mark.parametrize("labels", [np.arange(4), np.zeros(5), np.zeros((5, 2), int)])
def test_labels_that_do_not_fit(tmp_path, refused, noise, labels):
    np.savez(tmp_path / "a.npz", images=noise(5, 4, 4), labels=labels)
    refused(lambda: everything(tmp_path / "a.npz"), "a.npz", "labels as 5 integers", labels.shape)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04rest", b"\x93NUMPY\x01\x00"])
def test_unreadable(tmp_path, refused, suffix, content):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    refused(lambda: everything(path), path, "expected a NumPy array file, cannot be read")


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_truncated(tmp_path, refused, suffix, noise):
    path = tmp_path / f"a{suffix}"
    np.save(path, noise(5, 9, 9)) if suffix == ".npy" else np.savez(path, images=noise(5, 9, 9))
    path.write_bytes(path.read_bytes()[:300])
    refused(lambda: everything(path), path, "cannot be read")


def test_damaged_header(tmp_path, refused, noise):
    np.save(tmp_path / "a.npy", noise(5, 9, 9))
    content = bytearray((tmp_path / "a.npy").read_bytes())
    content[content.index(b"(") - 1] = ord("(")
    (tmp_path / "a.npy").write_bytes(content)
    refused(lambda: everything(tmp_path / "a.npy"), "cannot be read")


def test_pickles_are_refused(tmp_path, refused):
    np.save(tmp_path / "a.npy", np.array([{}]), allow_pickle=True)
    refused(lambda: everything(tmp_path / "a.npy"), "cannot be read")


def test_damaged_member_of_an_archive(tmp_path, refused, noise):
    buffer = io.BytesIO()
    np.save(buffer, noise(5, 9, 9))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", buffer.getvalue())
    content = bytearray((tmp_path / "a.npz").read_bytes())
    content[250] ^= 0xFF
    (tmp_path / "a.npz").write_bytes(content)
    refused(lambda: everything(tmp_path / "a.npz"), "cannot be read", "CRC")
