"""What the command line needs of io: errors, standard streams, the terminal."""

from tlblint.io.errors import InputError
from tlblint.io.output import ReaderGone, write_stderr, write_stdout
from tlblint.io.stages import Stages
from tlblint.io.term import Progress
from tlblint.report.text import clean

__all__ = ["InputError", "Progress", "ReaderGone", "Stages", "clean", "note", "write_stderr", "write_stdout"]


def note(text: str) -> None:
    """One line on standard error about what does not change a finding."""
    write_stderr(f"tlblint: {clean(text)}\n")
