"""Where the shipped data is: at the top of a checkout, inside the package in a wheel."""

from __future__ import annotations

import errno
import os
import stat

from tlblint.io.errors import InputError


def package() -> str:
    """Absolute path of the package. importlib.resources takes longer to load than all that is asked of it."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def root(name: str) -> str:
    """Absolute path of a shipped directory: "rules", "reports/templates", "fixtures/demo" or "fixtures/scenarios"."""
    here = package()
    # A checkout wins: an editable install must not read a stale copy. It is one when pyproject.toml lies beside the package.
    top = os.path.dirname(here)
    places = [os.path.join(top, name)] if os.path.isfile(os.path.join(top, "pyproject.toml")) else []
    for place in [*places, os.path.join(here, "_data", name)]:
        if os.path.isdir(place):
            return place
    raise InputError(name, "this installation lacks its data files", "install tlblint again")


def form() -> str:
    """What runs the modules that a wheel may have in C: see native.py. "C" or "Python"."""
    here = os.path.join(package(), "engine")
    return "C" if any(name.startswith("interp.") and name.endswith((".so", ".pyd")) for name in os.listdir(here)) else "Python"


def read(path: str) -> bytes:
    """The bytes of a data file that the user names. Raises InputError."""
    try:
        return regular(path)
    except (OSError, ValueError) as error:
        raise InputError(path, f"cannot be read: {(getattr(error, 'strerror', None) or str(error)).lower()}") from None


MOST = 16 << 20
"""Bytes of the largest file that is read for a setting."""


def regular(path: str, most: int = MOST) -> bytes:
    """The bytes of a regular file of at most ``most``: a FIFO does not block, a device does not go on for ever. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if state.st_size > most:
            raise OSError(errno.EFBIG, "too large")
        return file.read()


def files(directory: str, suffix: str) -> dict[str, bytes]:
    """Contents of the files right in ``directory`` whose name ends in ``suffix``, by name, sorted."""
    found = {}
    for name in sorted(os.listdir(directory)):
        if name.endswith(suffix):
            with open(os.path.join(directory, name), "rb") as file:
                found[name] = file.read()
    return found
