import errno
import json
import os
import resource
import shutil

import pytest

import export
import push_helpers
from dcgan.errors import InputError
from export.publishing import integrity, labels, pushing
from export.publishing.blessing import Candidate


def link(path):
    elsewhere = path.parents[3] / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


BREAKS = {
    "empty": lambda version: [shutil.rmtree(version), version.mkdir()],
    "no graph": lambda version: (version / "saved_model.pb").unlink(),
    "empty graph": lambda version: (version / "saved_model.pb").write_bytes(b""),
    "short weights": lambda version: push_helpers.truncate(next(version.glob("variables/*.data*"))),
    "no weights": lambda version: shutil.rmtree(version / "variables"),
    "linked weights": lambda version: link(version / "variables"),
    "other card": lambda version: push_helpers.grow(version / "assets.extra" / "model_card.json"),
}


@pytest.mark.slow
@pytest.mark.parametrize("is_foreign", [False, True])
@pytest.mark.parametrize("kind", BREAKS)
def test_no_rollback_to_what_is_broken(live, kind, is_foreign):
    version = live.serving / "detector" / "1"
    if is_foreign:
        (version / "assets.extra" / "pushed.json").unlink()
    BREAKS[kind](version)
    before = push_helpers.list_tree(live.serving)
    for number in (None, 1):
        if kind == "other card" and is_foreign:  # It loads, and nobody knows what it was.
            continue
        with pytest.raises(InputError, match=rf"^{version}") as caught:
            export.roll_back(live, version=number)
        assert "\n" not in str(caught.value)
        assert push_helpers.list_tree(live.serving) == before


@pytest.mark.parametrize("content", ["", "[]", "{", "\\udcff"])
def test_no_rollback_to_a_version_whose_record_is_damaged(live, quick, content):
    """Else its files may be any model's, and would go live unseen."""
    version = live.serving / "detector" / "1"
    BREAKS["other card"](version)
    (version / "assets.extra" / "pushed.json").write_text(content)
    before = push_helpers.list_tree(live.serving)
    with pytest.raises(InputError, match="detector/1: expected the files that were pushed, some have"):
        export.roll_back(live)
    assert push_helpers.list_tree(live.serving) == before


def test_a_number_with_zeros_before_it_comes_back_whole(run, quick):
    export.push_model(run, version=1)
    first = run.serving / "detector" / "1"
    first.rename(first.with_name("00000001"))
    export.push_model(run, version=2)
    back = export.roll_back(run)
    assert (back.version, back.original) == (3, 1)
    assert integrity.digest(back.path) == integrity.digest(first.with_name("00000001"))


def test_a_version_that_cannot_be_read(live, monkeypatch):
    before, scan = push_helpers.list_tree(live.serving), os.scandir

    def refuse(path):
        if str(path).endswith("detector/1"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scan(path)

    monkeypatch.setattr(integrity.os, "scandir", refuse)
    expected = r"detector/1: expected files that can be read \(Permission denied\)$"
    with pytest.raises(InputError, match=expected):
        export.roll_back(live, version=1)
    monkeypatch.undo()
    assert push_helpers.list_tree(live.serving) == before


def copy_candidate(run, number, **card):
    """Makes candidate 3 of another one; its card differs."""
    copied = run.candidates / "detector" / "3"
    shutil.copytree(copied.with_name(str(number)), copied)
    path = copied / "Format-Serving" / "assets.extra" / "model_card.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | card))
    push_helpers.bless(Candidate(copied))


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


def test_labelled_versions_stay_and_stay_loaded(run, quick):
    export.push_model(run, version=1)
    export.write_serving_config(run.serving)
    assert labels.read(run.serving) == {"detector": {"stable": 1, "canary": 1}}
    for version, candidate, kept in ((2, 2, [1, 2]), (3, 1, [1, 2, 3]), (4, 2, [1, 3, 4])):
        export.push_model(run, version=candidate, keep=1)
        assert labels.read(run.serving) == {"detector": {"stable": 1, "canary": 1}}
        assert push_helpers.read_policy(run) == [1, version]
        # What the server was told to load until now stays, too: it looks at its file now and then.
        assert list(push_helpers.digests(run)) == kept
    assert export.roll_back(run, keep=1).version == 5
    assert push_helpers.read_policy(run) == [1, 5]


def test_a_number_is_never_used_twice(live):
    shutil.rmtree(live.serving / "detector")
    assert export.push_model(live).version == 3


def test_an_older_version_comes_back_under_a_new_number(live):
    back = export.roll_back(live)
    assert (back.version, back.original, back.candidate) == (3, 1, 1)
    assert push_helpers.digests(live) == {1: 1, 2: 2, 3: 1}
    # Not to version 2, from which it was gone back.
    with pytest.raises(InputError, match=r"expected another model in a version before 1 to go back to$"):
        export.roll_back(live)
    export.push_model(live, version=2)
    assert export.roll_back(live).original == 1
    assert push_helpers.digests(live) == {1: 1, 2: 2, 3: 1, 4: 2, 5: 1}


def test_a_certain_version_comes_back(run, tmp_path, quick):
    for candidate in (1, 2, 1):
        export.push_model(run, tmp_path, version=candidate)
    back = export.roll_back(None, tmp_path, version=2, keep=2)
    assert (back.version, back.original, back.candidate) == (4, 2, 2)
    assert push_helpers.digests(run, tmp_path) == {3: 1, 4: 2}
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
