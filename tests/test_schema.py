import pathlib
import runpy

import pytest

from dcgan import schema
from dcgan.errors import InputError
from dcgan.schema import above, any_of, at_least, between, field, multiple_of, one_of

NAN, INFINITE = float("nan"), float("inf")


class Inner(schema.Config):
    """A part."""

    rate: float = field("How fast.", above(0, below=1), default=0.5)


class Outer(schema.Config):
    """A whole."""

    inner: Inner = field("The part.", default=Inner())
    count: int | None = field("How many.", at_least(1), default=None, option="max_count")
    name: str = field("What it is called.", default="x")


@pytest.mark.parametrize(
    ("rule", "text", "allowed", "refused"),
    [
        (at_least(1), "at least 1", [1, 9], [0, NAN, INFINITE]),
        (at_least(0, below=1), "0 to below 1", [0, 0.9], [-0.1, 1, NAN]),
        (above(0), "above 0", [1e-9, 9], [0, NAN, INFINITE]),
        (above(0, below=1), "above 0 and below 1", [0.1], [0, 1, NAN]),
        (between(0, 0.95), "0 to 0.95", [0, 0.95], [-0.1, 1, NAN]),
        (multiple_of(4, between(28, 128)), "a multiple of 4, 28 to 128", [28, 128], [24, 30, 132]),
        (one_of(1, 3), "one of 1, 3", [1, 3], [0, 2]),
        (any_of("a", "b"), "any of a, b, joined by commas", ["", "a", "b, a"], ["c", "a,c"]),
    ],
)
def test_rules(rule, text, allowed, refused):
    assert rule.text == text
    assert all(rule.allows(value) for value in allowed)
    assert not any(rule.allows(value) for value in refused)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": 0}, "max_count: expected at least 1. Received: 0"),
        ({"count": True}, "max_count: expected a whole number. Received: True"),
        ({"count": 1.0}, "max_count: expected a whole number. Received: 1.0"),
        ({"name": None}, "name: expected a string. Received: None"),
        ({"inner": 3}, "inner: expected an object of values. Received: 3"),
        ({"inner": {"rate": 2}}, "rate: expected above 0 and below 1. Received: 2.0"),
        ({"inner": {"rat": 2}}, "rat: expected one of rate"),
        ({"size": 3}, "size: expected one of inner, count, name"),
    ],
)
def test_what_is_refused(values, message):
    with pytest.raises(InputError) as caught:
        Outer.from_dict(values)
    assert str(caught.value) == message


def test_the_docstring_lists_the_fields():
    assert "max_count" not in Outer.__doc__
    assert "    count: How many. At least 1. Defaults to None.\n" in Outer.__doc__
    assert "    inner: The part.\n" in Outer.__doc__


def test_an_example_stays_at_the_docstrings_end():
    class Shown(schema.Config):
        """What is shown.

        Example:
            >>> Shown(count=1).count
            1
        """

        count: int = schema.field("How many.", default=0)

    text, example = Shown.__doc__.split("\n\nExample:\n")
    assert text.startswith("What is shown.\n\nArgs:\n    count: How many.")
    assert example == "    >>> Shown(count=1).count\n    1\n"


def test_help_tells_the_values():
    assert schema.describe(Inner, "rate") == "How fast. Above 0 and below 1."
    assert schema.describe(Outer, "name") == "What it is called."


def test_the_page_of_all_values_is_up_to_date():
    """After a change of a config: python docs/configuration.py."""
    script = runpy.run_path(str(pathlib.Path(__file__).parents[1] / "docs" / "configuration.py"))
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"]()
