"""How the server is started: a compose file, or one docker command."""

import dataclasses
import ipaddress
import json
import pathlib
import shlex
from collections.abc import Sequence

from dcgan.errors import InputError

IMAGE = "tensorflow/serving:2.20.0"
"""The newest release whose TensorFlow `tests/interop/servers` loads an export with."""

ADDRESS = "127.0.0.1"
"""Only this machine: a server asks nobody who they are."""

_PLATFORM = "linux/amd64"
_PORTS = (8500, 8501)
_COMPOSE_TEXT = """\
services:
  serving:
    image: {image}
    # There is no image for other processors.
    platform: {platform}
    command: {command}
    ports: {ports}
    volumes: {volumes}
    restart: unless-stopped
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Container:
    """A server in a container.

    Attributes:
        image: The server's image.
        options: The server's options.
        mount: Where the server finds the directory of live models.
        address: The IP address of this machine on which the server's ports open.

    Raises:
        InputError: If the address is none.
    """

    image: str
    options: Sequence[str]
    mount: str
    address: str

    def __post_init__(self) -> None:
        try:
            ipaddress.ip_address(self.address)
        except ValueError:
            raise InputError(f"address: expected an IP address. Received: {self.address!r}") from None

    @property
    def ports(self) -> list[str]:
        """What docker calls the ports, each with the address that it opens on."""
        ip = ipaddress.ip_address(self.address)
        host = f"[{ip}]" if ip.version == 6 else str(ip)
        return [f"{host}:{port}:{port}" for port in _PORTS]

    def render_compose(self) -> str:
        """Writes a compose file that stands in the directory of live models."""
        volume = {"type": "bind", "source": ".", "target": self.mount, "read_only": True}
        # JSON's lists and texts are valid YAML.
        return _COMPOSE_TEXT.format(
            image=json.dumps(self.image),
            platform=_PLATFORM,
            command=json.dumps(self.options),
            ports=json.dumps(self.ports),
            volumes=json.dumps([volume]),
        )

    def command(self, base: pathlib.Path) -> str:
        """Returns the docker command that does the same; `base` is the directory of live models."""
        ports = [part for port in self.ports for part in ("-p", port)]
        # Unlike -v, it takes a path with a colon. It is read as a line of CSV.
        source = f"source={base.resolve()}"
        if set(source) & set(',"\n'):
            source = '"' + source.replace('"', '""') + '"'
        mount = ["--mount", f"type=bind,{source},target={self.mount},readonly"]
        started = ["docker", "run", "--rm", "--platform", _PLATFORM, *ports, *mount]
        return shlex.join([*started, self.image, *self.options])
