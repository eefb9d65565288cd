"""A SavedModel's answers in a process of its own, which has neither Keras nor this project.

`answer` starts the process; this file is also what runs in it, so it imports nothing of the project.
"""

import os
import pathlib
import pickle
import subprocess
import sys
import tempfile
import types
from collections.abc import Sequence
from typing import Any, cast

_SECONDS = 600
_LAST = 300
_FORBIDDEN = ("keras", "dcgan", "export")

Answer = dict[str, Any] | str
"""Arrays by the outputs' names, or why there are none."""


class FreshProcessError(RuntimeError):
    """The process ended without answers; the message is one line."""


def answer(model: pathlib.Path, requests: Sequence[tuple[str, dict[str, Any]]]) -> list[Answer]:
    """Loads a SavedModel in a new process, without an accelerator, and calls it.

    Args:
        model: The SavedModel's directory.
        requests: Signatures and their inputs, arrays by name.

    Returns:
        The outputs of each request, or its error as one line.

    Raises:
        FreshProcessError: If the model cannot be loaded or ends the process.
    """
    with tempfile.TemporaryDirectory() as place:
        asked, answered = pathlib.Path(place, "requests"), pathlib.Path(place, "answers")
        asked.write_bytes(pickle.dumps(list(requests)))
        # -P: other modules must not import the files beside this one.
        command = [sys.executable, "-P", __file__, str(model), str(asked), str(answered)]
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "2"}
        try:
            ended = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise FreshProcessError(f"no answer within {_SECONDS} s") from None
        if not answered.is_file():
            raise FreshProcessError(_one_line(ended.stderr) or f"it ended with {ended.returncode}")
        return pickle.loads(answered.read_bytes())


def _main(model: str, asked: str, answered: str) -> None:
    # TensorFlow imports Keras if it can, but a server has none.
    sys.modules.update(dict.fromkeys(_FORBIDDEN, cast("types.ModuleType", None)))
    import tensorflow as tf

    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        signatures = tf.compat.v1.saved_model.load(session, ["serve"], model).signature_def
        requests = pickle.loads(pathlib.Path(asked).read_bytes())
        answers = [_call(session, signatures, name, inputs) for name, inputs in requests]
    pathlib.Path(answered).write_bytes(pickle.dumps(answers))


def _call(session: Any, signatures: Any, name: str, inputs: dict[str, Any]) -> Answer:
    try:
        signature = signatures[name]
        outputs = {key: tensor.name for key, tensor in signature.outputs.items()}
        feeds = {signature.inputs[key].name: value for key, value in inputs.items()}
        return session.run(outputs, feeds)
    except Exception as error:  # Whatever a signature does wrong is an answer, too.
        return _one_line(str(error)) or type(error).__name__


def _one_line(text: str) -> str:
    """Returns the last line that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][-_LAST:] if lines else ""


if __name__ == "__main__":
    _main(*sys.argv[1:])
