import gzip
import json
import types

import numpy as np
import pytest
import tensorflow as tf

from dcgan import callbacks, detector
from dcgan.detector.fakes import fake_collection
from dcgan.detector.fakes.fake_pool import FakePool, Fakes
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory
from export import tfx_trainer

SMALL = {
    "network": {"latent_dim": 4, "generator_width": 4, "discriminator_width": 4, "max_width": 4}
    | {"head_units": 4, "mapping_units": 4},
    "training": {"batch_size": 8},
}


@pytest.fixture
def examples(encode, make_pixels, make_example, tmp_path):
    """Writes so many examples into a file, as ExampleGen does; returns the pattern."""

    def write(name, count, *more):
        contents = [make_example(encode(make_pixels(28, 28, 1, seed=seed))) for seed in range(count)]
        directory = tmp_path / name
        directory.mkdir()
        options = tf.io.TFRecordOptions(compression_type="GZIP")
        with tf.io.TFRecordWriter(str(directory / "data-00000-of-00001.gz"), options) as writer:
            for content in [*contents, *more]:
                writer.write(content)
        return f"{directory}/*"

    return write


@pytest.fixture
def fn_args(examples, tmp_path):
    """What TFX hands over, for 20 images to learn from and 12 to calibrate on."""
    return types.SimpleNamespace(
        train_files=[examples("train", 20)],
        eval_files=[examples("eval", 12)],
        train_steps=3,
        eval_steps=None,
        model_run_dir=str(tmp_path / "model_run"),
        serving_model_dir=str(tmp_path / "model" / "Format-Serving"),
        custom_config=dict(SMALL),
    )


@pytest.fixture
def quick(monkeypatch):
    """Makes the pool by arithmetic and the detector's training short."""

    def collect(inputs, config):
        reals = inputs.reals.train
        return FakePool.join([Fakes("a", "gan", reals // 2)])

    class Short(detector.DetectorConfig):
        @classmethod
        def for_run(cls, config, *, images, **values):
            assert images == 20
            return detector.DetectorConfig(steps=1, fold_steps=1, batch_size=8, width=2, **values)

    monkeypatch.setattr(fake_collection, "collect_fakes", collect)
    monkeypatch.setattr(detector, "DetectorConfig", Short)


def card(fn_args):
    path = tf.io.gfile.join(fn_args.serving_model_dir, "assets.extra", "model_card.json")
    return json.loads(tf.io.gfile.GFile(path).read())


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_detector_from_examples(fn_args):
    tfx_trainer.run_fn(fn_args)
    run = RunDirectory(fn_args.model_run_dir)
    # 20 images are 2 batches of 8, so 3 steps are 2 epochs.
    assert run.load_config().training.epochs == 2
    assert len(run.read_metrics()) == 2
    found = card(fn_args)
    assert (found["kind"], found["data"]) == ("detector", {"name": "given:tfx", "split": "train"})
    # The lowest rate that 12 reals can certify under 34 deliveries.
    assert found["calibration"]["reals"] == 12
    assert found["calibration"]["false_positive_rate"] == pytest.approx(1 - (0.05 / 34) ** (1 / 12))
    pixels = np.random.default_rng(0).integers(0, 256, (5, 28, 28, 1), np.uint8)
    served = tf.saved_model.load(fn_args.serving_model_dir).signatures["predict_uint8"]
    expected = detector.load(run.detector).score(pixels)["p_fake"]
    np.testing.assert_allclose(served(images=tf.constant(pixels))["p_fake"], expected, atol=1e-5)


@pytest.mark.slow
def test_the_discriminator_alone(fn_args):
    fn_args.custom_config |= {"detector": False}
    fn_args.eval_files, fn_args.train_steps = [], 2
    tfx_trainer.run_fn(fn_args)
    assert card(fn_args)["kind"] == "discriminator"
    assert RunDirectory(fn_args.model_run_dir).load_config().training.epochs == 1


def test_images_are_read_as_they_were_written(examples, make_pixels, make_example, tmp_path):
    config = tfx_trainer.presets.get("mnist")
    pattern = examples("mixed", 3, make_example(b"junk"), b"\xff\xff", make_example(b"more"))
    with pytest.raises(InputError) as caught:
        tfx_trainer._read_images(tfx_trainer._find_files([pattern]), config)
    assert "data-00000-of-00001.gz: not a PNG" in str(caught.value)
    assert str(caught.value).endswith("(and 2 more; skip_bad leaves them out)")
    plain = tmp_path / "plain"
    plain.write_bytes(gzip.decompress((tmp_path / "mixed" / "data-00000-of-00001.gz").read_bytes()))
    config = tfx_trainer.presets.override(config, skip_bad=True)
    images = tfx_trainer._read_images(tfx_trainer._find_files([pattern, str(plain)]), config)
    expected = np.stack([make_pixels(28, 28, 1, seed=seed) for seed in range(3)] * 2)
    np.testing.assert_array_equal(images, expected)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "expected examples with images, found none"), (b"junk", "damaged after 0 records")],
)
def test_files_without_records(tmp_path, content, reason):
    (tmp_path / "data").write_bytes(content)
    with pytest.raises(InputError, match=f"data: expected .*{reason}" if content else reason):
        tfx_trainer._read_images([str(tmp_path / "data")], tfx_trainer.presets.get("mnist"))


@pytest.mark.parametrize(
    ("custom_config", "reason"),
    [
        ({"presets": "mnist"}, "expected some of preset, network, .* Received: presets$"),
        ({"network": {"width": 3}}, "expected no network value width$"),
        ({"training": {"steps": 3}}, "expected no training value steps$"),
        ({"preset": "cifar"}, "preset: expected one of"),
    ],
)
def test_values_that_are_none(fn_args, custom_config, reason):
    fn_args.custom_config = custom_config
    with pytest.raises(InputError, match=reason):
        tfx_trainer.run_fn(fn_args)


def test_no_files(fn_args, tmp_path):
    fn_args.train_files = [f"{tmp_path}/none/*"]
    with pytest.raises(InputError, match=r"none/\*: expected files with examples$"):
        tfx_trainer.run_fn(fn_args)


@pytest.mark.slow
def test_a_training_that_fails_exports_nothing(fn_args, tmp_path, monkeypatch):
    def diverge(self, logs, where):
        self._stop("not_finite", "Training stopped in epoch 1: g_loss is nan.")

    monkeypatch.setattr(callbacks.TrainingGuard, "_check_finite", diverge)
    fn_args.custom_config |= {"detector": False}
    with pytest.raises(InputError, match=r"expected a training that ends well\. .* g_loss is nan"):
        tfx_trainer.run_fn(fn_args)
    assert not (tmp_path / "model").exists()


def test_a_detector_is_not_calibrated_on_what_it_learns_from(fn_args, caplog):
    fn_args.eval_files = fn_args.train_files
    with pytest.raises(InputError, match=r"data-00000-of-00001\.gz: expected eval_files other than"):
        tfx_trainer.run_fn(fn_args)
    images = np.random.default_rng(0).integers(0, 256, (9, 4, 4, 1), np.uint8)
    tfx_trainer._warn_of_equal(images[:6], images[5:])
    assert "eval_files: 1 of 4 held-out images equal training images to the byte" in caplog.text
