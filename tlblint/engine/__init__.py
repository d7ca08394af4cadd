"""The engine: rule automata run over every path of the functions that change page tables."""

from tlblint.engine.analyse import Context, EngineResult, Options, analyse
from tlblint.engine.grammar import RuleSpec

__all__ = ["Context", "EngineResult", "Options", "RuleSpec", "analyse"]
