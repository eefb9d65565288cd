"""One search on several machines: KerasTuner's chief and workers, named by environment variables."""

import ipaddress
import os
import threading
import time

import grpc

from dcgan.errors import InputError
from tuning.tuner import DCGANTuner

CHIEF, WORKER = "chief", "worker"

_IP, _PORT, _ID = "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"
# Seconds that a chief waits for trials to be measured after the search's time is over.
_GRACE = 300.0


def role() -> str:
    """Returns what KerasTuner's environment variables make of this process: "", "chief" or "worker".

    Raises:
        InputError: If the address is set but the port or the name is not.
    """
    if _IP not in os.environ:
        return ""
    if missing := [name for name in (_PORT, _ID) if name not in os.environ]:
        raise InputError(f"{_IP}: expected {' and '.join(missing)} as well")
    return CHIEF if CHIEF in os.environ[_ID] else WORKER


def check_address(*, beyond_loopback: bool) -> None:
    """Checks that other machines cannot reach the chief, unless they may.

    Raises:
        InputError: If they could but may not.
    """
    address = os.environ[_IP]
    if not (beyond_loopback or _is_loopback(address)):
        raise InputError(
            f"{_IP}: expected a loopback address such as 127.0.0.1, or --beyond-loopback, which lets "
            f"every machine that can reach the chief take part without a password. Received: {address}"
        )


def serve(tuner: DCGANTuner) -> None:
    """Hands out trials until every worker has been told that the search is over.

    A chief cannot tell that a worker has died: it waits at most five minutes beyond the search's time.

    Raises:
        InputError: If it cannot listen at the address.
    """
    failures: list[Exception] = []

    def listen() -> None:
        try:
            tuner.search(verbose=0)
        except Exception as error:
            failures.append(error)

    server = threading.Thread(target=listen, daemon=True)
    server.start()
    deadline = tuner.hypermodel.deadline
    server.join(None if deadline is None else max(0.0, deadline + _GRACE - time.time()))
    if failures:
        raise InputError(f"{_IP}: expected an address to listen at ({failures[0]})")


def work(tuner: DCGANTuner) -> None:
    """Runs the chief's trials until there are no more; waits for a chief that is restarted.

    Raises:
        InputError: If the chief does not answer.
    """
    while True:
        try:
            return tuner.search(verbose=0)
        except grpc.RpcError as error:
            # The chief died during a call: the next one waits until it is back.
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                continue
            address = f"{os.environ[_IP]}:{os.environ[_PORT]}"
            raise InputError(
                f"{_IP}: expected a chief that answers at {address} ({error.code().name})"
            ) from error


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
