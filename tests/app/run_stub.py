"""tlblint with the stub analysis, as a program of its own: ``python -m tests.app.run_stub ARGUMENTS``."""

import os
import sys

from tests.app import stub
from tlblint.app import rules, spine
from tlblint.cli.main import main

spine.load = stub.load
rules.heads = lambda: None
if "STUB_HANG" in sys.argv:  # to be interrupted while workers are busy
    import time

    sys.argv.remove("STUB_HANG")
    whole = stub.facts

    def slow(path, raw):  # type: ignore[no-untyped-def]
        os.write(2, b"busy\n")  # in one piece: several workers say so at once
        time.sleep(60)
        return whole(path, raw)

    stub.facts = slow
main()
