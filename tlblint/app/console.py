"""What the command line needs of io: errors, standard streams, the terminal."""

from collections.abc import Sequence

from tlblint.io.errors import InputError
from tlblint.io.output import ReaderGone, write_stderr, write_stdout
from tlblint.io.stages import Stages
from tlblint.io.term import Progress
from tlblint.report.silent import SILENT
from tlblint.report.text import clean

__all__ = ["InputError", "Progress", "ReaderGone", "Stages", "clean", "note", "silent", "write_stderr", "write_stdout"]


def silent(formats: Sequence[str]) -> bool:
    """Whether one of the values of -f is read by a program that takes any line on stderr for a failure."""
    return any(word.partition("=")[0] in SILENT for word in formats)


def note(text: str) -> None:
    """One line on standard error about what does not change a finding."""
    write_stderr(f"tlblint: {clean(text)}\n")
