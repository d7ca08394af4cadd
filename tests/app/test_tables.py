"""Tables that an earlier run has parsed are what parsing them gives."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest

from tlblint.app import tables
from tlblint.app.shipped import role_files
from tlblint.app.shipped import texts as shipped_texts
from tlblint.model.store import Held
from tlblint.roles import decode, load_roles

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


def test_roles_that_are_remembered_are_those_that_were_read(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Held()
    texts = role_files(shipped_texts("api"))
    for features in (frozenset[str](), frozenset({"accessible-takes-pointer"})):
        table = load_roles(texts, features)
        assert tables.roles(texts, features, store) == table
        with monkeypatch.context() as patch:
            patch.setattr(tables, "load_roles", lambda *asked: pytest.fail("read again"))
            again = tables.roles(texts, features, store)
        assert again == table
        assert list(again.roles()) == list(table.roles())


def test_a_row_that_holds_no_roles_is_passed_over() -> None:
    store = Held()
    texts = {"a.toml": '[[role]]\nnames = ["f"]\neffects = []\nnote = "nothing"\n'}
    tables.roles(texts, frozenset(), store)
    for kind, name in list(store._rows):
        store.put(kind, {name: b"\x91\x01"})
    assert tables.roles(texts, frozenset(), store) == load_roles(texts, frozenset())
