"""The name of the code that runs: remembered as long as no file of it has changed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tlblint.io import data, stamp
from tlblint.model.store import Held

LATER = 3600 * 10**9


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for layer in stamp.LAYERS:
        (tmp_path / layer).mkdir()
        (tmp_path / layer / "one.py").write_text(f"{layer} = 1\n")
    now = time.time_ns
    monkeypatch.setattr(data, "package", lambda: str(tmp_path))
    monkeypatch.setattr(time, "time_ns", lambda: now() + LATER)
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    stamp._known.clear()
    stamp.stamp.cache_clear()


def again(store: Held) -> tuple[str, bool]:
    """(the stamp of a process that asks the store first, whether the store knew it)."""
    forget()
    stamp.recall(store)
    return stamp.stamp(), bool(stamp._known)


def test_what_is_remembered_is_what_was_read(package: Path) -> None:
    store = Held()
    read = stamp.stamp()
    assert again(store) == (read, False)
    assert again(store) == (read, True)


@pytest.mark.parametrize("layer", [stamp.LAYERS[0], stamp.LAYERS[-1]])
def test_a_change_is_seen(package: Path, layer: str) -> None:
    store = Held()
    before, _ = again(store)
    (package / layer / "one.py").write_text(f"{layer} = 2\n")
    after, known = again(store)
    assert after != before and not known
    (package / layer / "two.py").write_text("")
    assert again(store)[0] not in (before, after)


def test_what_may_still_change_is_not_remembered(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Held()
    monkeypatch.setattr(time, "time_ns", lambda: (package / "app" / "one.py").stat().st_mtime_ns)
    again(store)
    assert not store._rows


def test_a_row_that_is_no_stamp_is_passed_over(package: Path) -> None:
    store = Held()
    read, _ = again(store)
    for kind, name in list(store._rows):
        store.put(kind, {name: b"short"})
    assert again(store) == (read, False)
