"""What the command line needs of io: errors, standard streams, the terminal."""

from tlblint.io.errors import InputError
from tlblint.io.output import ReaderGone, write_stderr, write_stdout
from tlblint.io.term import Progress
from tlblint.report.text import clean

__all__ = ["InputError", "Progress", "ReaderGone", "clean", "write_stderr", "write_stdout"]
