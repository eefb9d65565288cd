"""Stands in for TF Serving: its HTTP and gRPC interfaces over SavedModels in this process.

What it answers follows the server's sources (tensorflow/serving: util/json_tensor.cc and
model_servers/http_rest_api_*.cc, http_server.cc): row and column format, b64, how numbers are
written, which code and body an error has, model status.
"""

import base64
import binascii
import concurrent.futures
import contextlib
import http.server
import json
import math
import pathlib
import re
import threading

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

_PREDICT = re.compile(r"(?i)/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?:predict")
_METADATA = re.compile(r"(?i)/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?/metadata")
_STATUS = re.compile(r"(?i)/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?")
_HTTP_CODES = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


class Models:
    """What is served: SavedModels by name and version, labels, and troubles to come.

    `faults` holds what happens to the next requests, one each: None for nothing, a gRPC status code,
    "hang" or, over HTTP, "reset". `requests` lists what was asked, as (version, batch size), of
    requests that came through.
    """

    def __init__(self, directories, *, name="detector", labels=None):
        self.name, self.labels, self.directories = name, labels or {}, directories
        self.loaded = {number: tf.saved_model.load(str(path)) for number, path in directories.items()}
        self.faults, self.attempts, self.requests = [], 0, []
        self.released = threading.Event()

    def next_fault(self):
        self.attempts += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault == "hang":
            self.released.wait(30)
            fault = grpc.StatusCode.DEADLINE_EXCEEDED
        if isinstance(fault, grpc.StatusCode):
            raise RefusalError(fault, "a fault that's wanted")
        return fault

    def find(self, name, version=None, label=None):
        if name != self.name:
            raise RefusalError(
                grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Latest({name})"
            )
        if label:
            if label not in self.labels:
                message = f"Unrecognized servable version label: {label}"
                raise RefusalError(grpc.StatusCode.INVALID_ARGUMENT, message)
            version = self.labels[label]
        if version is None:
            version = max(self.loaded)
        if version not in self.loaded:
            message = f"Servable not found for request: Specific({name}, {version})"
            raise RefusalError(grpc.StatusCode.NOT_FOUND, message)
        return version

    def signature(self, version, name):
        signatures = self.loaded[version].signatures
        if name not in signatures:
            message = f'Serving signature name: "{name}" not found in signature def'
            raise RefusalError(grpc.StatusCode.INVALID_ARGUMENT, message)
        return signatures[name]

    def predict(self, version, name, inputs):
        signature = self.signature(version, name)
        self.requests.append((version, len(next(iter(inputs.values())))))
        return {key: value.numpy() for key, value in signature(**inputs).items()}

    def metadata(self, name, version=None, label=None):
        found = self.find(name, version, label)
        saved = saved_model_pb2.SavedModel()
        saved.ParseFromString(pathlib.Path(self.directories[found], "saved_model.pb").read_bytes())
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for key, signature in saved.meta_graphs[0].signature_def.items():
            signatures.signature_def[key].CopyFrom(signature)
        return found, signatures

    def status(self, name, version=None, label=None):
        found = self.find(name, version, label)
        response = get_model_status_pb2.GetModelStatusResponse()
        for number in sorted(self.loaded, reverse=True):
            if number == found or (version is None and label is None):
                state = response.model_version_status.add()
                state.version, state.state = number, 30
        return response


@contextlib.contextmanager
def over_grpc(models, *, limit=-1):
    """Serves on a free port; yields the address.

    `limit` is the most bytes that a request may have, by default any number.
    """

    def answer(context, function):
        try:
            models.next_fault()
            return function()
        except RefusalError as refusal:
            context.abort(refusal.code, refusal.message)

    def which(spec):
        version = spec.version.value if spec.HasField("version") else None
        return spec.name, version, spec.version_label or None

    class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):  # noqa: N802
            def predict():
                version = models.find(*which(request.model_spec))
                inputs = {name: tf.constant(tf.make_ndarray(t)) for name, t in request.inputs.items()}
                name = request.model_spec.signature_name or "serving_default"
                response = predict_pb2.PredictResponse()
                for key, value in models.predict(version, name, inputs).items():
                    response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
                return response

            return answer(context, predict)

        def GetModelMetadata(self, request, context):  # noqa: N802
            def metadata():
                if list(request.metadata_field) != ["signature_def"]:
                    message = "GetModelMetadataRequest must specify at least one metadata_field"
                    raise RefusalError(grpc.StatusCode.INVALID_ARGUMENT, message)
                version, signatures = models.metadata(*which(request.model_spec))
                response = get_model_metadata_pb2.GetModelMetadataResponse()
                response.model_spec.name, response.model_spec.version.value = models.name, version
                response.metadata["signature_def"].Pack(signatures)
                return response

            return answer(context, metadata)

        def Classify(self, request, context):  # noqa: N802
            return answer(context, lambda: _classify(models, which(request.model_spec), request))

    class Model(model_service_pb2_grpc.ModelServiceServicer):
        def GetModelStatus(self, request, context):  # noqa: N802
            return answer(context, lambda: models.status(*which(request.model_spec)))

    options = [("grpc.max_receive_message_length", limit)]
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2), options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Prediction(), server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Model(), server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    try:
        yield f"grpc://localhost:{port}"
    finally:
        models.released.set()
        server.stop(None).wait()


def _classify(models, which, request):
    examples = [example.SerializeToString() for example in request.input.example_list.examples]
    name = request.model_spec.signature_name
    outputs = models.predict(models.find(*which), name, {"inputs": tf.constant(examples)})
    response = classification_pb2.ClassificationResponse()
    for labels, scores in zip(outputs["classes"], outputs["scores"], strict=True):
        found = response.result.classifications.add()
        for label, score in zip(labels, scores, strict=True):
            found.classes.add(label=label.decode(), score=score)
    return response


@contextlib.contextmanager
def over_http(models, *, limit=math.inf):
    """Serves on a free port; yields the address.

    `limit` is the most bytes that a request may have, by default any number; what enforces it is a
    proxy before the server, which answers with a page.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            self._answer(_PREDICT, _predict)

        def do_GET(self):
            if _METADATA.fullmatch(self.path):
                self._answer(_METADATA, _metadata)
            else:
                self._answer(_STATUS, _status)

        def log_message(self, *_):
            pass

        def _answer(self, pattern, function):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if len(body) > limit:
                self.close_connection = True
                self._send(413, "<html>Request Entity Too Large</html>")
                return
            try:
                if models.next_fault() == "reset":
                    self.close_connection = True
                    return
                match = pattern.fullmatch(self.path)
                if not match:
                    message = f"Malformed request: {self.command} {self.path}"
                    raise RefusalError(grpc.StatusCode.INVALID_ARGUMENT, message)
                name, version, label = match.groups()
                self._send(200, function(models, (name, version and int(version), label), body))
            except RefusalError as refusal:
                self._send(_HTTP_CODES[refusal.code], json.dumps({"error": refusal.message}))

        def _send(self, code, text):
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            with contextlib.suppress(ConnectionError):  # A client that did not wait so long.
                self.end_headers()
                self.wfile.write(text.encode())

    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        models.released.set()
        server.shutdown()
        server.server_close()


def _status(models, which, _):
    return json_format.MessageToJson(models.status(*which), always_print_fields_with_no_presence=True)


def _metadata(models, which, _):
    version, signatures = models.metadata(*which)
    found = json_format.MessageToDict(
        signatures, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    spec = {"name": models.name, "signature_name": "", "version": str(version)}
    return json.dumps({"model_spec": spec, "metadata": {"signature_def": found}})


def _predict(models, which, body):
    request = _parse(body)
    version = models.find(*which)
    name = request.get("signature_name", "serving_default")
    spec = models.signature(version, name).structured_input_signature[1]
    if ("instances" in request) == ("inputs" in request):
        raise _invalid("Missing 'inputs' or 'instances' key")
    by_row = "instances" in request
    given = _from_rows(request["instances"], spec) if by_row else _from_columns(request["inputs"], spec)
    inputs = {key: tf.constant(_to_array(value, spec[key].dtype)) for key, value in given.items()}
    columns = {
        key: _to_json(value, as_bytes=key.endswith("_bytes"))
        for key, value in models.predict(version, name, inputs).items()
    }
    if not by_row:
        return _dump({"outputs": columns if len(columns) > 1 else next(iter(columns.values()))})
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return _dump(
        {"predictions": rows if len(columns) > 1 else [row[key] for row in rows for key in row]}
    )


def _invalid(message):
    return RefusalError(grpc.StatusCode.INVALID_ARGUMENT, message)


def _parse(body):
    try:
        request = json.loads(body)
    except ValueError:
        raise _invalid("JSON Parse error: Invalid value. at offset: 0") from None
    if not isinstance(request, dict):
        raise _invalid("JSON Value: Is not object")
    return request


def _from_rows(instances, spec):
    if not isinstance(instances, list):
        raise _invalid("JSON Value:  Excepting 'instances' to be an list/array")
    if not instances:
        raise _invalid("JSON Value:  No values in 'instances' array")
    if not _is_object(instances[0]):
        instances = [{next(iter(spec)): item} for item in instances]
    if any(set(item) != set(spec) for item in instances):
        raise _invalid(f"Failed to process element: keys must be equal to: {','.join(spec)}")
    return {key: [item[key] for item in instances] for key in spec}


def _from_columns(inputs, spec):
    if not _is_object(inputs):
        return {next(iter(spec)): inputs}
    for key in spec:
        if key not in inputs:
            raise _invalid(f"Missing named input: {key} in 'inputs' object.")
    return {key: inputs[key] for key in spec}


def _is_object(value):
    """Whether it is an object that stands for more than bytes."""
    return isinstance(value, dict) and not _is_b64(value)


def _is_b64(value):
    return isinstance(value, dict) and list(value) == ["b64"] and isinstance(value["b64"], str)


def _to_array(value, dtype):
    def convert(item):
        if isinstance(item, list):
            return [convert(inner) for inner in item]
        if dtype != tf.string:
            return item
        if isinstance(item, str):
            return item.encode()
        if not _is_b64(item):
            raise _invalid(f"JSON Value: {json.dumps(item)} not formatted correctly for base64 data")
        try:
            # The standard alphabet only.
            return base64.b64decode(item["b64"], validate=True)
        except binascii.Error:
            raise _invalid("Unable to base64 decode") from None

    array = np.array(convert(value), object if dtype == tf.string else None)
    return array if dtype == tf.string else array.astype(dtype.as_numpy_dtype)


class _Number(float):
    """A float32 as the server writes it: six digits if they are enough, nine otherwise."""

    def __repr__(self):
        if math.isnan(self):
            return "NaN"
        if math.isinf(self):
            return "-Infinity" if self < 0 else "Infinity"
        text = f"{float(self):.6g}"
        if np.float32(text) != np.float32(self):
            text = f"{float(self):.9g}"
        return text if "." in text or "e" in text else f"{text}.0"


def _to_json(array, *, as_bytes):
    def convert(item):
        if isinstance(item, list):
            return [convert(inner) for inner in item]
        if isinstance(item, bytes):
            return {"b64": base64.b64encode(item).decode()} if as_bytes else item.decode()
        return _Number(item) if isinstance(item, float) else item

    return convert(array.tolist())


def _dump(value):
    """Writes JSON with numbers as they are represented, which `json` does for no subclass."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)}: {_dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dump, value)) + "]"
    return repr(value) if isinstance(value, _Number) else json.dumps(value)
