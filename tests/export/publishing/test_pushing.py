import concurrent.futures
import errno
import json
import os
import pathlib
import shutil

import pytest

import export
import push_helpers
from dcgan.errors import InputError
from export.graph import saved_model
from export.publishing import labels, pushing
from export.publishing.blessing import Candidate


def test_the_newest_candidate_goes_live_as_it_is(run, tmp_path):
    pushed = export.push_model(run.path)
    assert pushed.path == run.serving / "detector" / "1"
    assert (pushed.version, pushed.candidate, pushed.original) == (1, 2, 1)
    source = run.candidates / "detector" / "2" / "Format-Serving"
    files = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    copied = {path.relative_to(pushed.path) for path in pushed.path.rglob("*") if path.is_file()}
    assert copied - files == {pathlib.Path("assets.extra/pushed.json")}
    assert files <= copied
    for path in files:
        assert (source / path).read_bytes() == (pushed.path / path).read_bytes()
    other = export.push_model(run, tmp_path / "live", version=1)
    assert other.path == tmp_path / "live" / "detector" / "1"
    assert push_helpers.digests(run, tmp_path / "live") == {1: 1}


@pytest.mark.slow
def test_a_model_from_memory(gan, tmp_path):
    exported = export.export_model(gan, tmp_path / "candidates", name="digits")
    with pytest.raises(InputError, match=r"digits/1: expected a validated candidate; export it again$"):
        export.push_model(exported, tmp_path / "live")
    push_helpers.bless(exported)
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
    push_helpers.bless(candidate, blessed=blessed, infra_blessed=infra_blessed, reasons=reasons)
    with pytest.raises(InputError) as caught:
        export.push_model(run)
    assert str(caught.value) == f"{candidate.directory}: {marks}, not pushed: {'; '.join(reasons)}"
    assert not run.serving.exists()
    assert export.push_model(run, version=1).candidate == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda model: (model / "saved_model.pb").write_bytes(b"another"),
        lambda model: push_helpers.grow(model / "assets.extra" / "tf_serving_warmup_requests"),
        lambda model: push_helpers.grow(model / "assets.extra" / "model_card.json"),
        lambda model: push_helpers.grow(model / "variables" / "variables.index"),
        lambda model: (model / "assets" / "added").write_text(""),
        lambda model: (model / "assets.extra" / "model_card.md").unlink(),
        lambda model: (model / "assets.extra" / "model_card.md").rename(model / "assets.extra" / "b.md"),
    ],
)
def test_a_candidate_that_was_changed_after_its_validation(run, change):
    change(run.candidates / "detector" / "2" / "Format-Serving")
    with pytest.raises(InputError) as caught:
        export.push_model(run)
    assert str(caught.value) == (
        f"{run.candidates}/detector/2: expected the files that were validated, some have changed; "
        "export it again"
    )
    assert not Candidate(run.candidates / "detector" / "2").is_blessed()
    assert not run.serving.exists()


def test_a_mark_made_by_hand_blesses_nothing(run):
    candidate = Candidate(run.candidates / "detector" / "2")
    push_helpers.bless(candidate, blessed=False, reasons=["too bad"])
    marks = candidate.directory / "blessing"
    (marks / "NOT_BLESSED").rename(marks / "BLESSED")
    expected = "the marks that validation.json calls for, NOT_BLESSED and INFRA_BLESSED, found BLESSED"
    with pytest.raises(InputError, match=expected):
        export.push_model(run)
    assert not run.serving.exists()


def test_a_candidate_that_changes_while_it_is_copied(run, monkeypatch):
    copy = shutil.copyfile

    def tamper(source, target):
        if source.name == "saved_model.pb":
            push_helpers.grow(source)
        return copy(source, target)

    export.push_model(run, version=1)
    before = push_helpers.list_tree(run.serving)
    monkeypatch.setattr(pushing.shutil, "copyfile", tamper)
    with pytest.raises(InputError, match=r"expected files that stay as they are, some have changed$"):
        export.push_model(run)
    assert push_helpers.list_tree(run.serving) == before


def test_the_same_candidate_again_is_live_already(run, quick):
    first = export.push_model(run)
    again = export.push_model(run)
    assert (first.added, again.added) == (True, False)
    assert (again.path, again.candidate) == (first.path, 2)
    assert push_helpers.digests(run) == {1: 2}
    # What was damaged meanwhile is not what was pushed.
    push_helpers.truncate(first.path / "saved_model.pb")
    assert export.push_model(run).version == 2


def test_three_push_the_same_at_once(run, quick):
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        pushed = list(pool.map(export.push_model, [run] * 3))
    assert sorted(one.added for one in pushed) == [False, False, True]
    assert push_helpers.digests(run) == {1: 2}


def test_a_push_that_was_cut_off_before_the_server_was_told(run, monkeypatch, quick):
    export.push_model(run, version=1)
    export.write_serving_config(run.serving)

    def cut_off(base, name):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pushing.labels, "follow", cut_off)
        with pytest.raises(KeyboardInterrupt):
            export.push_model(run)
    assert push_helpers.read_policy(run) == [1]
    assert export.push_model(run).added is False
    assert push_helpers.read_policy(run) == [1, 2]


def test_a_server_that_cannot_be_told_gets_no_version(run, monkeypatch, quick):
    export.push_model(run, version=1)
    export.write_serving_config(run.serving)
    before = push_helpers.list_tree(run.serving)

    def refuse(path, text):
        if path.name == "models.config":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(labels.files, "write_text", refuse)
    with pytest.raises(InputError, match=r"to write to \(No space left on device\)$"):
        export.push_model(run)
    assert push_helpers.list_tree(run.serving) == before
    (run.serving / "models.config").write_text("}")
    with pytest.raises(InputError, match="expected what `dcgan serving-config` writes"):
        export.push_model(run)
    assert list(push_helpers.digests(run)) == [1]


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


def test_a_place_that_cannot_be_written_to(run, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file: expected a directory .*\(File exists\)$"):
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
