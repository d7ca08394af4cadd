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
    # Nothing here makes cycles that matter: looking for them costs a tenth of a run and finds nothing.
    gc.disable()
    end = None
    try:
        if sys.argv[1:2] == ["check"]:
            from tlblint.app import reader

            end = reader.begin(sys.argv[2:])
        from tlblint.cli.run import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        status = 130
    except RuntimeError as error:
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        status = 130
    finally:
        if end is not None:
            end()
    gc.freeze()  # the interpreter's last look for cycles would go through all that there is
    sys.exit(status)
