"""Publishes versions in child processes that are killed, or that race each other.

`killed DIR`: each child kills itself before its first, second, ... operation on files, until one
comes through; prints how many were killed, and fails where a version is not whole.
`race DIR`: eight children publish ten versions each at the same time.
"""

import os
import pathlib
import signal
import sys

from export.publishing import versions

_FILES = {"a.txt": "first", "deep/b.txt": "second" * 1000}
_OPERATIONS = ("open", "os.", "shutil.", "fcntl.")
_CHILDREN, _EACH = 8, 10


def write(directory):
    for name, text in _FILES.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text)


def kill_before(operation):
    """Ends the process, as nothing can hold off, before a certain operation on files."""
    left = operation

    def hook(event, _):
        nonlocal left
        if event.startswith(_OPERATIONS):
            left -= 1
            if left == -1:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def check(model):
    for number, path in versions.find(model).items():
        for name, text in _FILES.items():
            assert (path / name).read_text() == text, (number, name)


def in_child(function):
    child = os.fork()
    if not child:
        function()
        os._exit(0)
    return child


def killed(model):
    for version in range(1, 5):
        versions.publish(model, write, keep=4)
        assert max(versions.find(model)) == version
    operation, newest = 0, 4
    while True:

        def publish(operation=operation):
            kill_before(operation)
            versions.publish(model, write, keep=4)

        _, status = os.waitpid(in_child(publish), 0)
        check(model)
        numbers = list(versions.find(model))
        # A number that a killed process was about to use stays unused.
        assert numbers[-1] >= newest
        assert len(numbers) >= 4
        newest = numbers[-1]
        if status == 0:
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        operation += 1
    assert sorted(path.name for path in model.iterdir()) == sorted(map(str, numbers[-4:]))
    left = {path.name for path in model.parent.iterdir()}
    assert left == {model.name, f".{model.name}.highest", ".publishing.lock"}, left
    print(operation)


def race(model):
    def publish():
        for _ in range(_EACH):
            versions.publish(model, write, keep=1000)

    children = [in_child(publish) for _ in range(_CHILDREN)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * _CHILDREN
    check(model)
    assert list(versions.find(model)) == list(range(1, _CHILDREN * _EACH + 1))
    assert len(list(model.iterdir())) == _CHILDREN * _EACH


if __name__ == "__main__":
    {"killed": killed, "race": race}[sys.argv[1]](pathlib.Path(sys.argv[2]))
