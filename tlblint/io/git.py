"""git through its command line, hardened: the repository may belong to whoever wrote the patch under review.

No hook, pager, fsmonitor, credential helper, textconv or lazy fetch may run, and no lock is taken.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from tlblint.io.errors import InputError, Unreadable

if TYPE_CHECKING:
    import tempfile

_KEPT = frozenset(
    {"GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH"}
)

_OVERRIDES = (
    "core.fsmonitor=false",  # a command line when it is not a boolean
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.quotePath=false",
    "core.untrackedCache=false",  # would rewrite the index
    "credential.helper=",
    "grep.fallbackToNoIndex=false",
    "grep.fullName=false",
    "grep.lineNumber=false",
    "grep.column=false",
    "protocol.allow=never",  # a promisor remote would be asked for missing blobs
    "submodule.recurse=false",
)


NOT_HELD = "the repository does not hold this object"


def environment() -> dict[str, str]:
    """The caller's environment without the git variables that redirect git (hooks set them) or make it run programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    kept.update(
        GIT_OPTIONAL_LOCKS="0",
        GIT_TERMINAL_PROMPT="0",
        GIT_NO_LAZY_FETCH="1",
        GIT_PAGER="cat",
        LC_ALL="C",
    )
    return kept


def command(directory: str, arguments: Sequence[str]) -> list[str]:
    """The argument vector of a hardened git that works in ``directory``."""
    settings = [word for setting in _OVERRIDES for word in ("-c", setting)]
    return ["git", "--no-pager", "--no-optional-locks", "-C", directory, *settings, *arguments]


def run(directory: str, arguments: Sequence[str], ok: Iterable[int] = (0,), stdin: bytes | None = None) -> bytes:
    """Standard output of git. Raises InputError with git's own first line when the status is not in ``ok``."""
    status, out, err = attempt(directory, arguments, stdin)
    if status in tuple(ok):
        return out
    raise InputError(directory, f"git {arguments[0]} failed: {complaint(err) or f'status {status}'}")


def attempt(directory: str, arguments: Sequence[str], stdin: bytes | None = None) -> tuple[int, bytes, bytes]:
    """Run git; (status, stdout, stderr). A missing git counts as status 127."""
    try:
        done = subprocess.run(
            command(directory, arguments), input=stdin if stdin is not None else b"", capture_output=True, env=environment(), check=False
        )
    except FileNotFoundError:
        return 127, b"", b"fatal: git is not installed\n"
    return done.returncode, done.stdout, done.stderr


def complaint(err: bytes) -> str:
    """The first line that git complained with, without its "fatal: "."""
    lines = [line for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[0].removeprefix("fatal: ").removeprefix("error: ") if lines else ""


def toplevel(directory: str) -> str | None:
    """Absolute path of the top of the work tree that holds ``directory``, or None outside of one.

    Raises InputError where git refuses to work (dubious ownership, damaged repository).
    """
    status, out, err = attempt(directory, ["rev-parse", "--show-toplevel"])
    if status == 0:
        top = out.removesuffix(b"\n")  # a directory's name may end in newlines of its own
        return os.path.realpath(os.fsdecode(top)) if top else None
    if status == 127 or b"not a git repository" in err or b"must be run in a work tree" in err or b"this operation must be run" in err:
        return None
    raise InputError(directory, f"git cannot read this repository: {complaint(err)}", "put that right first")


def is_repository(directory: str) -> bool:
    """Whether git finds a repository, bare ones included, at or above ``directory``."""
    return attempt(directory, ["rev-parse", "--git-dir"])[0] == 0


def resolve(directory: str, revision: str) -> str:
    """The full commit (or tree) id of ``revision``. Raises InputError when git does not know it."""
    status, out, err = attempt(directory, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{tree}}"])
    if status != 0 or not out.strip():
        reason = complaint(err)
        what = "git knows no such revision" + (f" ({reason})" if reason else "")
        raise InputError(f"--rev {revision}", what, "name a commit, tag or branch of this repository")
    status, out, _ = attempt(directory, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
    if status != 0 or not out.strip():
        out = run(directory, ["rev-parse", "--verify", "--end-of-options", f"{revision}^{{tree}}"])
    return out.decode("ascii").strip()


def listing(directory: str, tree: str) -> Iterator[tuple[str, str, str]]:
    """(mode, object id, path from the top) of every blob of a revision."""
    out = run(directory, ["ls-tree", "-r", "-z", "--full-tree", tree])
    for record in out.split(b"\0"):
        if record:
            head, path = record.split(b"\t", 1)
            mode, _, oid = head.decode("ascii").split(" ")
            yield mode, oid, os.fsdecode(path)


class Blobs:
    """One ``git cat-file --batch`` process that hands out blobs by object id. A process that is forked gets one of its own: two that read from one
    pipe would get each other's answers."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._owner = 0
        self._started: subprocess.Popen[bytes]
        self._bare: tempfile.TemporaryDirectory[str] | None = None

    @property
    def _process(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():
            words, variables = command(self._directory, ["cat-file", "--batch"]), environment()
            if self._bare is not None:
                variables.update(GIT_DIR=self._bare.name, GIT_OBJECT_DIRECTORY=self._objects())
            self._started = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=variables)
            self._owner = os.getpid()
        return self._started

    def _objects(self) -> str:
        return os.path.join(os.path.realpath(self._directory), os.fsdecode(run(self._directory, ["rev-parse", "--git-path", "objects"]).removesuffix(b"\n")))

    def _stand_apart(self) -> bool:
        """Go on with the same objects seen from a repository without a remote; whether that is new. In a partial clone git ends when it is asked for
        an object that it would have to fetch; here it says that there is none."""
        if self._bare is not None:
            return False
        import tempfile  # loads much, and few need it

        self._bare = tempfile.TemporaryDirectory(prefix="tlblint-")
        for folder in ("objects", "refs"):
            os.mkdir(os.path.join(self._bare.name, folder))
        for name, text in (("HEAD", "ref: refs/heads/none\n"), ("config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")):
            with open(os.path.join(self._bare.name, name), "w") as file:
                file.write(text)
        return True

    def close(self) -> None:
        """End the process."""
        self._end()
        if self._bare is not None:
            self._bare.cleanup()
            self._bare = None

    def _end(self) -> None:
        if self._owner == os.getpid():
            assert self._started.stdin is not None and self._started.stdout is not None
            with suppress(BrokenPipeError):
                self._started.stdin.close()
            self._started.stdout.close()
            self._started.kill()
            self._started.wait()
            self._owner = 0

    def _ask(self, name: str) -> list[bytes]:
        """The answer's first line: id, type and size; something shorter for what is not there."""
        process = self._process
        assert process.stdin is not None and process.stdout is not None
        answer = b""
        with suppress(BrokenPipeError):
            process.stdin.write(name.encode("ascii") + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        if not answer:
            self._end()
            return self._ask(name) if self._stand_apart() else []
        return answer.split()

    def read(self, path: str, oid: str, limit: int) -> bytes:
        """The bytes of a blob. Raises Unreadable when it is missing or longer than ``limit`` bytes."""
        head = self._ask(oid)
        if len(head) != 3 or head[1] != b"blob":
            raise Unreadable(path, NOT_HELD)
        size = int(head[2])
        data = self._take(path, size + 1, limit + 1)
        if size > limit:
            raise Unreadable(path, f"larger than {limit >> 20} MB" if limit >> 20 else f"longer than {limit} bytes")
        return data[:-1]

    def folder(self, name: str) -> dict[str, tuple[str, str]]:
        """What a directory holds: name -> (mode, object id). ``name`` is the object id of the directory, or REV^{tree}. Empty when it is missing."""
        head = self._ask(name)
        if len(head) != 3:
            return {}
        assert self._process.stdout is not None
        data = self._process.stdout.read(int(head[2]) + 1)[:-1]
        found: dict[str, tuple[str, str]] = {}
        at, length = 0, len(head[0]) // 2
        while head[1] == b"tree" and (end := data.find(b"\0", at)) >= 0:
            mode, _, name_ = data[at:end].partition(b" ")
            at = end + 1 + length
            found[os.fsdecode(name_)] = (mode.decode("ascii"), data[end + 1 : at].hex())
        return found

    def _take(self, path: str, size: int, keep: int) -> bytes:
        """Read ``size`` bytes from the process, keep at most ``keep`` of them."""
        assert self._process.stdout is not None
        if size <= keep:
            data = self._process.stdout.read(size)
            if len(data) != size:
                raise Unreadable(path, "git stopped in the middle of this object")
            return data
        while size:
            part = self._process.stdout.read(min(size, 1 << 20))
            if not part:
                raise Unreadable(path, "git stopped in the middle of this object")
            size -= len(part)
        return b""


@contextmanager
def blobs(directory: str) -> Iterator[Blobs]:
    """A Blobs for the repository of ``directory``; the process ends with the block."""
    held = Blobs(directory)
    try:
        yield held
    finally:
        held.close()


def settings(directory: str) -> list[tuple[str, str, str, str]]:
    """(scope, origin, key, value) of every ``tlblint.*`` git setting, in git's order: later ones win."""
    status, out, _ = attempt(directory, ["config", "--null", "--show-scope", "--show-origin", "--get-regexp", r"^tlblint\."])
    if status != 0:
        return []
    fields = out.split(b"\0")
    rows = []
    for at in range(0, len(fields) - 2, 3):
        key, _, value = fields[at + 2].partition(b"\n")
        rows.append((fields[at].decode("utf-8", "replace"), os.fsdecode(fields[at + 1]), key.decode("utf-8", "replace"), value.decode("utf-8", "replace")))
    return [row for row in rows if row[0] != "command"]
