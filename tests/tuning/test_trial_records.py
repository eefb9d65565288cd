import csv
import io

import pytest

from dcgan.errors import InputError
from tuning import TrialRecord, trial_records


def record(trial, score, **fields):
    return TrialRecord(**{"trial": trial, "status": "done", "score": score, **fields})


def test_a_record_reads_back(tmp_path):
    saved = record("0001", 1 / 3, values={"loss": "hinge"}, curve=[[1, 0.5]], seconds={"train": 2.0})
    saved.save(tmp_path)
    assert trial_records.find(tmp_path, "0001") == saved
    assert trial_records.find(tmp_path, "0002") is None
    assert trial_records.read_all(tmp_path) == [saved]
    assert trial_records.read_all(tmp_path / "none") == []


def test_they_are_read_in_the_order_of_their_ends(tmp_path):
    """Whose clocks of the search may differ where a worker or a chief was started again."""
    for trial, ended, elapsed in (("9", 30.0, 5.0), ("10", 10.0, 15.0), ("02", 20.0, 0.0)):
        record(trial, 1.0, ended=ended, elapsed=elapsed).save(tmp_path)
    assert [found.trial for found in trial_records.read_all(tmp_path)] == ["10", "02", "9"]


def test_a_damaged_record_is_named(tmp_path):
    (tmp_path / "0003.json").write_text('{"trial": "0003"')
    with pytest.raises(InputError, match=r"0003\.json: expected the record of a trial, delete it"):
        trial_records.read_all(tmp_path)


def test_rank_shows_each_configuration_once_and_no_failure():
    ended = [
        record("0", 5.0),
        record("1", 3.0),
        record("2", 4.0, parent="0"),
        record("3", 9.0, status="failed", parent="1"),
        record("4", 0.0, status="failed"),
    ]
    assert [r.trial for r in trial_records.rank(ended, direction="min")] == ["1", "2"]
    assert [r.trial for r in trial_records.rank(ended, direction="max")] == ["2", "1"]


def test_the_table_has_a_column_for_each_value_and_metric():
    ended = [
        record("0", 5.0, values={"loss": "hinge"}, metrics={"val_kid": 0.5}, seconds={"total": 7.5}),
        record("1", 6.0, values={"r1_gamma": 0.1}, status="failed", reason="a, b"),
        record("2", 4.0, metrics={"val_kid": 4.0}, status="error"),
    ]
    rows = list(csv.DictReader(io.StringIO(trial_records.to_csv(ended))))
    assert [row["loss"] for row in rows] == ["hinge", "", ""]
    assert [row["r1_gamma"] for row in rows] == ["", "0.1", ""]
    # A penalty might pass for better than what a finished trial was measured at.
    assert [row["score"] for row in rows] == ["5.0", "", ""]
    assert [row["val_kid"] for row in rows] == ["0.5", "", ""]
    assert (rows[0]["val_kid"], rows[0]["seconds"], rows[1]["reason"]) == ("0.5", "7.5", "a, b")
