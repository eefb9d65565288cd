import copy

import keras
import numpy as np
import pytest
import tensorflow as tf

from dcgan import images as pixels
from dcgan import networks
from dcgan.config import NetworkConfig
from dcgan.detector import Calibration, detector_files
from dcgan.detector.detector_model import Detector
from dcgan.detector.familiarity import familiarity_model
from dcgan.errors import InputError

CALIBRATION = Calibration(
    slope=2.0,
    offset=0.25,
    fake_above=0.2,
    real_below=-0.3,
    false_positive_rate=0.01,
    confidence=0.95,
    deliveries=("as they are", "jpeg 75"),
    miss_rate=0.02,
    reals=1000,
    fakes=500,
)


@pytest.fixture
def detector(make_detector, spots, spoiled):
    """With weights for which logits spread over both thresholds."""
    detector = make_detector()
    logits = _logit(detector, np.concatenate([spots(30, 1), spoiled(30, "checks", 2)]))
    layer = detector.classifier.get_layer("logits")
    layer.kernel.assign(layer.kernel / logits.std())
    layer.bias.assign([-logits.mean() / logits.std()])
    detector.calibrate(CALIBRATION)
    return detector


def _logit(detector, images):
    return detector.logits(pixels.to_float(images)).numpy()


def test_outputs(detector, make_discriminator, spots, spoiled):
    images = np.concatenate([spots(30, 1), spoiled(30, "checks", 2)])
    outputs = detector(pixels.to_float(images))
    logits = _logit(detector, images)
    assert {name: value.shape for name, value in outputs.items()} == dict.fromkeys(
        ["p_fake", "familiarity", "discriminator_logit", "decision"], (60,)
    )
    np.testing.assert_allclose(outputs["p_fake"], 1 / (1 + np.exp(-2 * logits - 0.25)), atol=1e-6)
    np.testing.assert_array_equal(outputs["decision"], np.digitize(logits, [-0.3, 0.2], right=False))
    assert set(outputs["decision"].numpy()) >= {0, 2}
    np.testing.assert_array_equal(outputs["familiarity"], np.ones(60))
    raw = make_discriminator()(pixels.to_float(images))[:, 0]
    np.testing.assert_allclose(outputs["discriminator_logit"], raw, atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_the_discriminator_drops_nothing_out(training, spots):
    """Neither where images are scored nor while a detector trains."""
    layers = [keras.Input((12, 12, 1)), keras.layers.Flatten(), keras.layers.Dropout(0.5)]
    discriminator = keras.Sequential([*layers, keras.layers.Dense(1)])
    detector = Detector.from_discriminator(discriminator, width=4)
    images = pixels.to_float(spots(9, 1))
    logits = detector(images, training=training)["discriminator_logit"]
    np.testing.assert_allclose(logits, discriminator(images, training=False)[:, 0], atol=1e-6)


def test_a_logit_on_the_threshold_is_not_fake(detector, spots):
    image = spots(1, 0)
    logit = float(_logit(detector, image)[0])
    for fake_above, expected in ((logit, 1), (np.nextafter(np.float32(logit), np.float32(-9)), 2)):
        values = {**vars(CALIBRATION), "fake_above": float(fake_above), "real_below": -100.0}
        detector.calibrate(Calibration(**values))
        assert detector(pixels.to_float(image))["decision"] == expected


def test_scores_do_not_depend_on_the_batch(detector, spots):
    images = spots(40, 3)
    together = detector.score(images)
    for batch_size in (1, 7):
        apart = detector.score(images, batch_size=batch_size)
        for name, values in together.items():
            np.testing.assert_allclose(apart[name], values, atol=1e-5)


def test_pixels_are_scored_as_floats_are(detector, spots):
    images = spots(5, 4)
    outputs = detector(pixels.to_float(images))
    for name, values in detector.score(images).items():
        np.testing.assert_allclose(values, outputs[name], atol=1e-6)
    np.testing.assert_allclose(detector.raw_scores(images), _logit(detector, images), atol=1e-5)


@pytest.mark.parametrize("familiar", [True, False])
def test_nan_is_unsure(detector, spots, familiar):
    if familiar:
        layer = detector.classifier.get_layer("logits")
        layer.bias.assign([np.nan])
    else:
        network = familiarity_model.build((12, 12, 1))
        familiarity_model.p_values(network).calibrate(np.arange(99.0))
        network.get_layer("strangeness").bias.assign([np.nan])
        detector = detector.with_familiarity(network)
    assert set(detector.score(spots(9, 1))["decision"]) == {1}


@pytest.mark.parametrize(
    "images",
    [np.zeros((2, 12, 12, 1)), np.zeros((2, 12, 12, 1), np.int64), np.zeros((2, 12, 12, 3), np.uint8)],
)
def test_pixels_of_another_type_or_shape(detector, images):
    # Converted to uint8, pixels from 0 to 1 would be black.
    for score in (detector.score, detector.raw_scores):
        with pytest.raises(InputError, match=r"images: expected uint8 of shape \(count, 12, 12, 1\)"):
            score(images)


def test_no_images_no_scores(detector):
    nothing = np.empty((0, 12, 12, 1), np.uint8)
    assert {name: len(values) for name, values in detector.score(nothing).items()} == dict.fromkeys(
        ["p_fake", "familiarity", "discriminator_logit", "decision"], 0
    )


def test_recalibration_reaches_graphs_that_are_traced(detector, spots):
    before = detector.score(spots(9, 5))["p_fake"]
    detector.calibrate(None)
    after = detector.score(spots(9, 5))["p_fake"]
    np.testing.assert_allclose(after, 1 / (1 + np.exp(-detector.raw_scores(spots(9, 5)))), atol=1e-6)
    assert np.abs(after - before).max() > 1e-3


def test_save_and_load(detector, spots, tmp_path):
    detector_files.save(detector, tmp_path / "detector.keras")
    loaded = detector_files.load(tmp_path / "detector.keras")
    assert loaded.calibration == CALIBRATION
    assert loaded.image_shape == (12, 12, 1)
    for name, values in detector.score(spots(6, 6)).items():
        np.testing.assert_array_equal(loaded.score(spots(6, 6))[name], values)


def test_file_holds_the_weights_once(detector, tmp_path):
    detector_files.save(detector, tmp_path / "detector.keras")
    plain = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    plain.save(tmp_path / "plain.keras")
    bytes_of_weights = 4 * detector.count_params()
    assert (tmp_path / "detector.keras").stat().st_size < 1.7 * bytes_of_weights + 150_000
    with pytest.raises(InputError, match="expected a detector, found Sequential"):
        detector_files.load(tmp_path / "plain.keras")


@pytest.mark.parametrize("name", ["none.keras", "text.keras"])
def test_files_that_hold_no_detector(tmp_path, name):
    (tmp_path / "text.keras").write_text("no archive")
    with pytest.raises(InputError, match=rf"{name}: expected a detector"):
        detector_files.load(tmp_path / name)


@pytest.mark.slow
def test_classifier_is_trained_as_any_model_and_the_rest_stays(detector, spots, spoiled):
    images = pixels.to_float(np.concatenate([spots(32, 7), spoiled(32, "checks", 8)]))
    labels = np.repeat([0.0, 1.0], 32)
    fixed = detector.discriminator.get_weights(), detector.scale.numpy()
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    detector.classifier.compile(keras.optimizers.Adam(1e-2), loss)
    history = detector.classifier.fit(images, labels, batch_size=32, epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    logits = detector.logits(images).numpy()
    assert np.mean((logits > 0) == labels) > 0.8
    for before, after in zip(fixed[0], detector.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(fixed[1], detector.scale.numpy())


def test_discriminator_is_a_frozen_copy(make_discriminator, spots):
    discriminator = make_discriminator()
    detector = Detector.from_discriminator(discriminator, width=4)
    before = detector.score(spots(4, 0))["discriminator_logit"]
    assert not detector.discriminator.trainable_weights
    assert discriminator.trainable_weights
    discriminator.set_weights([0 * weight for weight in discriminator.get_weights()])
    np.testing.assert_array_equal(detector.score(spots(4, 0))["discriminator_logit"], before)
    assert np.abs(before).max() > 0


def test_half_precision_discriminator_becomes_exact(spots):
    config = NetworkConfig(discriminator_width=4, max_width=8, kernel_size=3, discriminator_norm="batch")
    discriminator = networks.build_discriminator(config, precision="mixed_bfloat16")
    detector = Detector.from_discriminator(discriminator, width=4)
    assert {layer.compute_dtype for layer in detector.discriminator.layers} == {"float32"}
    images = pixels.to_float(np.pad(spots(3, 0), [(0, 0), (8, 8), (8, 8), (0, 0)]))
    raw = detector(images)["discriminator_logit"]
    np.testing.assert_allclose(raw, discriminator(images)[:, 0], atol=0.05)


def test_predict_gives_what_score_gives(detector, spots):
    predicted = detector.predict(pixels.to_float(spots(10, 2)), batch_size=4, verbose=0)
    for name, values in detector.score(spots(10, 2)).items():
        np.testing.assert_allclose(predicted[name], values, atol=1e-5)


def test_config_round_trip(detector):
    copy = Detector.from_config(detector.get_config())
    assert copy.calibration == CALIBRATION
    np.testing.assert_array_equal(copy.scale.numpy(), detector.scale.numpy())


@pytest.fixture
def with_familiarity(detector, spots, spoiled):
    """A detector whose unknown images are every tenth of the spots, by an untrained network."""
    model = familiarity_model.build((12, 12, 1))
    layer = familiarity_model.p_values(model)
    logits = familiarity_model.strangeness(model)(pixels.to_float(_of_both_kinds(spots, spoiled)))
    for which in (0, 1):
        layer.calibrate(np.quantile(logits.numpy(), np.linspace(0, 0.8, 2_000)), which=which)
    return detector.with_familiarity(model)


def _of_both_kinds(spots, spoiled):
    return np.concatenate([spots(60, 1), spoiled(60, "checks", 2)])


def test_unfamiliar_images_are_unsure_whatever_their_logit(detector, with_familiarity, spots, spoiled):
    images = _of_both_kinds(spots, spoiled)
    before, after = detector.score(images), with_familiarity.score(images)
    familiarity = after["familiarity"]
    assert familiarity.dtype == np.float32
    unfamiliar = familiarity < 0.01
    assert 10 < unfamiliar.sum() < 40
    assert set(before["decision"][unfamiliar]) >= {2} or set(before["decision"][unfamiliar]) >= {0}
    np.testing.assert_array_equal(after["decision"][unfamiliar], 1)
    np.testing.assert_array_equal(after["decision"][~unfamiliar], before["decision"][~unfamiliar])
    shrunk = 0.5 + (before["p_fake"] - 0.5) * np.minimum(1, familiarity / 0.05)
    np.testing.assert_allclose(after["p_fake"], shrunk, atol=1e-5)
    assert np.abs(after["p_fake"][unfamiliar] - 0.5).max() < 0.1


def test_familiarity_does_not_depend_on_the_batch(with_familiarity, spots, spoiled):
    images = _of_both_kinds(spots, spoiled)
    together = with_familiarity.score(images)
    alone = with_familiarity.score(images, batch_size=1)
    assert len(np.unique(together["familiarity"])) > 50
    np.testing.assert_allclose(alone["familiarity"], together["familiarity"], atol=1e-4)
    np.testing.assert_allclose(alone["p_fake"], together["p_fake"], atol=1e-3)


def test_familiarity_is_saved_and_its_weights_are_not_trained(
    with_familiarity, spots, spoiled, tmp_path
):
    images = _of_both_kinds(spots, spoiled)
    detector_files.save(with_familiarity, tmp_path / "detector.keras")
    loaded = detector_files.load(tmp_path / "detector.keras")
    for name, values in with_familiarity.score(images).items():
        np.testing.assert_array_equal(loaded.score(images)[name], values)
    assert loaded.calibration == CALIBRATION
    assert not loaded.familiarity.trainable_weights
    kept = {weight.path for weight in loaded.familiarity.weights}
    assert not kept & {weight.path for weight in loaded.trainable_weights}


def test_fit_trains_the_classifier_only(detector, spots, spoiled):
    images = pixels.to_float(np.concatenate([spots(32, 7), spoiled(32, "checks", 8)]))
    labels = np.repeat([0.0, 1.0], 32)
    frozen, scale = detector.discriminator.get_weights(), detector.scale.numpy()
    detector.compile(keras.optimizers.Adam(1e-2))
    history = detector.fit(images, labels, batch_size=32, epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    for before, after in zip(frozen, detector.discriminator.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(scale, detector.scale.numpy())


@pytest.mark.usefixtures("eager")
def test_evaluate_weighs_samples_and_starts_anew(detector, spots, spoiled):
    images = pixels.to_float(np.concatenate([spots(10, 7), spoiled(10, "checks", 8)]))
    labels, weights = np.repeat([0.0, 1.0], 10), np.linspace(0, 2, 20)
    logits = _logit(detector, np.concatenate([spots(10, 7), spoiled(10, "checks", 8)]))
    losses = np.log1p(np.exp(logits)) - labels * logits
    correct = (logits > 0) == labels
    detector.compile(keras.optimizers.Adam(), metrics=[keras.metrics.AUC(from_logits=True, name="auc")])
    plain = detector.evaluate(images, labels, verbose=0, return_dict=True)
    assert plain["loss"] == pytest.approx(losses.mean(), rel=1e-4)
    assert plain["accuracy"] == pytest.approx(correct.mean())
    assert 0 <= plain["auc"] <= 1
    weighted = detector.evaluate(
        images, labels, sample_weight=weights, batch_size=7, verbose=0, return_dict=True
    )
    assert weighted["loss"] == pytest.approx((weights * losses).mean(), rel=1e-4)
    assert weighted["accuracy"] == pytest.approx(np.average(correct, weights=weights), rel=1e-4)
    assert detector.evaluate(images, labels, verbose=0, return_dict=True) == pytest.approx(plain)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "mse"}, InputError, "loss: expected none"),
        ({"loss_weights": [2.0]}, InputError, "loss_weights: expected none"),
        ({"losses": "mse"}, TypeError, "losses"),
    ],
)
def test_compile_arguments_that_are_refused(detector, spots, options, error, message):
    def evaluate():
        detector.compile("sgd", **options)
        detector.evaluate(pixels.to_float(spots(2, 0)), np.zeros(2), verbose=0)

    with pytest.raises(error, match=message):
        evaluate()


@pytest.mark.parametrize(
    ("spoil", "labels", "message"),
    [
        (lambda images: images.astype(np.uint8), np.zeros(2), "images: expected.*Received: uint8"),
        (lambda images: 127.5 * images + 127.5, np.zeros(2), "images: expected.*Received: values from"),
        (lambda images: images, None, "labels: expected 1 for fakes"),
    ],
)
def test_fit_refuses(detector, spots, spoil, labels, message):
    detector.compile("sgd")
    before = detector.classifier.get_weights()
    with pytest.raises(InputError, match=message):
        detector.fit(spoil(pixels.to_float(spots(2, 0))), labels, verbose=0)
    for weight, value in zip(before, detector.classifier.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, value)


@pytest.mark.slow
def test_exported_without_a_call_beforehand(detector, spots, tmp_path):
    images = pixels.to_float(spots(3, 0))
    Detector.from_config(detector.get_config()).export(tmp_path / "untrained", verbose=False)
    detector.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    for name, values in detector(images).items():
        np.testing.assert_allclose(exported.serve(images)[name], values, atol=1e-5)


def test_from_config_leaves_the_config_as_it_is(detector):
    config = detector.get_config()
    before = copy.deepcopy(config)
    Detector.from_config(config)
    assert config == before


@pytest.mark.slow
def test_a_subclass_adds_metrics_of_its_own(make_discriminator, spots):
    class Counting(Detector):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self.steps = keras.metrics.Sum("steps")

        def train_step(self, data):
            self.steps.update_state(1)
            return super().train_step(data)

    model = Counting.from_discriminator(make_discriminator(), width=4)
    average = keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    model.compile(average, run_eagerly=True)
    images = pixels.to_float(spots(4, 0))
    history = model.fit(images, np.arange(4) % 2, batch_size=2, epochs=2, verbose=0).history
    assert history["steps"] == [2, 2]
    # In the end the weights are the optimizer's averages.
    moving = average._model_variables_moving_average
    for weight, mean in zip(model.trainable_weights, moving, strict=True):
        np.testing.assert_array_equal(weight, mean)


def test_batches_of_none_are_refused(detector, spots):
    for score in (detector.score, detector.raw_scores):
        with pytest.raises(InputError, match=r"batch_size: expected at least 1. Received: 0"):
            score(spots(2, 0), batch_size=0)
