"""Every public name's example runs, as it stands in its docstring, and prints what is written there.

What examples take for granted is said in docs/reference/index.md.
"""

import copy
import doctest
import inspect
import pathlib

import keras
import keras_tuner
import numpy as np
import public_names
import pytest
import tensorflow as tf

import dcgan
import export
import tuning

# Made by another public name, which their docstrings name, or there to be derived from.
MADE_BY_OTHERS = {
    "dcgan.detector.Calibration": "recalibrate_run",
    "dcgan.detector.Fitted": "fit_run",
    "dcgan.losses.AdversarialLoss": "get",
    "dcgan.metrics.Neighborhood": "neighborhood",
    "dcgan.metrics.Score": "evaluate_features",
    "dcgan.scoring.Row": "score_files",
    "dcgan.scoring.Scorer": "Detector",
    "export.Candidate": "export_model",
    "export.Pushed": "push_model",
    "export.ScoringModel": "dcgan.detector.Detector",
    "export.Validation": "validate_model",
    "tuning.SearchResult": "search",
    "tuning.TrialRecord": "SearchResult",
}
# Their examples train, serve, read files or a run.
NEED_A_RUN = {
    "dcgan.DCGAN",
    "dcgan.callbacks.FakeReplay",
    "dcgan.callbacks.ImageGrid",
    "dcgan.callbacks.InterpolationStrip",
    "dcgan.callbacks.MetricsLog",
    "dcgan.callbacks.ProgressGif",
    "dcgan.callbacks.RunCheckpoint",
    "dcgan.callbacks.SampleDistance",
    "dcgan.callbacks.TensorBoardImages",
    "dcgan.callbacks.TrainingGuard",
    "dcgan.data.batches",
    "dcgan.data.decode_file",
    "dcgan.data.load_dataset",
    "dcgan.detector.Detector",
    "dcgan.detector.RunInputs",
    "dcgan.detector.evaluate",
    "dcgan.detector.evaluate_run",
    "dcgan.detector.fit",
    "dcgan.detector.fit_run",
    "dcgan.detector.heat_maps",
    "dcgan.detector.load",
    "dcgan.detector.load_fitted",
    "dcgan.detector.recalibrate_run",
    "dcgan.detector.save",
    "dcgan.evaluate",
    "dcgan.features.Reference",
    "dcgan.features.fit_extractor",
    "dcgan.features.fit_extractor_file",
    "dcgan.features.for_run",
    "dcgan.features.load",
    "dcgan.features.save",
    "dcgan.report.draw",
    "dcgan.scoring.expand",
    "dcgan.scoring.score_files",
    "dcgan.scoring.score_images",
    "dcgan.train",
    "export.Client",
    "export.ExportBest",
    "export.Labels",
    "export.ServingConfig",
    "export.export_generator",
    "export.export_model",
    "export.push_model",
    "export.roll_back",
    "export.score_bulk",
    "export.validate_model",
    "export.write_serving_config",
    "tuning.DCGANHyperModel",
    "tuning.best_config",
    "tuning.run",
    "tuning.search",
}
THINGS = public_names.documented()
EXAMPLES = {
    name: doctest.DocTestParser().get_examples(inspect.getdoc(thing))
    for name, thing in THINGS.items()
    if name not in MADE_BY_OTHERS
}
_MODULES = {"dcgan": dcgan, "export": export, "tuning": tuning}
_LIBRARIES = {"keras": keras, "keras_tuner": keras_tuner, "np": np, "pathlib": pathlib, "tf": tf}


def test_every_public_name_has_an_example_or_a_maker():
    assert [name for name, examples in EXAMPLES.items() if not examples] == []
    for name, maker in MADE_BY_OTHERS.items():
        assert f"`{maker}`" in inspect.getdoc(THINGS[name]), f"{name} does not name {maker}"
        assert ">>>" not in inspect.getdoc(THINGS[name]), f"{name} has an example"


@pytest.fixture
def run_example(digits):
    """Runs a public name's example with what it takes for granted, and what it is given."""

    def run(name, replaced=(), **given):
        room = public_names.of_module(name.rpartition(".")[0])
        data = {"images": digits.images, "labels": digits.labels}
        names = {**room, **_MODULES, **_LIBRARIES, **data, **given}
        examples = [copy.copy(example) for example in EXAMPLES[name]]
        for example in examples:
            for old, new in replaced:
                example.source = example.source.replace(old, new)
        test = doctest.DocTest(examples, names, name, None, 0, None)
        printed = []
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        failed, _ = doctest.DocTestRunner(optionflags=flags).run(test, out=printed.append)
        assert not failed, "".join(printed)

    return run


@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() - NEED_A_RUN))
def test_examples_that_need_arrays(name, run_example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_example(name)


@pytest.fixture
def given(digits):
    """A model and a dataset that examples take for granted."""
    keras.utils.set_random_seed(0)
    return {
        "model": dcgan.DCGAN.from_preset("mnist"),
        "dataset": dcgan.batches(digits.images, 64),
    }


@pytest.fixture
def short_fits(name, work):
    """Cuts the trainings that an example calls `model.fit` for."""
    fits = any("model.fit(" in example.source for example in EXAMPLES[name])
    # Without bars of progress, which would be printed among the answers.
    keras.config.disable_interactive_logging()
    keras.config.set_max_epochs(2 if fits else None)
    keras.config.set_max_steps_per_epoch(3 if fits else None)
    yield
    keras.config.enable_interactive_logging()
    keras.config.set_max_epochs(None)
    keras.config.set_max_steps_per_epoch(None)


@pytest.fixture
def server(name, work):
    """What to replace in an example: the address of a server, if it needs one."""
    if name != "export.Client":
        yield ()
        return
    serving_double = pytest.importorskip("serving_double", reason="tensorflow-serving-api is not here")
    models = serving_double.Models({2: "runs/mnist/serving/detector/2"}, labels={"stable": 2})
    with serving_double.over_grpc(models) as url:
        yield [("grpc://localhost:8500", url)]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(NEED_A_RUN))
def test_examples_that_need_a_run(name, run_example, work, given, short_fits, server):
    run_example(name, server, **given)
