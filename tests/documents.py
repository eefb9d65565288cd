"""Runs the code blocks of a document, as a reader would who follows it from top to bottom.

Every `python` and `sh` block runs, unless the line before it says `<!-- not run: why -->`. With
`<!-- file: NAME -->` before it, a block of any language is written to a file instead. Python blocks
share one namespace. In shell blocks, lines that start with `dcgan` run in this process, others in bash.
"""

import dataclasses
import pathlib
import re
import shlex
import subprocess

ROOT = pathlib.Path(__file__).parents[1]
GUIDES = sorted((ROOT / "docs" / "guides").glob("[a-z]*.md"))
_BLOCK = re.compile(
    r"^(?:<!-- (?P<note>not run|file): (?P<what>[^\n]+) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    language: str
    text: str
    note: str | None
    what: str | None
    line: int


def blocks(page):
    """Returns a document's blocks in their order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            *(found["language"], found["text"], found["note"], found["what"]),
            line=text.count("\n", 0, found.start("text")),
        )
        for found in _BLOCK.finditer(text)
    ]


class Reader:
    """Follows documents in the working directory.

    Args:
        run_cli: Runs a `dcgan` command, see the fixture of that name.
        replaced: Texts to replace in blocks, such as a server's address.
    """

    def __init__(self, run_cli, replaced=None):
        self.run_cli, self.replaced, self.output = run_cli, replaced or {}, ""
        self.names = {"__name__": "guide"}

    def follow(self, page, until=None):
        """Runs a document's blocks, or those before the first one that contains a text.

        Returns the blocks that are left.
        """
        left = blocks(page)
        while left and not (until and until in left[0].text):
            self.run(page, left.pop(0))
        return left

    def run(self, page, block):
        text = block.text
        for old, new in self.replaced.items():
            text = text.replace(old, new)
        if block.note == "file":
            pathlib.Path(block.what).write_text(text, encoding="utf-8")
        elif block.note is None and block.language == "python":
            # With the document's own lines in a traceback.
            code = compile("\n" * block.line + text, page, "exec")
            exec(code, self.names)
        elif block.note is None and block.language == "sh":
            for command in commands(text):
                self._command(command, f"{page.name}:{block.line}")

    def _command(self, command, where):
        if not command.startswith("dcgan "):
            done = subprocess.run(["bash", "-ec", command], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, f"{where}: {command}\n{done.stdout}{done.stderr}"
            self.output += done.stdout + "\n"
            return
        command, _, file = command.partition(" > ")
        code, output, errors = self.run_cli(*shlex.split(command, comments=True)[1:])
        assert code == 0, f"{where}: {command}\n{output}{errors}"
        if file:
            pathlib.Path(file.strip()).write_text(output, encoding="utf-8")
        self.output += output


def commands(text):
    """Splits a shell block into its commands; a line that ends with a backslash goes on."""
    lines = text.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]
