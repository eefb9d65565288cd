import shutil

import numpy as np
import pytest

from dcgan import DCGAN
from dcgan.config import RunConfig, TrainingConfig
from dcgan.features import FeatureExtractor
from dcgan.metrics import Embedding

METRICS = (
    "epoch,d_loss,g_loss,real_accuracy,fake_accuracy,val_frechet_distance,val_kid\n"
    "1,1.5,0.7,0.5,0.6,,\n"
    "2,1.3,0.8,0.6,0.7,12.5,0.25\n"
)
TIMINGS = "epoch,seconds,steps_per_second\n1,30.5,4.0\n2,31.0,4.5\n"


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory, tiny_network):
    """A finished run of two epochs on 180 images of noise, 20 more being its test split."""
    path = tmp_path_factory.mktemp("evaluation") / "tiny"
    images = path.parent / "noise.npz"
    pixels = np.random.default_rng(0).integers(0, 256, (200, 28, 28, 1), np.uint8)
    np.savez(images, images=pixels)
    training = TrainingConfig(batch_size=8, epochs=2, ema_decay=0.9)
    config = RunConfig(preset="article", data=str(images), network=tiny_network, training=training)
    config.save(path / "config.json")
    (path / "metrics.csv").write_text(METRICS)
    (path / "timings.csv").write_text(TIMINGS)
    DCGAN.from_preset(config, total_steps=44).save(path / "dcgan.keras")
    return path


@pytest.fixture
def run(tmp_path, finished_run):
    """A copy of the finished run, to be changed."""
    return shutil.copytree(finished_run, tmp_path / "tiny")


def _quarters(images):
    """Features: brightness of 7 by 7 blocks. Probabilities: of two classes, by brightness."""
    scaled = images / 255.0
    blocks = scaled.reshape(len(images), 4, 7, 4, 7).mean(axis=(2, 4)).reshape(len(images), -1)
    bright = np.clip(blocks.mean(axis=1) + 4 * (blocks[:, 0] - 0.5), 0, 1)
    return Embedding(blocks, np.stack([bright, 1 - bright], axis=1))


@pytest.fixture(scope="session")
def quick_extractor():
    """A feature extractor with two classes and without a network."""
    return FeatureExtractor(
        name="blocks", extract=_quarters, image_shape=(28, 28, 1), digest="b", trained_on="noise:train"
    )
