"""Builds the guide's InferenceService of the `kserve` package's own classes; an unknown field raises.

Started by `tests/interop/kserve`, in an environment that has `kserve`: inference_service.py GUIDE
"""

import pathlib
import re
import sys

import kserve
import yaml


def build(values, kind):
    names = {key: name for name, key in kind.attribute_map.items()}
    arguments = {}
    for key, value in values.items():
        if key not in names:
            raise ValueError(f"{kind.__name__}: expected one of {', '.join(names)}. Received: {key}")
        inner = getattr(kserve, kind.openapi_types[names[key]], None)
        arguments[names[key]] = build(value, inner) if inner and isinstance(value, dict) else value
    return kind(**arguments)


if __name__ == "__main__":
    text = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")
    service = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    built = build(service, kserve.V1beta1InferenceService)
    assert isinstance(built.spec.predictor.model.model_format, kserve.V1beta1ModelFormat), built
