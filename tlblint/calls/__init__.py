"""Whole-program view of the facts: which definition a call means, and who calls whom."""

from tlblint.calls.program import Program

__all__ = ["Program"]
