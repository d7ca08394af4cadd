"""The entry point. Imports nothing before it knows what is asked: a hook starts this once per patch."""

from __future__ import annotations

import gc
import sys
from contextlib import suppress


def main() -> None:
    """Run tlblint with ``sys.argv``; never returns normally."""
    if sys.argv[1:] == ["--version"] and sys.stdout is not None:  # the common case does not need click
        from tlblint import __version__

        with suppress(OSError):  # told below, as for every other command
            print(f"tlblint {__version__}", flush=True)
            sys.exit(0)
    # Records are tuples that live to the end of the run: looking for cycles among them often costs a tenth of it and finds nothing.
    gc.set_threshold(200_000, 20, 20)
    try:
        from tlblint.cli.run import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)
