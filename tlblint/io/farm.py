"""Work on a Dask cluster, through the concurrent.futures executor that its client offers. Scheduling is Dask's business.

What travels is bytes and strings. The function is imported by the worker from its own tlblint, so that the scheduler need not have one. Nothing here
waits without end on a cluster that went away: connecting, asking and a time without any worker have limits.
"""

from __future__ import annotations

import logging
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import Any, TypeVar

from tlblint.io.errors import InputError

ANSWER = 10.0
"""Seconds for a scheduler to take a connection or to answer."""
PATIENCE = 30.0
"""Seconds without any worker after which the rest of the work is given up."""
AHEAD = 3
"""Orders under way for each thread of the workers: more would only fill the scheduler's memory."""

Reply = tuple[str, list[bytes | None]]
"""What became of an order. ("done", results), ("missing", [why]) where the function cannot be imported, or what else the function answers."""
Result = TypeVar("Result")


def address(text: str) -> str:
    """Dask's address for ``dask://HOST:PORT``; the client must be installed. Raises InputError."""
    match = re.fullmatch(r"dask://(\[[0-9A-Fa-f:.]+\]|[\w.-]+):([0-9]{1,5})", text)
    if match is None or not 0 < int(match[2]) < 65536:
        raise InputError(f"--executor {text}", "not the address of a scheduler", "write --executor dask://HOST:PORT")
    try:
        import_module("distributed")
    except ImportError:
        raise InputError(f"--executor {text}", "the Dask client is not installed", "pip install 'tlblint[dask]'") from None
    return f"tcp://{match[1]}:{match[2]}"


class Farm:
    """A cluster that workers of the right kind belong to. Made by ``connect``."""

    def __init__(self, client: Any, name: str, function: str) -> None:
        self._client, self._name, self._function = client, name, function
        self._call = _caller()

    def ask(self, argument: bytes) -> dict[str, Reply]:
        """The function's answer from each worker, by address. Raises InputError."""
        try:
            answers: dict[str, Reply] = self._within(PATIENCE, lambda: self._client.run(self._call, self._function, argument))
        except InputError:
            raise
        except Exception as error:
            raise self._failed(error) from None
        return answers

    def map(self, orders: Sequence[bytes]) -> Iterator[Reply | None]:
        """The answer to each order, in order; None for one that kills the workers that take it. Raises InputError."""
        executor: Executor = self._client.get_executor(pure=False)
        threads = sum(self._threads().values())
        futures: dict[int, Future[Reply]] = {}
        first = last = 0
        try:
            while first < len(orders):
                while last < len(orders) and len(futures) < AHEAD * max(1, threads) + 1:
                    futures[last] = executor.submit(self._call, self._function, orders[last])
                    last += 1
                self._one(futures[first], list(futures.values()))
                yield self._answer(futures.pop(first))
                first += 1
        finally:
            _try(lambda: executor.shutdown(wait=False))

    def _one(self, first: Future[Reply], futures: Sequence[Future[Reply]]) -> None:
        """Wait for the first. While nothing at all gets done, look whether anybody is there."""
        alone = 0.0
        while not first.done():
            waiting = [future for future in futures if not future.done()]
            if wait(waiting, ANSWER / 4, return_when=FIRST_COMPLETED).done or self._threads():
                alone = 0.0
            else:
                alone += ANSWER / 4
            if alone >= PATIENCE:
                raise InputError(self._name, "no worker is left", "start some, or run without --executor")

    def _answer(self, future: Future[Reply]) -> Reply | None:
        try:
            return future.result()
        except CancelledError:
            raise self._gone() from None
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                return None
            raise self._failed(error) from None

    def _threads(self) -> dict[str, int]:
        """Threads of each worker."""
        if self._client.status != "running":
            raise self._gone()
        found: dict[str, int] = self._within(ANSWER, self._client.nthreads)
        return found

    def _within(self, seconds: float, work: Callable[[], Result]) -> Result:
        return within(seconds, work, self._gone)

    def _failed(self, error: Exception) -> InputError:
        return InputError(self._name, f"a worker failed: {type(error).__name__}: {error}")

    def _gone(self) -> InputError:
        return InputError(self._name, "the scheduler does not answer any more", "run again, or without --executor")


@contextmanager
def connect(name: str, function: str) -> Iterator[Farm]:
    """A cluster of which each worker can be asked for ``function`` ("module:name", bytes to Reply). Raises InputError."""
    place = address(name)
    distributed = import_module("distributed")
    logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)  # it tells of each lost connection, on several lines
    nobody = InputError(f"--executor {name}", "no Dask scheduler answers there", "start one with 'dask scheduler'")
    within(ANSWER, lambda: _knock(place), lambda: nobody)  # the client would try again and again
    with import_module("dask").config.set({"distributed.comm.timeouts.connect": ANSWER}):
        client = within(2 * ANSWER, lambda: distributed.Client(place, timeout=ANSWER, set_as_default=False), lambda: nobody)
        farm = Farm(client, f"--executor {name}", function)
        try:
            try:
                client.wait_for_workers(1, timeout=ANSWER)
            except TimeoutError:
                raise InputError(f"--executor {name}", "the scheduler has no workers", "start some with 'dask worker'") from None
            _same_python(within(PATIENCE, client.get_versions, farm._gone), f"--executor {name}")
            yield farm
        finally:
            _try(lambda: client.close(timeout=ANSWER / 2))


def _knock(place: str) -> None:
    """Raises OSError when nobody listens at ``place``."""
    host, _, port = place.removeprefix("tcp://").rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), ANSWER).close()


def _same_python(versions: Any, name: str) -> None:
    """The caller travels as byte code, which other versions of Python do not understand. Raises InputError."""
    here = "{}.{}".format(*sys.version_info)
    for where, about in {"the scheduler": versions["scheduler"], **versions["workers"]}.items():
        there = ".".join(str(about["host"]["python"]).split(".")[:2]) if about else "unknown"
        if there != here:
            raise InputError(name, f"{where} runs Python {there}, this is {here}", "use one version everywhere")


def within(seconds: float, work: Callable[[], Result], late: Callable[[], InputError]) -> Result:
    """``work()`` in a thread that nobody waits for longer than that. Raises ``late()`` then, and when the connection fails."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return future.result(seconds)
    except (OSError, TimeoutError):
        raise late() from None


def _try(work: Callable[[], object]) -> None:
    """Tidy up, with a cluster that may not answer any more: what the run has come to stands."""
    with suppress(Exception):
        within(ANSWER / 2, work, lambda: InputError("", ""))


def _caller() -> Callable[[str, bytes], Reply]:
    """What is sent to the workers. A function in a function goes over by value: scheduler and worker need no module of ours to take it."""

    def call(function: str, argument: bytes) -> Any:
        import importlib

        module, _, name = function.partition(":")
        try:
            found = getattr(importlib.import_module(module), name)
        except (ImportError, AttributeError) as error:
            return "missing", [str(error).encode()]
        return found(argument)

    return call
