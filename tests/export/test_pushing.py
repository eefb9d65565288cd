import errno
import json
import os
import pathlib
import resource
import shutil

import pytest

import export
from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory
from export.graph import saved_model
from export.publishing import pushing
from export.publishing.blessing import Candidate

REPORT = {"reasons": []}


@pytest.fixture(scope="module")
def candidates(gan, make_gan, tmp_path_factory):
    """Two different models as blessed candidates of a run."""
    run = RunDirectory(tmp_path_factory.mktemp("run"))
    RunConfig().save(run.config)
    other = make_gan()
    other.discriminator.set_weights([weight + 1 for weight in gan.discriminator.get_weights()])
    for model in (gan, other):
        bless(export.export_model(model, run.candidates))
    return run.path


@pytest.fixture
def run(candidates, tmp_path):
    """A run with those two candidates."""
    shutil.copytree(candidates, tmp_path / "run")
    return RunDirectory(tmp_path / "run")


def bless(exported, *, blessed=True, infra_blessed=True, **report):
    report = REPORT | {"digest": exported.digest} | report
    exported.bless(blessed=blessed, infra_blessed=infra_blessed, report=report)


def digests(run, base=None):
    """Versions and what they hold, by the number of the candidate that has the same digest."""
    known = {
        saved_model.digest(run.candidates / "detector" / number / "Format-Serving"): number
        for number in ("1", "2")
    }
    live = pushing.list_live((base or run.serving) / "detector")
    return {pushed.version: int(known[saved_model.digest(pushed.path)]) for pushed in live}


def test_the_newest_candidate_goes_live_as_it_is(run, tmp_path):
    pushed = export.push_model(run.path)
    assert pushed.path == run.serving / "detector" / "1"
    assert (pushed.version, pushed.candidate, pushed.original) == (1, 2, 1)
    source = run.candidates / "detector" / "2" / "Format-Serving"
    files = {path.relative_to(source) for path in source.rglob("*")}
    copied = {path.relative_to(pushed.path) for path in pushed.path.rglob("*")}
    assert copied - files == {pathlib.Path("assets.extra/pushed.json")}
    assert files <= copied
    for path in files:
        if (source / path).is_file():
            assert (source / path).read_bytes() == (pushed.path / path).read_bytes()
    other = export.push_model(run, tmp_path / "live", version=1)
    assert other.path == tmp_path / "live" / "detector" / "1"
    assert digests(run, tmp_path / "live") == {1: 1}


def test_a_model_from_memory(gan, tmp_path):
    exported = export.export_model(gan, tmp_path / "candidates", name="digits")
    with pytest.raises(InputError, match=r"digits/1: expected a validated candidate; export it again$"):
        export.push_model(exported, tmp_path / "live")
    bless(exported)
    assert export.push_model(exported, tmp_path / "live").path == tmp_path / "live" / "digits" / "1"
    with pytest.raises(ValueError, match="Expected a base directory"):
        export.push_model(exported)


@pytest.mark.parametrize(
    ("blessed", "infra_blessed", "marks"),
    [
        (False, True, "NOT_BLESSED and INFRA_BLESSED"),
        (True, False, "BLESSED and INFRA_NOT_BLESSED"),
        (False, False, "NOT_BLESSED and INFRA_NOT_BLESSED"),
    ],
)
def test_what_is_not_blessed_stays_where_it_is(run, blessed, infra_blessed, marks):
    candidate = Candidate(run.candidates / "detector" / "2")
    reasons = ["precision 0.5 is less than the minimum of 0.9", "classify: No such op"]
    candidate.bless(blessed=blessed, infra_blessed=infra_blessed, report={"reasons": reasons})
    with pytest.raises(InputError) as caught:
        export.push_model(run)
    assert str(caught.value) == f"{candidate.directory}: {marks}, not pushed: {'; '.join(reasons)}"
    assert not run.serving.exists()
    assert export.push_model(run, version=1).candidate == 1


def test_a_candidate_that_was_changed_after_its_validation(run):
    first, second = (run.candidates / "detector" / number / "Format-Serving" for number in "12")
    shutil.rmtree(second / "variables")
    expected = r"2/Format-Serving: expected a SavedModel \("
    with pytest.raises(InputError, match=expected):
        export.push_model(run)
    shutil.copytree(first / "variables", second / "variables")
    with pytest.raises(InputError, match=r"detector/2: expected the model that was validated"):
        export.push_model(run)
    assert not run.serving.exists()


def test_a_candidate_without_its_report(run):
    report = run.candidates / "detector" / "2" / "validation.json"
    for damage in ("{", "[]"):
        report.write_text(damage)
        with pytest.raises(InputError, match=r"validation\.json: expected a validation's report"):
            export.push_model(run)


def test_no_candidates_and_no_such_candidate(run):
    with pytest.raises(InputError, match=r"export/other: expected a candidate to push"):
        export.push_model(run, name="other")
    with pytest.raises(InputError, match=r"one of \[1, 2\]\. Received: 7$"):
        export.push_model(run, version=7)
    with pytest.raises(InputError, match="name: expected"):
        export.push_model(run, name="../other")


def test_an_older_version_comes_back_under_a_new_number(run):
    for candidate in (1, 2):
        export.push_model(run, version=candidate)
    back = export.roll_back(run)
    assert (back.version, back.original, back.candidate) == (3, 1, 1)
    assert digests(run) == {1: 1, 2: 2, 3: 1}
    # Not to version 2, from which it was gone back.
    with pytest.raises(InputError, match=r"detector: expected a version before 1 to go back to$"):
        export.roll_back(run)
    export.push_model(run, version=2)
    assert export.roll_back(run).original == 1
    assert digests(run) == {1: 1, 2: 2, 3: 1, 4: 2, 5: 1}


def test_a_certain_version_comes_back(run, tmp_path):
    for candidate in (1, 2, 1):
        export.push_model(run, tmp_path, version=candidate)
    back = export.roll_back(None, tmp_path, version=2, keep=2)
    assert (back.version, back.original, back.candidate) == (4, 2, 2)
    assert digests(run, tmp_path) == {3: 1, 4: 2}
    for version in (4, 9):
        expected = rf"expected an older version's number, one of \[3\]\. Received: {version}$"
        with pytest.raises(InputError, match=expected):
            export.roll_back(None, tmp_path, version=version)


def test_nothing_to_go_back_from(run):
    with pytest.raises(InputError, match=r"detector: expected a live version to go back from$"):
        export.roll_back(run)


def test_a_version_that_others_pushed(run):
    foreign = run.serving / "detector" / "1700000000"
    shutil.copytree(run.candidates / "detector" / "1" / "Format-Serving", foreign)
    (found,) = pushing.list_live(foreign.parent)
    assert (found.candidate, found.original) == (None, 1700000000)
    assert export.push_model(run).version == 1700000001
    back = export.roll_back(run)
    assert (back.version, back.original, back.candidate) == (1700000002, 1700000000, None)
    (foreign / "assets.extra" / "pushed.json").write_text("[]")
    assert pushing.list_live(foreign.parent)[0].candidate is None


def test_a_full_disk_leaves_nothing_half(run):
    export.push_model(run, version=1)
    export.push_model(run)
    graphs = run.serving.glob("detector/*/saved_model.pb")
    limit = min(path.stat().st_size for path in graphs) - 1
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for publish in (export.push_model, export.roll_back):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            with pytest.raises(InputError) as caught:
                publish(run)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert str(caught.value).endswith(f"to write to ({os.strerror(errno.EFBIG)})")
    assert sorted(path.name for path in (run.serving / "detector").iterdir()) == ["1", "2"]


def test_a_place_that_cannot_be_written_to(run, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file/detector: expected a directory .*\(Not a directory\)$"):
        export.push_model(run, tmp_path / "file")

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(pushing.shutil, "copyfile", refuse)
    with pytest.raises(InputError, match=r"\(Permission denied\)$"):
        export.push_model(run, tmp_path / "live")
    assert list((tmp_path / "live" / "detector").iterdir()) == []


def test_a_number_appears_with_everything_in_it(run, monkeypatch):
    seen = []
    rename = pathlib.Path.rename

    def look(path, target):
        if pathlib.Path(target).name.isdigit():
            record = json.loads((path / "assets.extra" / "pushed.json").read_text())
            seen.append((path.name.startswith("incoming-"), record["candidate"]))
            assert saved_model.digest(path)
        return rename(path, target)

    monkeypatch.setattr(pathlib.Path, "rename", look)
    export.push_model(run)
    assert seen == [(True, 2)]
