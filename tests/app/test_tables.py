"""Tables that an earlier run has parsed are what parsing them gives."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest

from tlblint.app import tables
from tlblint.model.store import Held
from tlblint.roles import decode

GOOD = 'a = 1\n[[b]]\nc = ["x", true, -1.5]\nd = {e = "\\u00e9"}\n'


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    known = dict(decode._KNOWN)
    decode._KNOWN.clear()
    yield
    decode._KNOWN.update(known)


def test_the_second_time_nothing_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Held()
    tables.recall([GOOD, ""], store)
    decode._KNOWN.clear()
    monkeypatch.setattr(tomllib, "loads", lambda text: pytest.fail("parsed again"))
    tables.recall([GOOD, ""], store)
    monkeypatch.undo()
    assert {GOOD: tomllib.loads(GOOD), "": {}} == decode._KNOWN


def test_a_wrong_text_is_told_where_it_is_read() -> None:
    store = Held()
    tables.recall([GOOD, "a = = 1\n"], store)
    assert not decode._KNOWN
    with pytest.raises(decode.RoleError, match=r"x\.toml:1:5"):
        decode.parsed("x.toml", "a = = 1\n")


def test_rows_that_make_no_sense_are_passed_over() -> None:
    store = Held()
    tables.recall([GOOD], store)
    for kind, name in list(store._rows):
        store.put(kind, {name: b"\x91\x01"})
    decode._KNOWN.clear()
    tables.recall([GOOD], store)
    assert {GOOD: tomllib.loads(GOOD)} == decode._KNOWN
