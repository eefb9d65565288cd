import imageio.v3 as imageio
import numpy as np
import pytest

from dcgan import images
from dcgan.callbacks import InterpolationStrip, slerp


def test_slerp_between_orthogonal_vectors_is_a_circle():
    fractions = np.linspace(0, 1, 7)
    points = slerp(np.array([2.0, 0, 0]), np.array([0, 0, 2.0]), fractions)
    angles = fractions * np.pi / 2
    circle = 2 * np.stack([np.cos(angles), np.zeros(7), np.sin(angles)], axis=-1)
    np.testing.assert_allclose(points, circle, atol=1e-15)


def test_slerp_at_sixty_degrees():
    # Half-way between 0 and 60 degrees lies 30 degrees.
    end = np.array([0.5, np.sqrt(3) / 2])
    (middle,) = slerp(np.array([1.0, 0.0]), end, np.array([0.5]))
    np.testing.assert_allclose(middle, [np.sqrt(3) / 2, 0.5], atol=1e-15)


def test_slerp_weights_vectors_of_different_lengths():
    # Orthogonal: both weights are sin(45 degrees).
    (middle,) = slerp(np.array([1.0, 0.0]), np.array([0.0, 3.0]), np.array([0.5]))
    np.testing.assert_allclose(middle, [np.sqrt(0.5), 3 * np.sqrt(0.5)])


def test_slerp_takes_stacks_and_keeps_the_ends():
    start, end = np.random.default_rng(0).standard_normal((2, 3, 5, 8))
    points = slerp(start, end, np.array([0.0, 0.3, 1.0]))
    assert points.shape == (3, 5, 3, 8)
    np.testing.assert_allclose(points[..., 0, :], start)
    np.testing.assert_allclose(points[..., 2, :], end, atol=1e-15)
    np.testing.assert_allclose(points[1, 2], slerp(start[1, 2], end[1, 2], [0.0, 0.3, 1.0]))


@pytest.mark.parametrize("end", [[3.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
def test_slerp_is_linear_without_a_great_circle(end):
    (point,) = slerp(np.array([1.0, 0.0]), np.array(end), np.array([0.25]))
    np.testing.assert_allclose(point, 0.75 * np.array([1.0, 0.0]) + 0.25 * np.array(end))


def test_writes_rows_of_walks(tmp_path, make_model, fit):
    model = make_model()
    fit(model, [InterpolationStrip(tmp_path, rows=3, steps=5)])
    (latents,) = model.generated_latents
    # Two pixels of padding, 8-pixel images, enlarged 8 times.
    expected = images.enlarge(images.grid(model.generate(15, latents=latents), columns=5), 8)
    strip = imageio.imread(tmp_path / "interpolation_001.png")
    assert strip.shape == ((3 * 10 + 2) * 8, (5 * 10 + 2) * 8)
    np.testing.assert_array_equal(strip, expected)


def test_rows_walk_evenly_from_latent_to_latent(tmp_path, make_model, fit):
    model = make_model()
    fit(model, [InterpolationStrip(tmp_path, rows=2, steps=4)])
    walks = model.generated_latents[0].reshape(2, 4, 4)
    assert model.generated_latents[0].dtype == np.float32
    expected = slerp(walks[:, 0], walks[:, -1], np.array([0, 1 / 3, 2 / 3, 1]))
    np.testing.assert_allclose(walks, expected, atol=1e-5)
    assert not np.allclose(walks[0, 0], walks[1, 0])
    assert not np.allclose(walks[0, 0], walks[0, -1])


def test_latents_depend_on_the_seed_only(tmp_path, make_model, fit):
    model = make_model()
    fit(model, [InterpolationStrip(tmp_path)], epochs=2)
    fit(model, [InterpolationStrip(tmp_path, seed=1)])
    first, second, other = model.generated_latents
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)


def test_every_and_initial_epoch(tmp_path, make_model, fit):
    fit(make_model(), [InterpolationStrip(tmp_path, every=3)], epochs=6, initial_epoch=3)
    assert [path.name for path in tmp_path.iterdir()] == ["interpolation_006.png"]


@pytest.mark.parametrize(("option", "value"), [("rows", 0), ("every", 0), ("steps", 1)])
def test_refuses_too_little(tmp_path, option, value):
    with pytest.raises(ValueError, match=f"Received: {option}={value}"):
        InterpolationStrip(tmp_path, **{option: value})


@pytest.mark.parametrize(("classes", "rows"), [(3, [0, 1, 2, 0]), (4, [0, 1, 2, 3]), (10, [0, 3, 6, 9])])
def test_a_walk_stays_within_a_class(tmp_path, make_classes, show, classes, rows):
    drawn = show(InterpolationStrip(tmp_path, rows=4, steps=5), make_classes(classes))
    np.testing.assert_array_equal(drawn, np.repeat(rows, 5))
