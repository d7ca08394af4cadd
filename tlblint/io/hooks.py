"""Hook files of a git repository: where they are, whose they are, and how one is put there and taken away.

A hook that somebody else put there is moved aside, never changed: its name, bytes and mode come back when ours goes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tempfile

import msgspec

from tlblint.io import git
from tlblint.io.errors import InputError

ASIDE = ".tlblint-chained"
"""The end of the name under which a foreign hook waits, in the same directory: its own relative links go on working."""
_MARK = b"# tlblint hook 1 "
_LIMIT = 1 << 20


class Place(msgspec.Struct, frozen=True):
    """Where git looks for hooks. ``scope`` is that of core.hooksPath ("global", "system", ...), "" without that setting."""

    directory: str
    top: str
    scope: str

    def of(self, name: str) -> str:
        """Absolute path of a hook."""
        return os.path.join(self.directory, name)

    @property
    def shared(self) -> bool:
        """Whether other repositories run the hooks of this directory, too."""
        return self.scope in ("global", "system")

    @property
    def tracked(self) -> bool:
        """Whether the directory belongs to the work tree and not to the repository."""
        return (self.directory + "/").startswith(self.top.rstrip("/") + "/") and "/.git/" not in self.directory[len(self.top) :] + "/"


def place(cwd: str) -> Place:
    """The hooks of the repository around ``cwd``, of all its work trees. Raises InputError outside of one."""
    top = git.toplevel(cwd)
    if top is None:
        raise InputError(cwd, "not in a git work tree", "change to the one that is to have hooks")
    scope, configured = _configured(top)
    if configured:
        return Place(os.path.realpath(os.path.join(top, configured)), top, scope)
    common = os.fsdecode(git.run(top, ["rev-parse", "--git-common-dir"]).removesuffix(b"\n"))
    return Place(os.path.join(os.path.realpath(os.path.join(top, common)), "hooks"), top, "")


def _configured(top: str) -> tuple[str, str]:
    """(scope, value) of core.hooksPath, which our own git overrides on its command line; ("", "") when it is not set."""
    status, out, _ = git.attempt(top, ["config", "--null", "--show-scope", "--type=path", "--get-all", "core.hooksPath"])
    fields = out.split(b"\0")
    rows = [(fields[at].decode(), os.fsdecode(fields[at + 1])) for at in range(0, len(fields) - 1, 2)] if status == 0 else []
    return next((row for row in reversed(rows) if row[0] != "command"), ("", ""))


def sealed(script: str) -> bytes:
    """A script with a line after the first that says it is ours, and by which a later change is seen."""
    first, rest = script.encode().split(b"\n", 1)
    return first + b"\n" + _MARK + hashlib.sha256(rest).hexdigest()[:16].encode() + b"\n" + rest


def owner(path: str) -> str:
    """Who wrote the hook at ``path``: "ours", "changed" (ours, then edited), "foreign", or "" when there is none."""
    if not os.path.lexists(path):
        return ""
    raw = read(path)
    lines = raw.split(b"\n", 2)
    if len(lines) < 3 or not lines[1].startswith(_MARK):
        return "foreign"
    return "ours" if sealed((lines[0] + b"\n" + lines[2]).decode("utf-8", "surrogateescape")) == raw else "changed"


def read(path: str) -> bytes:
    """The bytes of a hook; b"" for what is no regular file of a sensible size, which is then foreign."""
    with contextlib.suppress(OSError):
        if stat.S_ISREG(os.lstat(path).st_mode) and os.lstat(path).st_size <= _LIMIT:
            with open(path, "rb") as file:
                return file.read()
    return b""


def asks_its_name(path: str) -> bool:
    """Whether a hook seems to look at the name that it was called by, which moving it aside changes."""
    with contextlib.suppress(OSError):
        if os.path.isfile(path) and os.path.getsize(path) <= _LIMIT:
            with open(path, "rb") as file:
                return re.search(rb"basename|\$\{0##|argv\[0\]|__file__|\$0\s*=~|\bFindBin\b", file.read()) is not None
    return False


def waiting(path: str) -> str:
    """What waits beside the hook at ``path``: "" nothing, "same" that very hook (an installation that was interrupted), "other" another one."""
    if not os.path.lexists(path + ASIDE):
        return ""
    return "same" if os.path.lexists(path) and os.path.samestat(os.lstat(path), os.lstat(path + ASIDE)) else "other"


def write(path: str, script: bytes) -> None:
    """Put an executable at ``path`` in one step. Raises InputError."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".tlblint-", dir=os.path.dirname(path))
        try:
            with open(descriptor, "wb") as file:
                file.write(script)
                os.fchmod(file.fileno(), 0o755)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise _failed(path, "written", error) from None


def aside(path: str) -> None:
    """Give the hook at ``path`` its second name; the first one stays until ``write`` takes it over, so there is a hook at every moment."""
    if waiting(path) == "same":
        return
    try:
        try:
            os.link(path, path + ASIDE, follow_symlinks=False)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            os.rename(path, path + ASIDE)
    except OSError as error:
        raise _failed(path + ASIDE, "written", error) from None


def remove(path: str) -> None:
    """Take our hook away; what was moved aside comes back as it was. Raises InputError."""
    try:
        if os.path.lexists(path + ASIDE):
            os.replace(path + ASIDE, path)
        else:
            os.unlink(path)
    except OSError as error:
        raise _failed(path, "taken away", error) from None


def _failed(path: str, what: str, error: OSError) -> InputError:
    return InputError(path, f"cannot be {what}: {(error.strerror or str(error)).lower()}")
