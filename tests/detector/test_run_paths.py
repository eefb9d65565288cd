"""What works on a run takes its path."""

import os
import typing

import pytest

from dcgan import InputError, detector

CALLS = {
    "fit_run": (),
    "evaluate_run": (None,),
    "recalibrate_run": ("mnist",),
    "load_fitted": (),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_path_without_a_run(name, tmp_path):
    function = getattr(detector, name)
    with pytest.raises(InputError, match=r"none: expected a run's directory"):
        function(str(tmp_path / "none"), *CALLS[name])
    assert typing.get_type_hints(function)["run"] == str | os.PathLike[str]
