"""Writing results: whole files or none, and a reader that goes away is no error of ours."""

from __future__ import annotations

import contextlib
import os
import select
import sys

from tlblint.io.errors import InputError


class ReaderGone(Exception):
    """Standard output was closed by its reader (``tlblint check | head``)."""


def write_file(path: str, data: bytes, where: str) -> None:
    """Put ``data`` at ``path`` in one step: a full disk or a crash leaves the old file or none, never half of one.

    ``where`` names the option in the error. Devices and pipes (/dev/stdout, /dev/fd/3) are written in place.
    """
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            if os.path.isdir(path):
                raise InputError(where, f"{path} is a directory", "name a file")
            with open(path, "wb") as sink:
                sink.write(data)
            return
        _replace(os.path.realpath(path), data)
    except OSError as error:
        raise InputError(where, f"cannot write {path}: {(error.strerror or str(error)).lower()}", "nothing was written there") from None


def _replace(path: str, data: bytes) -> None:
    import tempfile  # slow to load, and most runs write no file

    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o666 & ~_umask()
    descriptor, temporary = tempfile.mkstemp(prefix=".tlblint-", dir=os.path.dirname(path))
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def write_stdout(data: bytes) -> None:
    """Write to standard output and flush. Raises ReaderGone on a closed pipe, InputError on a full disk."""
    try:
        stream = sys.stdout
        if stream is None:  # started with ``>&-``
            raise ValueError("it is closed")
        stream.flush()
        _write_all(stream.fileno(), data)
    except BrokenPipeError:
        _silence()
        raise ReaderGone from None
    except (OSError, ValueError) as error:
        _silence()
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError("standard output", f"cannot write: {reason.lower()}") from None


def _write_all(descriptor: int, data: bytes) -> None:
    """Write everything: with PYTHONUNBUFFERED the stream would stop at what a pipe takes at once, and a pipe may be non-blocking."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])


def write_stderr(text: str) -> None:
    """Write text to standard error as far as that is possible."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding, "replace"))
        sys.stderr.flush()


def _silence() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not complain."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, sys.stdout.fileno())
        os.close(nothing)
