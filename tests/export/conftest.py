import dataclasses
import io

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from dcgan import networks
from dcgan.detector import Calibration, Detector
from dcgan.detector.familiarity import familiarity_model
from dcgan.images import to_float
from export.graph import saved_model, scoring_model, signatures

MAX_PIXELS = 10_000


@pytest.fixture(scope="session")
def gan(make_gan):
    """A compiled model with optimizers, batch norm and dropout, on grey 8-pixel images."""
    return make_gan(dropout=0.5).compile()


@pytest.fixture(scope="session")
def exported(gan, tmp_path_factory):
    """The directory of the model's discriminator as a SavedModel that takes 10,000 pixels."""
    path = tmp_path_factory.mktemp("exported") / "model"
    scorer = scoring_model.DiscriminatorScorer(gan.discriminator)
    saved_model.write(signatures.of_scoring_model(scorer, max_pixels=MAX_PIXELS), path)
    return path


@pytest.fixture(scope="session")
def served(exported):
    """Calls one of its signatures; returns arrays by name, texts as str."""
    loaded = tf.saved_model.load(str(exported))

    def call(signature, **inputs):
        outputs = loaded.signatures[signature](**{k: tf.constant(v) for k, v in inputs.items()})
        arrays = {name: value.numpy() for name, value in outputs.items()}
        return {name: a.astype(str) if a.dtype == object else a for name, a in arrays.items()}

    return call


@pytest.fixture(scope="session")
def familiar_detector(tiny_network):
    """A calibrated detector of 32-pixel images in colour, with a familiarity; and images, uint8.

    The images have all three decisions, and some are unfamiliar.
    """
    pixels = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), np.uint8)
    network = dataclasses.replace(tiny_network, image_size=32, channels=3)
    detector = Detector.from_discriminator(networks.build_discriminator(network), width=4, seed=1)
    familiarity = familiarity_model.build((32, 32, 3))
    known = familiarity_model.strangeness(familiarity)(to_float(pixels)).numpy()
    for which, share in ((0, 0.4), (1, 0.7)):
        quantiles = np.quantile(known, np.linspace(0, share, 2_000))
        familiarity_model.p_values(familiarity).calibrate(quantiles, which=which)
    real_below, fake_above = np.quantile(detector.raw_scores(pixels), [0.3, 0.6]).tolist()
    detector.calibrate(
        Calibration(
            slope=20.0,
            offset=-1.0,
            fake_above=fake_above,
            real_below=real_below,
            false_positive_rate=0.01,
            confidence=0.95,
            deliveries=("as they are",),
            miss_rate=0.02,
            reals=500,
            fakes=400,
        )
    )
    return detector.with_familiarity(familiarity), pixels


@pytest.fixture(scope="session")
def encode():
    """Encodes uint8 pixels, or a Pillow image, in a format."""

    def make(image, suffix="png", **options):
        if not isinstance(image, PIL.Image.Image):
            image = PIL.Image.fromarray(np.squeeze(np.asarray(image, np.uint8)))
        buffer = io.BytesIO()
        image.save(buffer, suffix, **options)
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def make_pixels():
    """Makes smooth uint8 pixels, so that a scaled image depends little on the way it is scaled."""

    def make(height=24, width=18, channels=3, seed=0):
        rng = np.random.default_rng(seed)
        small = rng.integers(0, 256, (4, 4, 4), dtype=np.uint8)
        image = PIL.Image.fromarray(small).resize((width, height), PIL.Image.Resampling.BICUBIC)
        return np.asarray(image)[..., :channels]

    return make


@pytest.fixture(scope="session")
def make_example():
    """Makes a serialized tf.Example of some bytes."""

    def make(content, name="image_bytes"):
        feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[content]))
        features = tf.train.Features(feature={name: feature})
        return tf.train.Example(features=features).SerializeToString()

    return make
