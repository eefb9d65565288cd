import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from export.graph import saved_model
from export.serving import warmup


def fields(message):
    """A message's fields in their order, all of them texts, bytes or messages."""
    position, found = 0, []

    def varint():
        nonlocal position
        value, shift = 0, 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(message):
        key, length = varint(), varint()
        assert key % 8 == 2
        found.append((key // 8, message[position : position + length]))
        position += length
    return found


def predict_request(record):
    """Model, signature and inputs of a Predict record."""
    ((number, log),) = fields(record)
    assert number == 6
    ((number, request),) = fields(log)
    assert number == 1
    (_, spec), *entries = fields(request)
    inputs = {}
    for number, entry in entries:
        assert number == 2
        (_, name), (_, tensor) = fields(entry)
        inputs[name.decode()] = tf.make_ndarray(tensor_pb2.TensorProto.FromString(tensor))
    model, signature = (text.decode() for _, text in fields(spec))
    return model, signature, inputs


def test_a_predict_record():
    pixels = np.arange(300, dtype=np.uint8).reshape(1, 20, 15)
    texts = np.array([b"a", b"bc"], object)
    record = warmup.predict("detector", "predict_uint8", {"images": pixels, "texts": texts})
    model, signature, inputs = predict_request(record)
    assert (model, signature) == ("detector", "predict_uint8")
    np.testing.assert_array_equal(inputs["images"], pixels)
    assert inputs["texts"].tolist() == [b"a", b"bc"]


def test_a_classify_record(make_example):
    examples = [make_example(b"x" * 200), make_example(b"y")]
    ((number, log),) = fields(warmup.classify("detector", "classify", examples))
    assert number == 2
    (_, request), *_ = fields(log)
    (_, spec), (number, given) = fields(request)
    assert [text for _, text in fields(spec)] == [b"detector", b"classify"]
    assert number == 2
    ((_, example_list),) = fields(given)
    assert [example for _, example in fields(example_list)] == examples


@pytest.mark.slow
def test_every_signature_is_warmed_up_and_answers(exported, served, tmp_path):
    warmup.write(tmp_path / "requests", warmup.for_scoring_model("detector", (8, 8, 1)))
    records = [record.numpy() for record in tf.data.TFRecordDataset(str(tmp_path / "requests"))]
    replayed = [predict_request(record) for record in records if record[0] == 6 << 3 | 2]
    assert {signature for _, signature, _ in replayed} | {"classify"} == set(
        saved_model.describe(exported)
    )
    assert len(records) == len(replayed) + 2
    for model, signature, inputs in replayed:
        scores = served(signature, **inputs)
        assert model == "detector"
        assert set(scores.get("error", [""])) == {""}
        assert np.isfinite(scores["p_fake"]).all()


def test_a_generators_records():
    for record in warmup.for_generator("generator", 4):
        model, signature, inputs = predict_request(record)
        assert (model, signature, inputs["latents"].shape[1]) == ("generator", "serving_default", 4)


def test_records_are_what_the_servers_own_messages_read(tmp_path):
    messages = pytest.importorskip(
        "tensorflow_serving.apis.prediction_log_pb2", reason="tensorflow-serving-api is not here"
    )
    for record in warmup.for_scoring_model("detector", (8, 8, 1)):
        log = messages.PredictionLog.FromString(record)
        kind = log.WhichOneof("log_type")
        request = log.classify_log.request if kind == "classify_log" else log.predict_log.request
        assert request.model_spec.name == "detector"
        if kind == "classify_log":
            assert request.model_spec.signature_name == "classify"
            assert len(request.input.example_list.examples) in (1, 4)
        else:
            (tensor,) = request.inputs.values()
            assert len(tf.make_ndarray(tensor)) in (1, 4, 8)
