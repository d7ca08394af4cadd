"""``git apply`` and ``git merge-file`` on a handful of files in a private directory, where git finds no repository, no settings, no attributes.

Files go under names of our own: no name from a patch ever reaches a file system.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import msgspec

from tlblint.io import git
from tlblint.io.errors import InputError
from tlblint.model.series import FilePatch

SECONDS = 60
"""After so long a patch is given up: searching for hunks takes time quadratic in their number."""

_SETTINGS = ("core.autocrlf=false", "core.attributesFile=/dev/null", "core.hooksPath=/dev/null", "apply.whitespace=nowarn", "apply.ignoreWhitespace=no")
_OFFSET = re.compile(rb"^Hunk #\d+ succeeded at \d+ \(offset (-?\d+) lines?\)", re.M)
_FAILED = re.compile(rb"^error: patch failed: (f\d+):(\d+)$", re.M)
_REFUSED = re.compile(rb"^error: (f\d+): (.+)$", re.M)


class TooLong(Exception):
    """git was ended because it ran for more than SECONDS."""


class Outcome(msgspec.Struct, frozen=True):
    """``files`` is what the files hold after it (None: gone), or None when nothing was applied. ``offset`` is the largest distance of a hunk
    from where its header puts it. ``failed`` are (path, first line of the hunk) in git's order; ``said`` is git's own complaint."""

    files: Mapping[str, bytes | None] | None
    offset: int = 0
    failed: tuple[tuple[str, int], ...] = ()
    said: str = ""


def apply(files: Mapping[str, bytes | None], sections: Sequence[FilePatch], reverse: bool = False) -> Outcome:
    """Apply text changes to ``files`` (path -> content, None: not there), all of them or none. Every path of ``sections`` is in ``files``."""
    names = {path: f"f{number}" for number, path in enumerate(files)}
    with _private() as place:
        for path, raw in files.items():
            if raw is not None:
                _write(place, names[path], raw)
        words = ["apply", "-p1", "--verbose", *(["--reverse"] if reverse else []), "-"]
        status, _, err = _run(place, words, b"".join(_section(one, names) for one in sections))
        if status != 0:
            return _failure(err, {name: path for path, name in names.items()})
        return Outcome({path: _read(place, name) for path, name in names.items()}, max(map(int, _OFFSET.findall(err)), key=abs, default=0))


def merge(ours: bytes, base: bytes, theirs: bytes) -> bytes | None:
    """The three-way merge of a file; None when there is a conflict."""
    with _private() as place:
        for name, raw in (("ours", ours), ("base", base), ("theirs", theirs)):
            _write(place, name, raw)
        status, out, _ = _run(place, ["merge-file", "-p", "-q", "ours", "base", "theirs"], b"")
        return out if status == 0 else None


@contextmanager
def _private() -> Iterator[str]:
    """A directory of our own, gone afterwards. Raises InputError where there is no place for one."""
    try:
        with tempfile.TemporaryDirectory(prefix="tlblint-") as place:
            yield place
    except OSError as error:
        why = (error.strerror or "error").lower()
        raise InputError("temporary files", f"cannot be written ({why})", "make room for them, or name another place in TMPDIR") from None


def _run(place: str, words: Sequence[str], stdin: bytes) -> tuple[int, bytes, bytes]:
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    environment = {name: value for name, value in git.environment().items() if not name.startswith(("GIT_DIR", "GIT_CONFIG"))}
    environment.update(
        GIT_CEILING_DIRECTORIES=os.path.dirname(os.path.realpath(place)), GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull,
        GIT_CONFIG_NOSYSTEM="1", GIT_ATTR_NOSYSTEM="1",
    )  # fmt: skip
    try:
        done = subprocess.run(["git", *settings, *words], cwd=place, env=environment, input=stdin, capture_output=True, check=False, timeout=SECONDS)
    except FileNotFoundError:
        return 127, b"", b"error: git is not installed\n"
    except subprocess.TimeoutExpired:
        raise TooLong(f"takes git {words[0]} more than {SECONDS} s") from None
    return done.returncode, done.stdout, done.stderr


def _failure(err: bytes, paths: Mapping[str, str]) -> Outcome:
    failed = [(paths[name.decode()], int(line)) for name, line in _FAILED.findall(err)]
    said = next((text for _, text in _REFUSED.findall(err) if text != b"patch does not apply"), b"")
    complaint = next((line for line in err.split(b"\n") if line.startswith((b"error: ", b"fatal: "))), b"")
    text = (said or complaint.partition(b": ")[2] or b"git apply failed").decode("utf-8", "replace")
    return Outcome(None, 0, tuple(failed), re.sub(r"\bf\d+\b", lambda match: paths.get(match[0], match[0]), text))


def _section(one: FilePatch, names: Mapping[str, str]) -> bytes:
    """The section of a diff with our own names in a header of our own."""
    old = names[one.old_path] if one.old_path is not None else None
    new = names[one.new_path] if one.new_path is not None else None
    head = [f"diff --git a/{old or new} b/{new or old}"]
    if one.kind == "create":
        head.append(f"new file mode {_mode(one.new_mode)}")
    elif one.kind == "delete":
        head.append(f"deleted file mode {_mode(one.old_mode)}")
    elif one.kind in ("rename", "copy"):
        head += ["similarity index 50%", f"{one.kind} from {old}", f"{one.kind} to {new}"]
    if one.hunks:
        head += [f"--- a/{old}" if old else "--- /dev/null", f"+++ b/{new}" if new else "+++ /dev/null"]
    return "\n".join(head).encode("ascii") + b"\n" + _hunks(one)


def _hunks(one: FilePatch) -> bytes:
    if not one.hunks:
        return b""
    at = 0
    for _ in range(one.hunks[0].line - 1):
        at = one.raw.index(b"\n", at) + 1
    return one.raw[at:]


def _mode(mode: str | None) -> str:
    return "100755" if mode is not None and int(mode, 8) & 0o100 else "100644"


def _write(place: str, name: str, raw: bytes) -> None:
    with open(os.path.join(place, name), "xb") as file:
        file.write(raw)


def _read(place: str, name: str) -> bytes | None:
    try:
        with open(os.path.join(place, name), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
