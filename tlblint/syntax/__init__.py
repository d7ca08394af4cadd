"""The front end: from the bytes of a C file to syntax trees of the functions that matter, and a word on their health."""

from __future__ import annotations

from tlblint.syntax.config import Config
from tlblint.syntax.front import parse_file
from tlblint.syntax.records import ParsedFile, ParsedFunction
from tlblint.syntax.slicer import index_functions

__all__ = ["Config", "ParsedFile", "ParsedFunction", "index_functions", "parse_file"]
