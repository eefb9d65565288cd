"""Docstrings cite no figures that were measured: no test would notice them change."""

import ast
import re

import documents

# What was measured, such as "took 2.5 s".
MEASURED = re.compile(
    r"\b(?:was|were|took|takes?|reach(?:ed|es)|scored|costs?|up to)\b[^.;:]{0,50}?"
    r"\d(?:\.\d+|[\d,.]* (?:%|s\b|ms\b|seconds|minutes|hours|[MG]B\b|times))"
)


def _docstrings():
    for room in ("dcgan", "export", "tuning"):
        for path in sorted((documents.ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    text = " ".join((ast.get_docstring(node) or "").split())
                    yield f"{path.relative_to(documents.ROOT)}:{getattr(node, 'name', '')}", text


def test_docstrings_cite_no_results():
    cited = {where: found[0] for where, text in _docstrings() if (found := MEASURED.search(text))}
    assert cited == {}


def test_what_docstrings_are_searched_for():
    assert MEASURED.search("In healthy runs, the variety was 0.65 to 0.73.")
    assert MEASURED.search("An iterator takes 5 seconds to end.")
    assert not MEASURED.search("The last 10 % of them are the test split; 0.5 is chance.")
