"""SavedModel directories: written, and identified by what they hold."""

import collections
import hashlib
import json
import pathlib
from typing import Any

import tensorflow as tf
from google.protobuf import message
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2

from dcgan.errors import InputError
from export.graph.signatures import Servable

CLASSIFY = "classify"
_CLASSIFY_METHOD = "tensorflow/serving/classify"
_GRAPH = "saved_model.pb"
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def write(servable: Servable, path: pathlib.Path) -> None:
    """Writes a SavedModel.

    Args:
        servable: What it is made of.
        path: The directory.
    """
    tf.saved_model.save(servable.as_module(), str(path), signatures=dict(servable.signatures))
    saved = read(path)
    graph = saved.meta_graphs[0]
    if CLASSIFY in graph.signature_def:
        # A server may check it, and `save` names every method predict.
        graph.signature_def[CLASSIFY].method_name = _CLASSIFY_METHOD
    for function in graph.graph_def.library.function:
        _shorten(function)
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
        By name, `method`, `inputs` and `outputs`, the latter two by name with `dtype` and `shape`,
        in which None is a length that is free.
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


def _shorten(function: Any) -> None:
    """Leaves out of a `FunctionDef` what a third of it is: scopes, shapes, the weights' names."""
    names = {argument.name: argument.name for argument in function.signature.input_arg}
    counts: collections.Counter[str] = collections.Counter(names.keys())
    for node in function.node_def:
        stem = node.name.rpartition("/")[2].lstrip("_") or node.op
        counts[stem] += 1
        names[node.name] = stem if counts[stem] == 1 else f"{stem}/{counts[stem]}"

    def rename(tensor: str) -> str:
        name, colon, output = tensor.removeprefix("^").partition(":")
        return "^" * tensor.startswith("^") + names[name] + colon + output

    for node in function.node_def:
        node.name = names[node.name]
        node.input[:] = [rename(tensor) for tensor in node.input]
        node.attr.pop("_output_shapes", None)
    for outputs in (function.ret, function.control_ret):
        for key, tensor in dict(outputs).items():
            outputs[key] = rename(tensor)
    for index, argument in enumerate(function.signature.input_arg):
        if argument.type == types_pb2.DT_RESOURCE:
            function.arg_attr[index].attr.pop("_user_specified_name", None)


def _describe_tensors(tensors: Any) -> dict[str, Any]:
    return {
        name: {
            "dtype": tf.dtypes.as_dtype(tensors[name].dtype).name,
            "shape": tf.TensorShape(tensors[name].tensor_shape).as_list(),
        }
        for name in sorted(tensors)
    }
