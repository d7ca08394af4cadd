"""The shipped TOML tables as they were parsed by an earlier run: Python's own parser takes longer for them than all that is made of them. And what
is made of those of roles, which is looked through for mistakes before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from tlblint.io.stamp import stamp
from tlblint.model.roles import Role
from tlblint.model.store import NOTHING, Store, key
from tlblint.roles import RoleTable, decode, load_roles

KIND, ROLES = "toml", "roles"


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


def roles(texts: Mapping[str, str], features: frozenset[str], store: Store) -> RoleTable:
    """What load_roles makes of ``texts``, which ``store`` may know. Raises RoleError."""
    if store is NOTHING:
        return load_roles(texts, features)
    name = key(stamp(), *sorted(features), "", *(part for file in sorted(texts) for part in (file, texts[file])))
    row = store.get(ROLES, [name]).get(name)
    if row is not None:
        with suppress(msgspec.DecodeError, ValueError):
            return RoleTable.of(msgspec.msgpack.decode(row, type=tuple[Role, ...]))
    recall([texts[file] for file in sorted(texts)], store)
    table = load_roles(texts, features)
    store.put(ROLES, {name: msgspec.msgpack.encode(tuple(table.roles()))})
    return table
