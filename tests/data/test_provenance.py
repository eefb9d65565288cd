"""A run knows the images that it was trained on, and later commands notice others."""

import json
import shutil

import numpy as np
import PIL.Image
import pytest

import dcgan
from dcgan import detector
from dcgan.config import RunConfig, TrainingConfig
from dcgan.data import ImageSet, provenance
from dcgan.runs.run_directory import RunDirectory

pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture
def config(tiny_network):
    training = TrainingConfig(batch_size=8, epochs=1, checkpoint_every=1)
    return RunConfig(preset="article", network=tiny_network, training=training, features="none")


@pytest.fixture
def folder(tmp_path, noise):
    """A folder of photographs with a training and a test part."""
    for part, (name, count) in enumerate({"train": 20, "test": 12}.items()):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number, image in enumerate(noise(count, 28, 28, seed=part)):
            PIL.Image.fromarray(image).save(tmp_path / "photos" / name / f"{number:02}.png")
    return tmp_path / "photos"


@pytest.fixture(scope="module")
def keep(tmp_path_factory):
    """Keeps one run of the given kind for the whole module."""
    kept = {}

    def keep(kind, make):
        if kind not in kept:
            kept[kind] = make(tmp_path_factory.mktemp(kind) / "run")
        return kept[kind]

    return keep


@pytest.fixture
def given_run(keep, config, noise, tmp_path):
    """A copy of a run that was given its images."""
    images = ImageSet("mine", "train", noise(60, 28, 28, 1))
    made = keep("given", lambda path: dcgan.train(config, path, images=images).run.path)
    return images, RunDirectory(shutil.copytree(made, tmp_path / "given"))


# Images that were given


@pytest.mark.slow
def test_a_run_that_was_given_its_images_does_not_call_them_mnist(given_run):
    images, run = given_run
    assert run.load_config().data == "given:mine"
    summary = json.loads(run.data_json.read_text())
    assert (summary["data"], summary["split"], summary["shape"]) == ("given:mine", "train", [28, 28, 1])
    assert summary["trained_on"] == {"count": 60, "digest": images.digest}


@pytest.mark.slow
@pytest.mark.parametrize("command", ["evaluate", "detect"])
def test_later_commands_want_the_images_again(run_cli, given_run, command):
    code, out, err = run_cli(command, given_run[1].path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "given:mine: expected the images that were given to dcgan.train" in err


def test_a_given_run_does_not_go_on_without_its_images(given_run, config, refused):
    _, run = given_run
    refused(lambda: dcgan.train(config, run.path), "holds a run with data='given:mine', not 'mnist'")


@pytest.mark.slow
def test_later_calls_take_the_images_again(given_run, noise, refused):
    images, run = given_run
    report = dcgan.evaluate(run.path, images=images, features="random")
    assert any("are not new to it" in note for note in report.notes)
    inputs = detector.RunInputs.load(run, images)
    assert [len(part) for part in (inputs.reals.train, inputs.reals.test)] == [48, 6]
    others = ImageSet("mine", "train", noise(60, 28, 28, 1, seed=9))
    refused(
        lambda: dcgan.evaluate(run.path, images=others, features="random"),
        f"{run.path}: expected the images that it was trained on, but mine has changed",
        "60 of 60 images to train on are others, the first is image 0",
    )


def test_a_given_run_goes_on_with_the_same_images_only(given_run, config, noise, refused):
    images, run = given_run
    assert dcgan.train(config, run.path, images=images).first_epoch == 1
    fewer = images.take(np.arange(40))
    refused(lambda: dcgan.train(config, run.path, images=fewer), "40 images to train on, not 60")


def test_an_array_can_be_given(config, noise, tmp_path):
    result = dcgan.train(config, tmp_path / "run", images=noise(12, 28, 28))
    assert result.run.load_config().data == "given:array"


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((12, 32, 32, 1), "expected uint8 images of shape (28, 28, 1), as the networks take, received"),
        ((12, 28, 28, 3), "expected uint8 images of shape (28, 28, 1)"),
        ((5, 28, 28, 1), "expected at least a batch of 8 images, found 5"),
    ],
)
def test_given_images_are_checked_before_anything_is_written(
    config, noise, tmp_path, refused, shape, message
):
    images = ImageSet("mine", "train", noise(*shape))
    refused(lambda: dcgan.train(config, tmp_path / "run", images=images), message)
    assert not (tmp_path / "run").exists()


# Folders that have changed


def _add(folder):
    PIL.Image.new("L", (28, 28), 9).save(folder / "train" / "new.png")


def _remove(folder):
    (folder / "test" / "03.png").unlink()


def _replace(folder):
    PIL.Image.new("L", (28, 28), 9).save(folder / "train" / "05.png")


CHANGES = [
    (_add, "added train/new.png"),
    (_remove, "removed test/03.png"),
    (_replace, "replaced train/05.png"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("change", "what"), CHANGES)
def test_a_folder_that_has_changed_is_noticed(run_cli, config, folder, refused, change, what):
    config = dcgan.presets.override(config, data=str(folder))
    run = RunDirectory(folder.parent / "run")
    dcgan.train(config, run.path)
    assert detector.RunInputs.load(run).reals.notes == ()
    change(folder)
    message = refused(lambda: dcgan.train(config, run.path), "photos has changed", what)
    assert message.startswith(f"{run.path}: expected the images that it was trained on")
    for command in ("evaluate", "detect"):
        code, _, err = run_cli(command, run.path)
        assert (code, err) == (2, f"dcgan: {message}\n")


def test_all_kinds_of_change_are_told_without_splits(config, folder, refused):
    """A file more changes who is held out; still only that file is named."""
    config = dcgan.presets.override(config, data=str(folder / "train"), split="train[:12]")
    run = RunDirectory(folder.parent / "run")
    dcgan.train(config, run.path)
    PIL.Image.new("L", (28, 28), 9).save(folder / "train" / "new.png")
    (folder / "train" / "02.png").unlink()
    message = refused(lambda: dcgan.train(config, run.path))
    assert "has changed: added new.png; removed 02.png. Bring them back" in message


def test_an_array_file_that_has_changed(config, tmp_path, noise, refused):
    np.save(tmp_path / "a.npy", noise(40, 28, 28))
    config = dcgan.presets.override(config, data=str(tmp_path / "a.npy"))
    run = dcgan.train(config, tmp_path / "run").run
    changed = noise(40, 28, 28)
    changed[7, 0, 0] ^= 1
    np.save(tmp_path / "a.npy", changed)
    message = refused(lambda: provenance.load(run, config))
    assert "1 of 36 images to train on are others, the first is image 7" in message


@pytest.mark.parametrize("name", ["data.json", "data.npz"])
def test_a_damaged_record(given_run, refused, name):
    images, run = given_run
    (run.path / name).write_bytes(b"\0")
    if name == "data.json":
        refused(lambda: detector.RunInputs.load(run, images), name, "expected the record")
    else:
        refused(lambda: provenance.read_hashes(run), name, "expected the record")


@pytest.mark.parametrize("content", ["{}", '{"trained_on": 3, "held_out": []}', "[]"])
def test_a_record_of_something_else(given_run, refused, content):
    images, run = given_run
    run.data_json.write_text(content)
    message = "data.json: expected the record of a run's images"
    refused(lambda: detector.RunInputs.load(run, images), message)


def test_a_run_without_a_record_says_so(given_run):
    images, run = given_run
    run.data_json.unlink()
    assert "no record of its images (data.json)" in detector.RunInputs.load(run, images).reals.notes[-1]


def test_a_relative_path_is_kept_whole(config, folder, monkeypatch, refused, tmp_path):
    """Else another working directory has another folder of that name, or none."""
    monkeypatch.chdir(folder.parent)
    config = dcgan.presets.override(config, data="photos")
    run = dcgan.train(config, tmp_path / "run").run
    assert run.load_config().data == str(folder)
    (tmp_path / "work").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / "work")
    assert provenance.load(run, run.load_config()).recorded
    folder.rename(folder.with_name("moved"))
    refused(lambda: provenance.load(run, run.load_config()), f"{folder}: no such file or folder")


@pytest.mark.slow
def test_a_run_that_was_killed_as_it_began_may_begin_with_other_images(config, noise, tmp_path):
    dcgan.train(config, tmp_path / "run", images=noise(12, 28, 28))
    for path in (tmp_path / "run").iterdir():
        if path.name not in ("data.json", "data.npz"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    run = dcgan.train(config, tmp_path / "run", images=noise(20, 28, 28)).run
    assert json.loads(run.data_json.read_text())["trained_on"]["count"] == 20


def test_names_of_classes_are_kept(config, noise, tmp_path):
    names = ("cat", "dog")
    for part, class_names in {"named": names, "unnamed": None}.items():
        images = ImageSet("mine", "train", noise(60, 28, 28, 1), np.arange(60) % 2, class_names)
        run = RunDirectory(tmp_path / part)
        provenance.record(run, config, provenance.load(run, config, images))
        assert provenance.read_class_names(run) == class_names
    assert provenance.read_class_names(RunDirectory(tmp_path / "none")) is None
