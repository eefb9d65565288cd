import shutil

import pytest

import export
import push_helpers
from dcgan.config import RunConfig
from dcgan.runs.run_directory import RunDirectory
from export.publishing import integrity


@pytest.fixture(scope="module")
def candidates(gan, make_gan, tmp_path_factory):
    """Two different models as blessed candidates of a run."""
    run = RunDirectory(tmp_path_factory.mktemp("run"))
    RunConfig().save(run.config)
    other = make_gan()
    other.discriminator.set_weights([weight + 1 for weight in gan.discriminator.get_weights()])
    for model in (gan, other):
        push_helpers.bless(export.export_model(model, run.candidates))
    return run.path


@pytest.fixture
def run(candidates, tmp_path):
    """A run with those two candidates."""
    shutil.copytree(candidates, tmp_path / "run")
    return RunDirectory(tmp_path / "run")


@pytest.fixture(scope="module")
def both_pushed(candidates, tmp_path_factory):
    path = tmp_path_factory.mktemp("live") / "run"
    shutil.copytree(candidates, path)
    for candidate in (1, 2):
        export.push_model(path, version=candidate)
    return path


@pytest.fixture
def live(both_pushed, tmp_path):
    """The run with both candidates live, as versions 1 and 2."""
    shutil.copytree(both_pushed, tmp_path / "live")
    return RunDirectory(tmp_path / "live")


@pytest.fixture
def quick(monkeypatch):
    """Spares a push the time that loading takes."""
    monkeypatch.setattr(integrity, "check_loads", lambda directory, *, name: None)
