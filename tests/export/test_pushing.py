import concurrent.futures
import errno
import json
import os
import pathlib
import re
import resource
import shutil

import pytest

import export
from dcgan.config import RunConfig
from dcgan.errors import InputError
from dcgan.runs.run_directory import RunDirectory
from export.graph import saved_model
from export.publishing import integrity, labels, pushing
from export.publishing.blessing import Candidate


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


def bless(exported, *, blessed=True, infra_blessed=True, **report):
    found = {"blessed": blessed, "infra_blessed": infra_blessed, "reasons": []}
    exported.bless(found | {"files": integrity.digest(exported.path)} | report)


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
    files = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    copied = {path.relative_to(pushed.path) for path in pushed.path.rglob("*") if path.is_file()}
    assert copied - files == {pathlib.Path("assets.extra/pushed.json")}
    assert files <= copied
    for path in files:
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
    bless(candidate, blessed=blessed, infra_blessed=infra_blessed, reasons=reasons)
    with pytest.raises(InputError) as caught:
        export.push_model(run)
    assert str(caught.value) == f"{candidate.directory}: {marks}, not pushed: {'; '.join(reasons)}"
    assert not run.serving.exists()
    assert export.push_model(run, version=1).candidate == 1


def grow(path):
    path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize(
    "change",
    [
        lambda model: (model / "saved_model.pb").write_bytes(b"another"),
        lambda model: grow(model / "assets.extra" / "tf_serving_warmup_requests"),
        lambda model: grow(model / "assets.extra" / "model_card.json"),
        lambda model: grow(model / "variables" / "variables.index"),
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
    bless(candidate, blessed=False, reasons=["too bad"])
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
            grow(source)
        return copy(source, target)

    export.push_model(run, version=1)
    before = list_tree(run.serving)
    monkeypatch.setattr(pushing.shutil, "copyfile", tamper)
    with pytest.raises(InputError, match=r"expected files that stay as they are, some have changed$"):
        export.push_model(run)
    assert list_tree(run.serving) == before


def list_tree(directory):
    """All paths in a directory, with the contents of files, but for the publisher's own notes."""
    return {
        path.relative_to(directory): path.read_bytes() if path.is_file() else None
        for path in directory.rglob("*")
        if not path.name.startswith(".")
    }


def truncate(path):
    path.write_bytes(path.read_bytes()[:100])


def link(path):
    elsewhere = path.parents[3] / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


BREAKS = {
    "empty": lambda version: [shutil.rmtree(version), version.mkdir()],
    "no graph": lambda version: (version / "saved_model.pb").unlink(),
    "empty graph": lambda version: (version / "saved_model.pb").write_bytes(b""),
    "short weights": lambda version: truncate(next(version.glob("variables/*.data*"))),
    "no weights": lambda version: shutil.rmtree(version / "variables"),
    "linked weights": lambda version: link(version / "variables"),
    "other card": lambda version: grow(version / "assets.extra" / "model_card.json"),
}


@pytest.mark.parametrize("is_foreign", [False, True])
@pytest.mark.parametrize("kind", BREAKS)
def test_no_rollback_to_what_is_broken(live, kind, is_foreign):
    version = live.serving / "detector" / "1"
    if is_foreign:
        (version / "assets.extra" / "pushed.json").unlink()
    BREAKS[kind](version)
    before = list_tree(live.serving)
    for number in (None, 1):
        if kind == "other card" and is_foreign:  # It loads, and nobody knows what it was.
            continue
        with pytest.raises(InputError, match=rf"^{version}") as caught:
            export.roll_back(live, version=number)
        assert "\n" not in str(caught.value)
        assert list_tree(live.serving) == before


@pytest.mark.parametrize("content", ["", "[]", "{", "\\udcff"])
def test_no_rollback_to_a_version_whose_record_is_damaged(live, quick, content):
    """Else its files may be any model's, and would go live unseen."""
    version = live.serving / "detector" / "1"
    BREAKS["other card"](version)
    (version / "assets.extra" / "pushed.json").write_text(content)
    before = list_tree(live.serving)
    with pytest.raises(InputError, match="detector/1: expected the files that were pushed, some have"):
        export.roll_back(live)
    assert list_tree(live.serving) == before


def test_a_number_with_zeros_before_it_comes_back_whole(run, quick):
    export.push_model(run, version=1)
    first = run.serving / "detector" / "1"
    first.rename(first.with_name("00000001"))
    export.push_model(run, version=2)
    back = export.roll_back(run)
    assert (back.version, back.original) == (3, 1)
    assert integrity.digest(back.path) == integrity.digest(first.with_name("00000001"))


def test_a_version_that_cannot_be_read(live, monkeypatch):
    before, scan = list_tree(live.serving), os.scandir

    def refuse(path):
        if str(path).endswith("detector/1"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scan(path)

    monkeypatch.setattr(integrity.os, "scandir", refuse)
    expected = r"detector/1: expected files that can be read \(Permission denied\)$"
    with pytest.raises(InputError, match=expected):
        export.roll_back(live, version=1)
    monkeypatch.undo()
    assert list_tree(live.serving) == before


def test_the_same_candidate_again_is_live_already(run, quick):
    first = export.push_model(run)
    again = export.push_model(run)
    assert (first.added, again.added) == (True, False)
    assert (again.path, again.candidate) == (first.path, 2)
    assert digests(run) == {1: 2}
    # What was damaged meanwhile is not what was pushed.
    truncate(first.path / "saved_model.pb")
    assert export.push_model(run).version == 2


def test_three_push_the_same_at_once(run, quick):
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        pushed = list(pool.map(export.push_model, [run] * 3))
    assert sorted(one.added for one in pushed) == [False, False, True]
    assert digests(run) == {1: 2}


def copy_candidate(run, number, **card):
    """Makes candidate 3 of another one; its card differs."""
    copied = run.candidates / "detector" / "3"
    shutil.copytree(copied.with_name(str(number)), copied)
    path = copied / "Format-Serving" / "assets.extra" / "model_card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | card))
    bless(Candidate(copied))


def test_a_rollback_leads_to_another_model(run, quick):
    copy_candidate(run, 2, created="later")
    for candidate in (1, 2, 3):
        export.push_model(run, version=candidate)
    assert export.roll_back(run).original == 1
    assert export.roll_back(run, version=1).added is False
    with pytest.raises(InputError, match=r"expected another model in a version before 1 to go back to$"):
        export.roll_back(run)
    assert export.roll_back(run, version=2).original == 2


def test_the_same_weights_with_another_limit_are_another_model(run, quick):
    copy_candidate(run, 2, max_pixels=77)
    for candidate in (1, 2, 3):
        export.push_model(run, version=candidate)
    assert export.roll_back(run).original == 2


def read_policy(run):
    text = (run.serving / "models.config").read_text()
    return sorted(map(int, re.findall(r"versions: (\d+)", text)))


def test_labelled_versions_stay_and_stay_loaded(run, quick):
    export.push_model(run, version=1)
    export.write_serving_config(run.serving)
    assert labels.read(run.serving) == {"detector": {"stable": 1, "canary": 1}}
    for version, candidate, kept in ((2, 2, [1, 2]), (3, 1, [1, 2, 3]), (4, 2, [1, 3, 4])):
        export.push_model(run, version=candidate, keep=1)
        assert labels.read(run.serving) == {"detector": {"stable": 1, "canary": 1}}
        assert read_policy(run) == [1, version]
        # What the server was told to load until now stays, too: it looks at its file now and then.
        assert list(digests(run)) == kept
    assert export.roll_back(run, keep=1).version == 5
    assert read_policy(run) == [1, 5]


def test_a_push_that_was_cut_off_before_the_server_was_told(run, monkeypatch, quick):
    export.push_model(run, version=1)
    export.write_serving_config(run.serving)

    def cut_off(base, name):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pushing.labels, "follow", cut_off)
        with pytest.raises(KeyboardInterrupt):
            export.push_model(run)
    assert read_policy(run) == [1]
    assert export.push_model(run).added is False
    assert read_policy(run) == [1, 2]


def test_a_server_that_cannot_be_told_gets_no_version(run, monkeypatch, quick):
    export.push_model(run, version=1)
    export.write_serving_config(run.serving)
    before = list_tree(run.serving)

    def refuse(path, text):
        if path.name == "models.config":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(labels.files, "write_text", refuse)
    with pytest.raises(InputError, match=r"to write to \(No space left on device\)$"):
        export.push_model(run)
    assert list_tree(run.serving) == before
    (run.serving / "models.config").write_text("}")
    with pytest.raises(InputError, match="expected what `dcgan serving-config` writes"):
        export.push_model(run)
    assert list(digests(run)) == [1]


def test_a_number_is_never_used_twice(live):
    shutil.rmtree(live.serving / "detector")
    assert export.push_model(live).version == 3


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


def test_an_older_version_comes_back_under_a_new_number(live):
    back = export.roll_back(live)
    assert (back.version, back.original, back.candidate) == (3, 1, 1)
    assert digests(live) == {1: 1, 2: 2, 3: 1}
    # Not to version 2, from which it was gone back.
    with pytest.raises(InputError, match=r"expected another model in a version before 1 to go back to$"):
        export.roll_back(live)
    export.push_model(live, version=2)
    assert export.roll_back(live).original == 1
    assert digests(live) == {1: 1, 2: 2, 3: 1, 4: 2, 5: 1}


def test_a_certain_version_comes_back(run, tmp_path, quick):
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


def test_a_full_disk_leaves_nothing_half(live):
    graphs = live.serving.glob("detector/*/saved_model.pb")
    limit = min(path.stat().st_size for path in graphs) - 1
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for publish in (lambda live: export.push_model(live, version=1), export.roll_back):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
        try:
            with pytest.raises(InputError) as caught:
                publish(live)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert str(caught.value).endswith(f"to write to ({os.strerror(errno.EFBIG)})")
    assert sorted(path.name for path in (live.serving / "detector").iterdir()) == ["1", "2"]


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
