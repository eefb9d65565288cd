"""Several processes on one search: KerasTuner's chief here, its workers here or elsewhere."""

import contextlib
import ipaddress
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import grpc

from dcgan.errors import InputError
from tuning import results, trial_records
from tuning.tuner import DCGANTuner, prune

CHIEF, WORKER = "chief", "worker"

_IP, _PORT, _ID = "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT", "KERASTUNER_TUNER_ID"
_LOOPBACK = "127.0.0.1"
_POLL = 0.5
# What a trial that is cut short has to be measured and saved, in seconds.
_GRACE = 300.0
_RESTARTS = 3


def role() -> str:
    """Tells what KerasTuner's environment variables make of this process: "", "chief" or "worker".

    Raises:
        InputError: If one of them is missing.
    """
    if _IP not in os.environ:
        return ""
    if missing := [name for name in (_PORT, _ID) if name not in os.environ]:
        raise InputError(f"{_IP}: expected {' and '.join(missing)} as well")
    return CHIEF if CHIEF in os.environ[_ID] else WORKER


def check_address(*, beyond_loopback: bool) -> None:
    """Makes sure that a chief listens where it may.

    Args:
        beyond_loopback: Whether other machines may reach it.

    Raises:
        InputError: If the address is not a loopback one, and other machines may not reach it.
    """
    address = os.environ[_IP]
    if not (beyond_loopback or _is_loopback(address)):
        raise InputError(
            f"{_IP}: expected a loopback address such as {_LOOPBACK}, or --beyond-loopback, with which "
            f"whoever reaches the chief can take part. Received: {address}"
        )


@contextlib.contextmanager
def listening(*, local: bool) -> Iterator[None]:
    """Makes this process the chief while the block runs.

    Args:
        local: Whether it listens at a free port of the loopback address, not where the environment
            tells.
    """
    if not local:
        yield
        return
    former = {name: os.environ.get(name) for name in (_IP, _PORT, _ID)}
    os.environ |= {_IP: _LOOPBACK, _PORT: str(_free_port()), _ID: CHIEF}
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def reporting() -> Iterator[None]:
    """Names a chief that cannot be reached while the block runs, which KerasTuner waits an hour for.

    Raises:
        InputError: If there is none.
    """
    try:
        yield
    except grpc.RpcError as error:
        address = f"{os.environ[_IP]}:{os.environ[_PORT]}"
        raise InputError(
            f"{_IP}: expected a chief that answers at {address} ({error.code().name})"
        ) from error


def work(tuner: DCGANTuner) -> None:
    """Runs what the chief hands out; one that died within a call is asked again when it is back.

    Args:
        tuner: A worker's.
    """
    while True:
        try:
            tuner.search(verbose=0)
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
        else:
            return


def coordinate(
    tuner: DCGANTuner, *, workers: int, on_change: Callable[[Sequence[trial_records.TrialRecord]], None]
) -> None:
    """Hands out trials until the search is over.

    Args:
        tuner: The chief's.
        workers: How many workers to start on this machine; 0 where they are started elsewhere.
        on_change: Called with all records when a trial has ended.

    Raises:
        InputError: If no worker can work, or the address is not free.
    """
    problems: list[Exception] = []
    server = threading.Thread(target=_serve, args=(tuner, problems), daemon=True)
    server.start()
    crew = [_Worker(tuner, number, of=workers) for number in range(workers)]
    ended = 0
    try:
        while not problems and _goes_on(server, crew, tuner.hypermodel.deadline):
            time.sleep(_POLL)
            ended = _renew(tuner, ended, on_change)
    finally:
        for worker in crew:
            worker.stop()
    _renew(tuner, ended, on_change)
    if problems:
        raise InputError(f"{_IP}: expected an address to listen at ({problems[0]})")
    if crew and not any(worker.finished for worker in crew):
        raise InputError(f"{crew[0].log}: expected workers that do not break down, see there")


def _goes_on(server: threading.Thread, crew: Sequence["_Worker"], deadline: float | None) -> bool:
    """Looks after all workers; without any here, the server knows when those elsewhere have ended.

    It does not know when they have died, which no search waits for longer than its time.
    """
    if crew:
        return sum(worker.is_working() for worker in crew) > 0
    return server.is_alive() and (deadline is None or time.time() < deadline + _GRACE)


def _serve(tuner: DCGANTuner, problems: list[Exception]) -> None:
    try:
        tuner.search(verbose=0)
    except Exception as error:
        problems.append(error)


def _renew(
    tuner: DCGANTuner, former: int, on_change: Callable[[Sequence[trial_records.TrialRecord]], None]
) -> int:
    """Writes the tables anew if more trials have ended than formerly; returns how many have."""
    directory = tuner.hypermodel.directory
    count = len(list(directory.records.glob("[!.]*.json")))
    if count > former:
        on_change(results.write_tables(directory))
        prune(tuner)
    return count


class _Worker:
    """A worker's process on this machine, started again when it dies.

    Its trial is not lost: KerasTuner hands the same one to a worker of the same name.
    """

    def __init__(self, tuner: DCGANTuner, number: int, *, of: int) -> None:
        self._tuner = tuner
        self._name = f"{WORKER}{number}"
        self._cores = max(1, len(os.sched_getaffinity(0)) // of)
        self.log: pathlib.Path = tuner.hypermodel.directory.logs / f"{self._name}.log"
        self._starts = 0
        self._ended = -1
        self.finished = False
        self._start()

    def is_working(self) -> bool:
        """Looks after the process; returns whether there still is one."""
        code = self._process.poll()
        if code is None:
            return True
        if code == 0:
            self.finished = True
            return False
        ended = len(list(self._tuner.hypermodel.directory.records.glob("[!.]*.json")))
        # Deaths without any trial ended in between are no accidents.
        self._starts = self._starts if ended == self._ended else 0
        self._ended = ended
        if self._starts > _RESTARTS:
            self._tuner.oracle.release(self._name)
            return False
        self._start()
        return True

    def stop(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()

    def _start(self) -> None:
        self._starts += 1
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tuning.worker", *self._arguments()],
                # Closed when this process ends, however it does; the worker ends with it.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environment(),
            )

    def _arguments(self) -> list[str]:
        hypermodel = self._tuner.hypermodel
        deadline = [] if hypermodel.deadline is None else [str(hypermodel.deadline)]
        return [str(hypermodel.directory.path.resolve()), str(hypermodel.origin), *deadline]

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            _ID: self._name,
            # Proxies are not asked for what is on this machine.
            "no_grpc_proxy": _LOOPBACK,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "TF_NUM_INTRAOP_THREADS": str(self._cores),
            "OMP_NUM_THREADS": str(self._cores),
        }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
