"""The client and the export against TF Serving itself, where it is installed."""

import contextlib
import shutil
import socket
import subprocess
import time

import pytest

pytest.importorskip("tensorflow_serving", reason="tensorflow-serving-api is not here")

from dcgan.errors import InputError
from export.client import Client
from export.serving import container

_BINARY = "tensorflow_model_server"


def command(base, grpc_port, http_port):
    """How the server is started here; skips where it cannot be."""
    ports = [f"--port={grpc_port}", f"--rest_api_port={http_port}", "--model_name=detector"]
    if shutil.which(_BINARY):
        return [_BINARY, *ports, f"--model_base_path={base}"]
    if shutil.which("docker"):
        found = subprocess.run(["docker", "image", "inspect", container.IMAGE], capture_output=True)
        if found.returncode == 0:
            mount = ["--network=host", "-v", f"{base}:/models/detector", "--entrypoint", _BINARY]
            base = "--model_base_path=/models/detector"
            return ["docker", "run", "--rm", *mount, container.IMAGE, *ports, base]
    pytest.skip(f"neither {_BINARY} nor a container engine with the image {container.IMAGE} is here")


@pytest.fixture(scope="module")
def server(exported, tmp_path_factory):
    """Addresses of a server with version 1."""
    base = tmp_path_factory.mktemp("models")
    shutil.copytree(exported, base / "1")
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for each in sockets:
            each.bind(("localhost", 0))
        ports = [each.getsockname()[1] for each in sockets]
    process = subprocess.Popen(command(base, *ports))
    addresses = [f"grpc://localhost:{ports[0]}", f"http://localhost:{ports[1]}"]
    try:
        wait(addresses[1])
        yield addresses
    finally:
        process.terminate()
        process.wait()


def wait(address):
    for _ in range(60):
        with contextlib.suppress(InputError), Client(address, timeout=1) as client:
            if client.versions() == {1: "AVAILABLE"}:
                return
        time.sleep(1)
    raise TimeoutError(address)


def test_both_interfaces_score_alike(server, tmp_path, encode, make_pixels, served):
    content = encode(make_pixels())
    (tmp_path / "a.png").write_bytes(content)
    (tmp_path / "b.png").write_text("no image")
    expected = served("predict_bytes", image_bytes=[content])["p_fake"][0]
    for address in server:
        with Client(address) as client:
            good, bad = client.score_files([tmp_path])
        assert good.p_fake == pytest.approx(expected, abs=1e-5)
        assert (bad.decision, bad.error) == ("error", "not a PNG, JPEG, WebP, BMP, GIF or TIFF image")
