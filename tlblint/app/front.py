"""The front end, imported when the first file is read: a run that finds all it needs remembered does without."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from tlblint.model.ir import FileFacts

if TYPE_CHECKING:
    from tlblint.syntax.config import Config


class Configs(Mapping[str, "Config"]):
    """Configurations by architecture, made when they are asked for. ``settings``: (architecture, CONFIG_ name -> whether it is on); of one
    architecture the first counts, and the first of all is that of "", for all others."""

    def __init__(self, settings: Sequence[tuple[str, Mapping[str, bool]]]) -> None:
        self._settings = {"": settings[0][1], **dict(reversed(settings))}
        self._made: dict[str, Config] = {}

    def __getitem__(self, architecture: str) -> Config:
        if architecture not in self._made:
            options = self._settings[architecture]
            from tlblint.syntax.config import Config

            self._made[architecture] = Config(frozenset(n for n, on in options.items() if on), frozenset(n for n, on in options.items() if not on))
        return self._made[architecture]

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings)

    def __len__(self) -> int:
        return len(self._settings)


def load(words: frozenset[bytes] = frozenset()) -> None:
    """Import it now, so that processes that are forked later need not. They will look for ``words`` in many files."""
    import tlblint.flow  # noqa: F401
    from tlblint.syntax.patterns import ready

    ready(words)


def facts_of(
    path: str, raw: bytes, config: Config, relevant: frozenset[bytes], also: frozenset[bytes] = frozenset(), helpers: frozenset[bytes] = frozenset(),
    known: frozenset[str] = frozenset(), expand: bool = False,
) -> FileFacts:
    """See tlblint.flow.facts_of()."""
    from tlblint.flow import facts_of as read

    return read(path, raw, config, relevant, also, helpers, known, expand)
