"""Rule files: literate Markdown with one TOML block of metadata and transitions, and examples that are tests."""

from tlblint.rulefile.examples import Example, examples_of
from tlblint.rulefile.parse import RuleFileError, parse_rule

__all__ = ["Example", "RuleFileError", "examples_of", "parse_rule"]
