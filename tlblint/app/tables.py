"""The shipped TOML tables as they were parsed by an earlier run: Python's own parser takes longer for them than all that is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from tlblint.model.store import NOTHING, Store, key
from tlblint.roles import decode

KIND = "toml"


def recall(texts: Sequence[str], store: Store) -> None:
    """Have the tables that ``texts`` are at hand; parses them, and remembers that, when ``store`` does not know them. Texts that are no TOML are
    left to those who can say what is wrong with them."""
    if store is NOTHING:
        return
    name = key(*texts)
    row = store.get(KIND, [name]).get(name)
    if row is not None:
        with suppress(msgspec.DecodeError, ValueError):
            decode.know(dict(zip(texts, msgspec.msgpack.decode(row, type=list[dict[str, Any]]), strict=True)))
            return
    import tomllib

    with suppress(tomllib.TOMLDecodeError, TypeError):
        parsed = [tomllib.loads(text) for text in texts]
        store.put(KIND, {name: msgspec.msgpack.encode(parsed)})
        decode.know(dict(zip(texts, parsed, strict=True)))
