import http.server
import socket
import threading
import time

import pytest

from dcgan.data import network


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def serve():
    """Starts a server that gives every request one status."""
    servers = []

    def start(status):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.send_response(status)
                self.end_headers()

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/file.zip"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def closed():
    """A URL at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}/file.zip"


@pytest.fixture
def silent():
    """A URL at which connections open and nothing ever comes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/file.zip"


@pytest.mark.parametrize("status", [200, 403, 404, 405])
def test_any_answer_will_do(serve, status):
    network.require([serve(status)], name="x")


def test_one_host_is_enough(serve, closed):
    network.require([closed, serve(200)], name="x")


@pytest.mark.parametrize("urls", [[], ["gs://bucket/file", "/a/path", "file:///a/path"]])
def test_nothing_to_ask(urls):
    network.require(urls, name="x")


def test_nobody_listens(refused, closed):
    started = time.monotonic()
    refused(lambda: network.require([closed], name="x"), "x: ", "network connection", "127.0.0.1")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_without_a_network(refused, serve, status):
    url = serve(status)
    refused(lambda: network.require([url], name="x"), "network connection")


def test_silence_ends_after_one_wait(refused, silent, monkeypatch):
    monkeypatch.setattr(network, "TIMEOUT", 0.5)
    urls = [silent, *(silent.replace("127.0.0.1", f"127.0.0.{i}") for i in range(2, 7))]
    started = time.monotonic()
    refused(lambda: network.require(urls, name="x"), "no answer from 127.0.0.1")
    assert time.monotonic() - started < 2
