"""One run of ``git send-email`` as its hook sees it: a call for each mail, from which the series has to be put together.

Newer git says which mail of how many a call is about. Older git says nothing: there the arguments of the sending process tell. What was
seen so far is kept in a private directory under the identity of that process.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tempfile
import time
from collections.abc import Mapping, Sequence

import msgspec

from tlblint.io.errors import InputError

STALE = 24 * 3600.0
"""Seconds after which a session that never ended is forgotten."""


class Sender(msgspec.Struct, frozen=True):
    """The process that sends. ``name`` is its identity, ``arguments`` its command line and ``cwd`` where that is relative to, where they can be had."""

    name: str
    arguments: tuple[str, ...] = ()
    cwd: str = ""


def sender() -> Sender:
    """The ``git send-email`` above this process; without one in sight (no /proc) the terminal session stands for it."""
    pid = os.getppid()
    for _ in range(16):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = tuple(os.fsdecode(word) for word in file.read().split(b"\0")[:-1])
        except OSError:
            break
        if any(os.path.basename(word) == "git-send-email" for word in words[:4]):
            cwd = ""
            with contextlib.suppress(OSError):
                cwd = os.readlink(f"/proc/{pid}/cwd")
            return Sender(f"process {pid} {fields[19].decode()}", words, cwd)
        pid = int(fields[1])
        if pid <= 1:
            break
    return Sender(f"session {os.getsid(0)}")


def numbered(environment: Mapping[str, str] | None = None) -> tuple[int, int] | None:
    """(which mail this is, of how many), 1-based, as newer git says it; None from an older one. Raises InputError for nonsense."""
    env = os.environ if environment is None else environment
    words = env.get("GIT_SENDEMAIL_FILE_COUNTER"), env.get("GIT_SENDEMAIL_FILE_TOTAL")
    if words == (None, None):
        return None
    numbers = [int(word) for word in words if word is not None and word.isascii() and word.isdigit() and len(word) < 9]
    if len(numbers) != 2 or not 1 <= numbers[0] <= numbers[1]:
        raise InputError("GIT_SENDEMAIL_FILE_COUNTER", f"{words[0]!r} of {words[1]!r} is no number of a mail", "")
    return numbers[0], numbers[1]


class Session:
    """The mails of one sending, in order, kept between calls."""

    def __init__(self, repository: str, who: Sender) -> None:
        name = hashlib.sha256(f"{repository}\0{who.name}".encode("utf-8", "surrogateescape")).hexdigest()[:24]
        self._directory = _private()
        self._path = os.path.join(self._directory, f"send-{name}")

    def add(self, mail: str, first: bool) -> list[str]:
        """All mails so far and then this one; ``first`` forgets what was there, and so does a mail what came after it. Raises InputError."""
        before = [] if first else self._read()
        mails = [*before[: before.index(mail) if mail in before else None], mail]
        try:
            descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=self._directory)
            with open(descriptor, "wb") as file:
                file.write(b"".join(os.fsencode(path) + b"\0" for path in mails))
            os.replace(temporary, self._path)
        except OSError as error:
            raise InputError(self._directory, f"cannot be written: {(error.strerror or str(error)).lower()}", "") from None
        return mails

    def end(self) -> None:
        """Forget the session."""
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def _read(self) -> list[str]:
        with contextlib.suppress(OSError), open(self._path, "rb") as file:
            return [os.fsdecode(path) for path in file.read().split(b"\0")[:-1]]
        return []


def _private() -> str:
    """A directory that only this user can look into; what lies there for longer than STALE is removed. Raises InputError."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = runtime if os.path.isabs(runtime) and os.path.isdir(runtime) else tempfile.gettempdir()
    path = os.path.join(base, f"tlblint-{os.getuid()}")
    try:
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
        status = os.lstat(path)
    except OSError as error:
        raise InputError(path, f"cannot be made: {(error.strerror or str(error)).lower()}", "set TMPDIR to a directory that can be written") from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise InputError(path, "not a private directory of this user", "remove it")
    for name in os.listdir(path):
        with contextlib.suppress(OSError):
            if time.time() - os.lstat(os.path.join(path, name)).st_mtime > STALE:
                os.unlink(os.path.join(path, name))
    return path


def counted(who: Sender, mail: str) -> tuple[int, int] | None:
    """(which mail this is, of how many), found out from the arguments of the sending process; None when they do not tell."""
    if not who.arguments or not who.cwd:
        return None
    mail, mails = os.path.realpath(mail), _mails(who)
    if mail not in mails:  # made from a revision range, in a directory of its own, after all that was named
        mails += _listed(os.path.dirname(mail))
    mails = without_backups(mails)
    return (mails.index(mail) + 1, len(mails)) if mail in mails else None


def _mails(who: Sender) -> list[str]:
    """The mails among the arguments, in git's order. Values of options that are files ("--cc-cmd ./who") do not look like mails."""
    mails: list[str] = []
    for word in who.arguments:
        path = os.path.realpath(os.path.join(who.cwd, word))
        if word.startswith("-") or not word:
            continue
        if os.path.isdir(path):
            mails += _listed(path)
        elif _is_mail(path):
            mails.append(path)
    return mails


def _listed(directory: str) -> list[str]:
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    return [path for name in names if os.path.isfile(path := os.path.join(directory, name))]


def _is_mail(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            head = file.read(1 << 14) if os.path.isfile(path) else b""
    except OSError:
        return False
    return re.match(rb"From |[A-Za-z][A-Za-z0-9-]*:", head) is not None and re.search(rb"^subject:", head, re.MULTILINE | re.IGNORECASE) is not None


def without_backups(mails: Sequence[str]) -> list[str]:
    """Without what editors left beside a mail: git passes over a name that goes on where the one before it ended, unless with a letter or digit."""
    kept: list[str] = []
    for path in mails:
        tail = path[len(kept[-1]) :] if kept and path.startswith(kept[-1]) else ""
        if not tail or tail[0].isalnum():
            kept.append(path)
    return kept
