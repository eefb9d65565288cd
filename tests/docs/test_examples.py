import ast
import pathlib
import runpy

import keras
import numpy as np
import pytest

import documents

PATH = documents.ROOT / "docs" / "examples" / "dcgan_with_callback.py"


@pytest.fixture
def example(monkeypatch, tmp_path):
    """The names that the example defines, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return runpy.run_path(str(PATH))


def test_it_is_short():
    text = PATH.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    # What is between the code is text to read.
    prose = [node for node in ast.parse(text).body if isinstance(node, ast.Expr)]
    assert len(prose) > 4


class _Model:
    """Draws images, and has one weight."""

    def __init__(self):
        self.weight, self.stop_training = 0, False

    def generate(self, count, *, seed):
        return np.zeros((count, 8, 8, 1), np.float32)

    def get_weights(self):
        return self.weight

    def set_weights(self, weight):
        self.weight = weight


class _Reference:
    fake_count = 64

    def __init__(self, distances):
        self.left = list(distances)

    def distances(self, samples):
        score = type("Score", (), {"value": self.left.pop(0)})
        return {"frechet_distance": score}


@pytest.mark.parametrize(
    ("distances", "ended", "best"),
    [([5.0, 3.0, 4.0, 6.0, 1.0], 4, 2), ([5.0, 4.0, 4.5, 3.0], 4, 4), ([1.0], 1, 1)],
)
def test_the_callback_keeps_the_best_epoch(example, distances, ended, best):
    model, logs = _Model(), {}
    callback = example["KeepBest"](_Reference(distances))
    callback.set_model(model)
    for epoch in range(len(distances)):
        model.weight = epoch + 1
        callback.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    assert logs["val_distance"] == distances[ended - 1]
    assert epoch + 1 == ended
    callback.on_train_end()
    assert model.weight == best
    assert len(list(pathlib.Path("samples").iterdir())) == ended


@pytest.mark.slow
def test_the_whole_program(example, small_presets):
    model = example["main"]("2", "train[:96]", 100)
    loaded = keras.saving.load_model("best.keras")
    np.testing.assert_array_equal(loaded.generate(2), model.generate(2))
    assert len(list(pathlib.Path("samples").iterdir())) == 2
