"""SavedModel directories: written, described, and identified by what they hold."""

import hashlib
import json
import pathlib
from typing import Any

import tensorflow as tf
from google.protobuf import message
from tensorflow.core.protobuf import saved_model_pb2

from dcgan.errors import InputError
from export.graph.signatures import Servable

_CLASSIFY = "classify"
_CLASSIFY_METHOD = "tensorflow/serving/classify"
_GRAPH = "saved_model.pb"
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def write(servable: Servable, path: pathlib.Path) -> None:
    """Writes a SavedModel.

    Args:
        servable: The weights and signatures.
        path: The directory.
    """
    module = tf.Module()  # It holds the weights, once, and nothing of Keras.
    module.weights = servable.weights
    tf.saved_model.save(module, str(path), signatures=dict(servable.signatures))
    saved = read(path)
    signatures = saved.meta_graphs[0].signature_def
    if _CLASSIFY in signatures:
        # A server may check the method, and `save` calls every method predict.
        signatures[_CLASSIFY].method_name = _CLASSIFY_METHOD
        (path / _GRAPH).write_bytes(saved.SerializeToString())


def digest(path: pathlib.Path) -> str:
    """Identifies a SavedModel by its weights and signatures.

    Two exports of the same model have the same digest, though not the same bytes.

    Args:
        path: The directory.

    Returns:
        "sha256:" and 64 hexadecimal digits.

    Raises:
        InputError: If there is no SavedModel or it is damaged.
    """
    try:
        sha = hashlib.sha256(json.dumps(describe(path), sort_keys=True).encode())
        reader = tf.train.load_checkpoint(str(path / "variables" / "variables"))
        for name, shape in sorted(reader.get_variable_to_shape_map().items()):
            if name != _OBJECT_GRAPH:
                value = reader.get_tensor(name)
                sha.update(f"{name} {value.dtype} {shape}\n".encode() + value.tobytes())
    except (OSError, tf.errors.OpError, IndexError, message.DecodeError) as error:
        raise InputError(f"{path}: expected a SavedModel ({error})") from None
    return f"sha256:{sha.hexdigest()}"


def describe(path: pathlib.Path) -> dict[str, Any]:
    """Returns a SavedModel's signatures as JSON values.

    Args:
        path: The directory.

    Returns:
        `method`, `inputs` and `outputs` of each signature; the latter two hold `dtype` and `shape` by
        name, where None is a free length.
    """
    found = read(path).meta_graphs[0].signature_def
    return {
        name: {
            "method": found[name].method_name,
            "inputs": _describe_tensors(found[name].inputs),
            "outputs": _describe_tensors(found[name].outputs),
        }
        for name in sorted(found)
        if not name.startswith("__")
    }


def read(path: pathlib.Path) -> Any:
    """Returns the `SavedModel` message of a directory."""
    return saved_model_pb2.SavedModel.FromString((path / _GRAPH).read_bytes())


def _describe_tensors(tensors: Any) -> dict[str, Any]:
    return {
        name: {
            "dtype": tf.dtypes.as_dtype(tensors[name].dtype).name,
            "shape": tf.TensorShape(tensors[name].tensor_shape).as_list(),
        }
        for name in sorted(tensors)
    }
