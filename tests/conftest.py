import os
import time

import pytest


def pytest_configure(config):
    """Loads the fixtures, and TensorFlow with them, except where tests are only handed to workers."""
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        config.pluginmanager.import_plugin("shared_fixtures")


def pytest_runtest_setup(item):
    """Skips slow tests that begin after the time that `.ci/run` allows."""
    end = float(os.environ.get("TESTS_END_AT", "inf"))
    if item.get_closest_marker("slow") and time.time() > end:
        pytest.skip("no time left")


def pytest_collection_modifyitems(items):
    """Skips bfloat16 where oneDNN is told to know less than the CPU, at which TensorFlow crashes."""
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in {"SSE41", "AVX", "AVX2", "AVX2_VNNI"}:
        for item in items:
            if "bfloat16" in item.nodeid or "mixed_bfloat16" in item.function.__code__.co_consts:
                item.add_marker(pytest.mark.skip(reason="oneDNN's bfloat16 needs AVX-512"))
