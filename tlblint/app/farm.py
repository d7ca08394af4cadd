"""Facts of files from the workers of a cluster: what goes there, what a worker does, and what comes back.

An order is the profiles, the headers by which the generation of a tree is told, what it means otherwise than the tables, and some files; the
answer is their facts as a cache keeps them. A worker of another tlblint, or with other data, answers with its name instead. What a worker cannot
do is done here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from tlblint import __version__
from tlblint.app.naming import Given
from tlblint.app.reuse import PASSING
from tlblint.app.spine import Spine, Wanted, load
from tlblint.calls import record
from tlblint.io import farm
from tlblint.io.errors import InputError
from tlblint.io.farm import Farm, Reply
from tlblint.io.stamp import portable
from tlblint.model.ir import FileFacts
from tlblint.roles.meant import Meant

WORK = f"{__name__}:work"
FILES, BYTES = 8, 1 << 19
"""An order is at most so many files, and one file or at most so many bytes of them."""
Headers = tuple[tuple[str, bytes], ...]
_lock = threading.Lock()


class Order(msgspec.Struct, frozen=True, array_like=True):
    """What a worker is asked for. ``who``: the name of the tlblint that asks. ``files``: path, as the file system has it, and bytes. ``meant``: what the
    tree means otherwise than the tables."""

    who: str
    profiles: tuple[str, ...] = ()
    headers: Headers = ()
    files: tuple[tuple[bytes, bytes], ...] = ()
    meant: tuple[Meant, ...] = ()


_ORDER = msgspec.msgpack.Decoder(Order)


def identity() -> str:
    """The version, and a digest of code, data and parser that is the same on all machines."""
    return f"{__version__} {portable()}"


def work(raw: bytes) -> Reply:
    """Runs on a worker: ("done", a row for each file, None for one that cannot be read here), or ("other", [who this is])."""
    order = _ORDER.decode(raw)
    if order.who != identity():
        return "other", [identity().encode()]
    with _lock:  # a worker may have several threads, the parser has one
        spine = _spine(order.profiles, order.headers, order.meant) if order.files else None
        return "done", [_row(spine, os.fsdecode(path), text) for path, text in order.files] if spine is not None else []


@lru_cache(maxsize=4)
def _spine(profiles: tuple[str, ...], headers: Headers, meant: tuple[Meant, ...]) -> Spine:
    return load(Wanted(profiles, headers=dict(headers), naming=Given(meant)))


def _row(spine: Spine, path: str, raw: bytes) -> bytes | None:
    try:
        facts = spine.facts(path, raw)
        return None if any(gap.why.startswith(PASSING) for gap in facts.not_analysed) else record.encode(facts)
    except Exception:
        return None


class Reader:
    """Reads files on the cluster of ``executor`` (dask://HOST:PORT). Raises InputError when there can be none."""

    def __init__(self, executor: str, profiles: Sequence[str], headers: Mapping[str, bytes], meant: Sequence[Meant] = ()) -> None:
        farm.address(executor)
        self._executor = executor
        self._order = Order(identity(), tuple(profiles), tuple(sorted(headers.items())), meant=tuple(meant))

    def __call__(
        self, contents: Mapping[str, bytes], here: Callable[[str], FileFacts], died: Callable[[str], FileFacts], done: Callable[[int], None]
    ) -> list[FileFacts]:
        """Facts of all files, in path order. ``here``: those of one, without the cluster; ``died``: those of one that kills whoever reads it."""
        if not contents:
            return []
        chunks = _chunks(contents)
        facts: list[FileFacts] = []
        with farm.connect(self._executor, WORK) as cluster:
            for reply in cluster.ask(msgspec.msgpack.encode(Order(self._order.who))).values():
                self._rows(reply)
            for chunk, rows in zip(chunks, self._map(cluster, chunks, contents), strict=True):
                rows = rows if rows is not None else [row for path in chunk for row in self._alone(cluster, path, contents)]
                facts += [died(path) if row == b"" else _decoded(row, path) or here(path) for path, row in zip(chunk, rows, strict=True)]
                done(len(facts))
        return facts

    def _alone(self, cluster: Farm, path: str, contents: Mapping[str, bytes]) -> list[bytes | None]:
        """The row of one file, b"" when it kills its worker, too."""
        [rows] = self._map(cluster, [[path]], contents)
        return rows if rows is not None else [b""]

    def _map(self, cluster: Farm, chunks: Sequence[Sequence[str]], contents: Mapping[str, bytes]) -> Iterator[list[bytes | None] | None]:
        orders = _Orders(self._order, chunks, contents)
        for reply in cluster.map(orders):
            yield self._rows(reply) if reply is not None else None

    def _rows(self, reply: Reply) -> list[bytes | None]:
        """The rows of an answer. Raises InputError for a worker that is none of ours."""
        what, rows = reply
        if what == "done":
            return rows
        name = (rows[0] or b"").decode("utf-8", "replace")
        if what == "missing":
            raise InputError(f"--executor {self._executor}", f"a worker has no tlblint {__version__}: {name}", "install it there")
        version, _, digest = name.partition(" ")
        if version != __version__:
            raise InputError(f"--executor {self._executor}", f"a worker has tlblint {version}, this is {__version__}", "install one version everywhere")
        ours = self._order.who.partition(" ")[2]
        raise InputError(f"--executor {self._executor}", f"a worker's tlblint {version} has other code, data or parser ({digest}, not {ours})",
                         "install the same everywhere")  # fmt: skip


class _Orders(Sequence[bytes]):
    """Orders that are written when they are sent: all of them at once would hold every file twice."""

    def __init__(self, order: Order, chunks: Sequence[Sequence[str]], contents: Mapping[str, bytes]) -> None:
        self._order, self._chunks, self._contents = order, chunks, contents

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, at: int) -> bytes:  # type: ignore[override]
        files = tuple((os.fsencode(path), self._contents[path]) for path in self._chunks[at])
        return msgspec.msgpack.encode(msgspec.structs.replace(self._order, files=files))


def _chunks(contents: Mapping[str, bytes]) -> list[list[str]]:
    """All paths in order, in pieces."""
    chunks: list[list[str]] = []
    size = BYTES
    for path in sorted(contents):
        size += len(contents[path])
        if size > BYTES or len(chunks[-1]) == FILES:
            chunks.append([])
            size = len(contents[path])
        chunks[-1].append(path)
    return chunks


def _decoded(row: bytes | None, path: str) -> FileFacts | None:
    try:
        facts = record.checked(row) if row is not None else None
    except ValueError:
        return None
    return facts if facts is not None and facts.path == path else None
