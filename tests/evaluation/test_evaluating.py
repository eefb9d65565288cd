import dataclasses
import json
import pathlib
import shutil

import keras
import numpy as np
import pytest

from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.evaluation import evaluate, evaluated_run, measurements
from dcgan.features import Reference, reference
from dcgan.metrics import Real, evaluate_features
from dcgan.runs.run_directory import RunDirectory

PARTS = ["loading", "drawing", "measuring", "nearest images"]


def _load(run, extractor, *, count=20, seed=0):
    return evaluated_run.load(RunDirectory(run), extractor=extractor, count=count, seed=seed)


def _both_files(report):
    return report.json.read_bytes(), report.html.read_bytes()


def _change_config(run, **changes):
    path = run / "config.json"
    dataclasses.replace(RunConfig.load(path), **changes).save(path)


@pytest.fixture(scope="module")
def evaluated(finished_run, quick_extractor, tmp_path_factory):
    """An evaluation of the run as it is, the run, and the progress that was told; only read."""
    run = shutil.copytree(finished_run, tmp_path_factory.mktemp("evaluated") / "tiny")
    told = []
    report = evaluate(run, features=quick_extractor, progress=lambda *each: told.append(each))
    return report, run, told


def test_scores_are_those_of_the_metrics(run, quick_extractor):
    report = evaluate(run, features=quick_extractor, count=15, seed=3)
    loaded = _load(run, quick_extractor, count=15, seed=3)
    samples = measurements.measure(loaded, progress=lambda part, share: None).samples
    expected = evaluate_features(
        Real.of(quick_extractor.embed(loaded.test.images)),
        quick_extractor.embed(samples),
        features="blocks",
        seed=3,
    )
    assert report.scores.keys() == expected.keys()
    for name, score in report.scores.items():
        assert score.value == pytest.approx(expected[name].value, rel=1e-9)
        assert (score.fake_count, score.real_count, score.seed) == (15, 20, 3)
        assert score.floor is not None
    written = json.loads(report.json.read_text())["evaluation"]["scores"]
    assert written == {name: dataclasses.asdict(score) for name, score in report.scores.items()}


@pytest.mark.slow
def test_identical_files_twice(run, finished_run, quick_extractor, tmp_path):
    first = _both_files(evaluate(run, features=quick_extractor))
    assert list((run / "references").iterdir())
    assert _both_files(evaluate(run, features=quick_extractor)) == first
    elsewhere = shutil.copytree(finished_run, tmp_path / "moved" / "tiny")
    assert _both_files(evaluate(elsewhere, features=quick_extractor)) == first
    assert _both_files(evaluate(run, features=quick_extractor, seed=1))[0] != first[0]


def test_the_report_holds_what_it_promises(evaluated):
    report, _, told = evaluated
    assert [part for part, share in told if share == 1] == PARTS
    written = json.loads(report.json.read_text())
    assert list(written) == ["evaluation", "run"]
    samples, made = written["evaluation"], written["run"]
    assert samples["features"]["name"] == "blocks"
    assert samples["data"]["train"] == {"split": "train", "count": 180}
    assert (samples["epochs"], samples["count"], samples["seed"]) == (2, 20, 0)
    assert [row["class"] for row in samples["class_shares"]] == ["0", "1"]
    assert sum(row["real"] for row in samples["class_shares"]) == pytest.approx(1)
    assert samples["nearest_training_image"]["features"]["samples"]["count"] == 20
    assert made["configuration"]["network"]["latent_dim"] == 8
    assert made["last_epoch"]["val_frechet_distance"] == 12.5
    assert made["timings"]["seconds"] == 61.5
    assert set(made["versions"]) == {"python", "dcgan", "tensorflow", "keras", "numpy"}
    page = report.html.read_text()
    for title in ("Summary", "Samples", "Metrics", "Classes", "Training", "Interpolations"):
        assert f"<h2>{title}</h2>" in page
    for plot in ("Loss", "Accuracy of the discriminator", "Fréchet distance", "KID"):
        assert f'aria-label="{plot} over the epochs"' in page
    assert "1 min 1 s for 2 epochs" in page


def test_the_floor_is_that_of_training_images_and_explained_once(evaluated, quick_extractor):
    """Of 20 test images in their own place the distance would be 0."""
    report, run, _ = evaluated
    loaded = _load(run, quick_extractor)
    chosen = reference._choose(180, 20, seed=0)
    floor = evaluate_features(
        Real.of(quick_extractor.embed(loaded.test.images)),
        quick_extractor.embed(loaded.train.images[chosen]),
        features="blocks",
    )
    for name in ("frechet_distance", "kid"):
        assert report.scores[name].floor == pytest.approx(floor[name].value, rel=1e-6)
    assert report.scores["frechet_distance"].floor > 0.01
    page = report.html.read_text()
    value = report.scores["frechet_distance"].floor
    assert page.count(f"Held-out real images score {value:.4g}, the floor") == 1


@pytest.mark.slow
@pytest.mark.parametrize("split", ["train", "all"])
def test_the_floor_comes_from_images_that_are_not_compared_with(run, quick_extractor, split):
    _change_config(run, split=split)
    loaded = _load(run, quick_extractor)
    floor = evaluate(run, features=quick_extractor, count=20).scores["frechet_distance"].floor
    of_others, of_test = (
        Reference.compute(
            loaded.test.images, quick_extractor, floor_images=images, fake_count=20
        ).statistics.floor["frechet_distance"]
        for images in (loaded.train.images, loaded.test.images)
    )
    assert floor == of_others > of_test


def test_counts_are_lowered_and_it_says_so(evaluated):
    report, _, _ = evaluated
    assert report.scores["precision"].fake_count == 20
    assert report.notes[0].startswith("20 samples were measured, not 10,000")
    assert report.notes[1].startswith("Fewer than 1,000")
    assert all(note in report.html.read_text() for note in report.notes)


@pytest.mark.slow
def test_the_runs_own_extractor(run):
    report = evaluate(run)
    assert report.scores["precision"].features == "random"
    assert report.classes is None
    assert "<h2>Classes" not in report.html.read_text()
    _change_config(run, features="none")
    assert _load(run, None).extractor.name == "random"


def test_a_feature_extractor_from_a_file(run, tmp_path):
    path = tmp_path / "mine.keras"
    keras.Sequential([keras.Input((28, 28, 1)), keras.layers.AveragePooling2D(7)]).save(path)
    assert _load(run, path).extractor.name == "mine"


def test_an_unfinished_run_without_tables(run, quick_extractor):
    """Measured is its checkpoint."""
    (run / "checkpoints").mkdir()
    (run / "dcgan.keras").rename(run / "checkpoints" / "epoch_001.keras")
    (run / "checkpoints" / "epoch_001.json").write_text("{}")
    (run / "metrics.csv").unlink()
    (run / "timings.csv").unlink()
    report = evaluate(run, features=quick_extractor)
    assert report.notes[0] == (
        "The run is not finished: this is its newest checkpoint, after 1 of 2 epochs."
    )
    assert json.loads(report.json.read_text())["evaluation"]["epochs"] == 1
    page = report.html.read_text()
    assert "The run has no metrics.csv." in page
    assert "The run has no timings.csv." in page
    made = json.loads(report.json.read_text())["run"]
    assert (made["last_epoch"], made["timings"]) == ({}, {})


def test_values_that_are_not_finite(run, quick_extractor):
    (run / "metrics.csv").write_text("epoch,g_loss,val_frechet_distance\n1,nan,\n2,inf,nan\n")
    made = json.loads(evaluate(run, features=quick_extractor).json.read_text())["run"]
    assert made["last_epoch"] == {"epoch": 2.0, "g_loss": None, "val_frechet_distance": None}


@pytest.mark.parametrize("split", ["all", "train+test", "test+train[:50%]"])
def test_a_run_that_saw_all_test_images_is_not_compared_with_unseen_ones(run, quick_extractor, split):
    _change_config(run, split=split)
    loaded = _load(run, quick_extractor)
    assert any(f"trained on all of its images (split {split})" in note for note in loaded.notes)
    assert not np.isin(loaded.test.positions, loaded.train.positions).any()
    assert len(loaded.test.images) + len(loaded.train.images) == len(loaded.partition.trained_on.images)


@pytest.mark.slow
def test_no_page_claims_images_unseen_that_were_trained_on(run, quick_extractor):
    _change_config(run, split="all")
    page = evaluate(run, features=quick_extractor).html.read_text()
    for claim in ("Held-out real images", "which the generator has never seen", "unseen"):
        assert claim not in page


def test_a_run_that_saw_some_test_images_is_compared_with_the_others(run, quick_extractor):
    _change_config(run, split="train+test[:5]")
    loaded = _load(run, quick_extractor)
    assert (len(loaded.train.images), len(loaded.test.images)) == (185, 15)
    assert not np.isin(loaded.test.positions, loaded.train.positions).any()
    assert not any("trained on all" in note for note in loaded.notes)


@pytest.mark.parametrize(
    ("trained_on", "seen"),
    [("noise:test", True), ("tfds:noise:all[:9]", True), ("/test/all:train[:2]", False), ("", False)],
)
def test_a_feature_extractor_that_saw_test_images(run, quick_extractor, trained_on, seen):
    extractor = dataclasses.replace(quick_extractor, trained_on=trained_on)
    notes = _load(run, extractor).notes
    assert any("The feature extractor also learned from test images" in note for note in notes) is seen


@pytest.mark.parametrize(("trained_on", "names"), [("{data}:train", "ab"), ("other:train", "01")])
def test_class_names_are_those_of_the_data_the_extractor_knows(run, quick_extractor, trained_on, names):
    loaded = _load(run, quick_extractor)
    test = dataclasses.replace(loaded.test, class_names=("a", "b"))
    loaded = dataclasses.replace(
        loaded,
        partition=dataclasses.replace(loaded.partition, held_out=test),
        extractor=dataclasses.replace(
            quick_extractor, trained_on=trained_on.format(data=loaded.test.name)
        ),
    )
    found = measurements.measure(loaded, progress=lambda part, share: None)
    assert found.classes.names == tuple(names)


def test_a_generator_that_copies_is_found_out(run, quick_extractor):
    loaded = _load(run, quick_extractor)
    honest = dataclasses.replace(loaded, model=_Copier(loaded.test.images))
    found = measurements.measure(honest, progress=lambda part, share: None)
    assert (found.nearest_by_pixels.close_share, found.nearest_by_features.close_share) == (0.05, 0.05)
    copies = dataclasses.replace(loaded, model=_Copier(loaded.train.images))
    found = measurements.measure(copies, progress=lambda part, share: None)
    assert (found.nearest_by_pixels.close_share, found.nearest_by_features.close_share) == (1, 1)
    np.testing.assert_array_equal(
        found.samples, loaded.train.images[found.nearest_by_pixels.samples.rows[: len(found.samples)]]
    )


class _Copier:
    latent_dim, classes = 8, 0

    def __init__(self, images):
        self.images = images

    def generate(self, count, *, latents, labels):
        return self.images[np.arange(count) % len(self.images)].astype(np.float32) / 127.5 - 1


@pytest.mark.slow
def test_samples_are_drawn_in_parts(run, quick_extractor, monkeypatch):
    loaded = _load(run, quick_extractor)
    latents = np.random.default_rng(0).standard_normal((20, 8), np.float32)
    whole = loaded.draw(latents)
    monkeypatch.setattr(evaluated_run, "_CHUNK", 7)
    np.testing.assert_array_equal(loaded.draw(latents), whole)
    assert (whole.shape, whole.dtype) == ((20, 28, 28, 1), np.uint8)


def test_too_few_images(run, quick_extractor, tmp_path):
    np.savez(tmp_path / "few.npz", images=np.zeros((50, 28, 28, 1), np.uint8))
    _change_config(run, data=str(tmp_path / "few.npz"))
    with pytest.raises(InputError, match=r"expected at least 10 images .* Received: 45 and 5"):
        _load(run, quick_extractor)


def test_an_unknown_extractor_is_refused_before_the_images_are_read(run, monkeypatch):
    monkeypatch.setattr(evaluated_run.provenance, "load", lambda *given: pytest.fail("images were read"))
    with pytest.raises(InputError, match=r"features nonsense: expected mnist, learned \(for a run\)"):
        _load(run, "nonsense")


# The command


def test_command(run_cli, run):
    code, out, err = run_cli("evaluate", run, "--features", "random", "--count", 12, "--seed", 2)
    assert code == 0, err
    lines = out.splitlines()
    assert lines[0].split() == ["metric", "samples", "floor", "better"]
    assert lines[1].split()[0] == "frechet_distance"
    assert lines[-2:] == [f"report  {run / 'report.html'}", f"metrics {run / 'report.json'}"]
    samples = json.loads((run / "report.json").read_text())["evaluation"]
    assert (samples["count"], samples["seed"]) == (12, 2)
    written = {path.name for path in run.iterdir() if not path.name.startswith(".")}
    assert written - {"references", "report", "report.json", "report.html"} == {
        *("config.json", "dcgan.keras", "metrics.csv", "timings.csv")
    }


def _cut(name):
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:300])


def _lose_data(run):
    _change_config(run, data=str(run / "gone.npz"))


@pytest.mark.parametrize(
    ("spoil", "options", "parts"),
    [
        (lambda run: (run / "config.json").unlink(), [], ["expected a run's directory"]),
        (_cut("config.json"), [], ["config.json: expected JSON"]),
        (lambda run: (run / "dcgan.keras").unlink(), [], ["tiny: expected a trained run"]),
        (_cut("dcgan.keras"), [], ["dcgan.keras: expected a DCGAN"]),
        (lambda run: (run / "metrics.csv").write_text("epoch,x\n1,two\n"), [], ["metrics.csv: "]),
        (_lose_data, [], ["gone.npz: no such file"]),
        (lambda run: (run / "report").touch(), [], ["tiny: expected a directory to write to"]),
        (lambda run: None, ["--features", "nobody"], ["features nobody: expected mnist"]),
        (lambda run: None, ["--features", "none"], ["features none: expected a feature extractor"]),
        (lambda run: None, ["--count", "9"], ["--count"]),
        (lambda run: None, ["--seed", "-1"], ["--seed"]),
    ],
)
def test_errors_are_one_line(run_cli, run, spoil, options, parts):
    spoil(run)
    code, out, err = run_cli("evaluate", run, *options)
    assert (code, out) == (2, "")
    assert err.startswith("dcgan: ")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err
    assert not pathlib.Path(run / "report.json").exists()
