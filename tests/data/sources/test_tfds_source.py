import http.server
import logging
import socket
import threading
import time

import absl.logging
import numpy as np
import pytest
import tensorflow_datasets as tfds

from dcgan.data import load_images
from dcgan.data.sources import tfds_source


def pixels(count, *shape, seed=0, dtype=np.uint8):
    high = np.iinfo(dtype).max
    return np.random.default_rng(seed).integers(0, high, (count, *shape), dtype, endpoint=True)


class _Builder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """What the sets below share: features and splits as class attributes."""

    VERSION = tfds.core.Version("1.0.0")
    features = tfds.features.FeaturesDict(
        {
            "image": tfds.features.Image(shape=(8, 8, 3)),
            "label": tfds.features.ClassLabel(names=["cat", "dog"]),
            "name": tfds.features.Text(),
        }
    )
    sizes = {"train": 20, "test": 5}  # noqa: RUF012

    def _info(self):
        return tfds.core.DatasetInfo(builder=self, features=self.features)

    def _split_generators(self, dl_manager):
        return {name: self._generate_examples(name, size) for name, size in self.sizes.items()}

    def _generate_examples(self, split, count):
        for i, image in enumerate(pixels(count, 8, 8, 3, seed=len(split))):
            yield i, {"image": image, "label": i % 2, "name": f"{split} {i}"}


class DcganTestPets(_Builder):
    pass


class DcganTestConfigs(_Builder):
    BUILDER_CONFIGS = [  # noqa: RUF012
        tfds.core.BuilderConfig(name="small", version="1.0.0"),
        tfds.core.BuilderConfig(name="large", version="1.0.0"),
    ]


class DcganTestTrainOnly(_Builder):
    sizes = {"train": 20}  # noqa: RUF012


class DcganTestValidation(_Builder):
    sizes = {"train": 20, "validation": 4}  # noqa: RUF012


class DcganTestUnlabelled(_Builder):
    features = tfds.features.FeaturesDict({"photo": tfds.features.Image(shape=(None, None, 3))})
    sizes = {"train": 6}  # noqa: RUF012

    def _generate_examples(self, split, count):
        for i in range(count):
            yield i, {"photo": np.full((5 + i, 9, 3), 10 * i, np.uint8)}


class DcganTestDeep(_Builder):
    features = tfds.features.FeaturesDict(
        {"image": tfds.features.Image(shape=(4, 4, 1), dtype=np.uint16)}
    )

    def _generate_examples(self, split, count):
        for i, image in enumerate(pixels(count, 4, 4, 1, dtype=np.uint16)):
            yield i, {"image": image}


class DcganTestTwoImages(_Builder):
    features = tfds.features.FeaturesDict(
        {"left": tfds.features.Image(), "right": tfds.features.Image()}
    )

    def _generate_examples(self, split, count):
        yield 0, dict.fromkeys(("left", "right"), np.zeros((4, 4, 3), np.uint8))


class DcganTestBroken(_Builder):
    def _generate_examples(self, split, count):
        raise RuntimeError("the archive is gone\nfor ever")
        yield


class DcganTestRemote(_Builder):
    url_infos = {}  # noqa: RUF012

    def _split_generators(self, dl_manager):
        raise AssertionError("no download may start without a network")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("no_proxy", "*")
    return tmp_path


@pytest.fixture
def prepared(folder):
    tfds.builder("dcgan_test_pets", data_dir=folder).download_and_prepare()


@pytest.mark.parametrize("source", ["dcgan_test_pets", "tfds:dcgan_test_pets"])
def test_a_prepared_set_loads_by_name(prepared, source):
    loaded = load_images(source)
    assert (loaded.name, loaded.split) == ("tfds:dcgan_test_pets", "train")
    assert loaded.class_names == ("cat", "dog")
    assert loaded.images.shape == (20, 8, 8, 3)
    expected = {(image.tobytes(), i % 2) for i, image in enumerate(pixels(20, 8, 8, 3, seed=5))}
    assert {(i.tobytes(), n) for i, n in zip(loaded.images, loaded.labels, strict=True)} == expected
    assert (loaded.images.dtype, loaded.labels.dtype) == (np.uint8, np.int64)
    again = load_images(source)
    assert again.digest == loaded.digest


def test_version_in_the_name(prepared, refused):
    assert len(load_images("dcgan_test_pets:1.0.0").images) == 20
    refused(
        lambda: load_images("dcgan_test_pets:3.0.0"),
        "tfds:dcgan_test_pets:3.0.0",
        "3.0.0, only: 1.0.0",
    )


def test_splits(prepared):
    train = load_images("dcgan_test_pets").images
    assert len(load_images("dcgan_test_pets", split="test").images) == 5
    assert len(load_images("dcgan_test_pets", split="all").images) == 25
    assert len(load_images("dcgan_test_pets", split="train[:1shard]").images) == 20
    np.testing.assert_array_equal(load_images("dcgan_test_pets", split="train[5:9]").images, train[5:9])
    both = load_images("dcgan_test_pets", split="test[:2]+train[-10%:]")
    np.testing.assert_array_equal(both.images[2:], train[-2:])


@pytest.mark.parametrize(
    "split", ["foo", "train[:1000]", "train[:foo]", "foo[:1shard]", "train[9shard]"]
)
def test_unsupported_splits(prepared, refused, split):
    refused(lambda: load_images("dcgan_test_pets", split=split), repr(split))


def test_size_and_channels(prepared):
    loaded = load_images("dcgan_test_pets", image_size=5, channels=1)
    assert loaded.images.shape == (20, 5, 5, 1)


def test_an_unprepared_set_is_prepared(folder):
    assert len(load_images("dcgan_test_configs/small:1.0.0", split="test").images) == 5
    assert (folder / "dcgan_test_configs" / "small" / "1.0.0").is_dir()
    assert not (folder / "dcgan_test_configs" / "large").exists()


def test_unknown_configuration(refused):
    refused(
        lambda: load_images("dcgan_test_configs/huge"),
        "tfds:dcgan_test_configs/huge",
        "huge not found",
    )


def test_train_alone_holds_out_its_end():
    train, test, both = (
        load_images("dcgan_test_train_only", split=split).images for split in ("train", "test", "all")
    )
    assert (len(train), len(test)) == (18, 2)
    np.testing.assert_array_equal(np.concatenate([train, test]), both)


def test_validation_stands_in_for_test():
    assert len(load_images("dcgan_test_validation", split="test").images) == 4
    assert len(load_images("dcgan_test_validation", split="train").images) == 20


def test_the_only_image_feature_without_labels(refused):
    loaded = load_images("dcgan_test_unlabelled", split="all", image_size=4)
    assert loaded.images.shape == (6, 4, 4, 3)
    assert sorted(loaded.images[:, 0, 0, 0]) == [0, 10, 20, 30, 40, 50]
    assert loaded.labels is None
    assert loaded.class_names is None
    refused(lambda: load_images("dcgan_test_unlabelled"), "tfds:dcgan_test_unlabelled", "image_size")


def test_sixteen_bits_keep_the_high_byte():
    loaded = load_images("dcgan_test_deep", split="test")
    expected = pixels(5, 4, 4, 1, dtype=np.uint16) >> 8
    assert {i.tobytes() for i in loaded.images} == {i.astype(np.uint8).tobytes() for i in expected}


def test_colour_that_is_lost_is_told(caplog):
    load_images("dcgan_test_pets", split="test", channels=1)
    assert "tfds:dcgan_test_pets: images of up to 8 x 8 pixels become 8 x 8, grey, and lose colour" in (
        caplog.text
    )


def test_several_image_features(refused):
    refused(lambda: load_images("dcgan_test_two_images"), "'image'", "left, right")


def test_a_builder_that_fails(refused):
    refused(lambda: load_images("dcgan_test_broken"), "tfds:dcgan_test_broken", "the archive is gone")


def test_damaged_records(prepared, folder, refused):
    for path in folder.rglob("*.tfrecord*"):
        path.write_bytes(path.read_bytes()[:-20])
    refused(lambda: load_images("dcgan_test_pets"), "tfds:dcgan_test_pets", folder)


@pytest.mark.parametrize(
    ("name", "near"),
    [("mnits", "mnist"), ("fashion_mnst", "fashion_mnist"), ("celeb_b", "celeb_a")],
)
def test_unknown_name(refused, name, near):
    refused(lambda: load_images(name), f"{name}: expected an existing path or the name", "near it", near)


@pytest.mark.parametrize("name", ["xqzzq", "a b", "tfds:", "no$such"])
def test_unknown_name_without_a_near_one(refused, name):
    assert "near" not in refused(lambda: load_images(name), "or the name of a set of images")


def test_unknown_name_that_may_be_a_path(refused):
    refused(lambda: load_images("data/faces"), "data/faces: expected an existing path or the name")


def _remote(monkeypatch, *urls):
    monkeypatch.setattr(DcganTestRemote, "url_infos", dict.fromkeys(urls))


@pytest.mark.parametrize("kind", ["closed", "silent"])
def test_no_network_is_a_bounded_wait(monkeypatch, refused, kind):
    monkeypatch.setattr(tfds_source, "_TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        if kind == "closed":
            listener.close()
        _remote(monkeypatch, *(f"http://127.0.0.{host}:{port}/images.zip" for host in range(1, 9)))
        started = time.monotonic()
        refused(
            lambda: load_images("dcgan_test_remote"),
            "tfds:dcgan_test_remote: expected a network connection",
            f"no answer from 127.0.0.1:{port}, ",
        )
    assert time.monotonic() - started < 4


@pytest.fixture
def serve():
    """Starts a server that gives every request one status."""
    servers = []

    def start(status):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/file.zip"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (200, "no download may start"),
        (404, "no download may start"),
        (502, "expected a network connection"),
        (504, "expected a network connection"),
    ],
)
def test_any_answer_but_a_proxys_counts(monkeypatch, refused, serve, status, message):
    _remote(monkeypatch, "gs://bucket/file", "http://127.0.0.1:9/", serve(status))
    refused(lambda: load_images("dcgan_test_remote"), "tfds:dcgan_test_remote: ", message)


def test_logs_do_not_reach_the_user(prepared, capfd, caplog):
    verbosity = absl.logging.get_verbosity()
    level = logging.getLogger("urllib3").level
    absl.logging.set_verbosity(absl.logging.INFO)
    try:
        capfd.readouterr()
        load_images("dcgan_test_pets")
        seen = capfd.readouterr()
        assert absl.logging.get_verbosity() == absl.logging.INFO
    finally:
        absl.logging.set_verbosity(verbosity)
    assert seen.out == ""
    assert not [
        line for line in seen.err.splitlines() if "tensorflow_datasets" in line or "dataset" in line
    ]
    assert not caplog.records
    assert logging.getLogger("urllib3").level == level
