import pytest

from dcgan.detector import precision
from dcgan.detector.settings import DetectorConfig
from dcgan.errors import InputError


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu amx_bf16 amx_tile", "mixed_bfloat16"), ("fpu avx512_bf16", "float32"), ("", "float32")],
)
def test_fastest_is_what_the_processor_multiplies_in(flags, expected, tmp_path, monkeypatch):
    processors = tmp_path / "cpuinfo"
    processors.write_text(f"processor : 0\nflags : {flags}\n")
    monkeypatch.setattr(precision, "_PROCESSORS", processors)
    assert precision.fastest() == expected


def test_a_machine_that_does_not_say_trains_in_float32(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "_PROCESSORS", tmp_path / "missing")
    assert precision.fastest() == "float32"


def test_other_precisions_are_refused():
    with pytest.raises(InputError, match="precision: expected one of float32, mixed_bfloat16"):
        DetectorConfig(precision="mixed_float16")
