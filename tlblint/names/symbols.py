"""What the Kconfig files of an architecture say: symbols with what they depend on, who selects them, and choices."""

from __future__ import annotations

import msgspec

Expr = tuple[str, ...]
"""The tokens of a condition or value; () as a condition: always."""


class Symbol(msgspec.Struct):
    """One symbol. ``depends``: for each place that it is defined at, conditions that all must hold; prompts (number of the place, condition) and
    defaults (number, value, condition) hold only there. ``choice``: its group, or 0."""

    name: str
    kind: str = "bool"
    prompts: list[tuple[int, Expr]] = msgspec.field(default_factory=list)
    defaults: list[tuple[int, Expr, Expr]] = msgspec.field(default_factory=list)
    depends: list[tuple[Expr, ...]] = msgspec.field(default_factory=list)
    choice: int = 0
    front: int = 0
    """Where the next default goes: an architecture's come before those that all share."""

    @property
    def boolean(self) -> bool:
        """Whether it is y or n; a module counts as y."""
        return self.kind in ("bool", "tristate")


class Kconfig(msgspec.Struct):
    """All symbols of an architecture. ``selects``: selected -> [(by whom, under which condition)]; ``choices``: group -> members;
    ``chosen``: group -> its default. ``cut``: there was more than is read of one tree."""

    arch: str = ""
    symbols: dict[str, Symbol] = msgspec.field(default_factory=dict)
    selects: dict[str, list[tuple[str, Expr]]] = msgspec.field(default_factory=dict)
    choices: dict[int, list[str]] = msgspec.field(default_factory=dict)
    chosen: dict[int, str] = msgspec.field(default_factory=dict)
    files: list[str] = msgspec.field(default_factory=list)
    cut: bool = False
