"""What came of predicates is remembered as long as the files are what they were, and not a moment longer."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.predicates.mini import RIGHT, TYPES, WRONG, tree, write
from tlblint.app import executed as executed_app
from tlblint.app import refuted
from tlblint.app.predicates_data import Data
from tlblint.app.reading import Reading
from tlblint.app.spine import Wanted, load
from tlblint.findings.own import by_code
from tlblint.io.marks import NONE, Still, mark, still
from tlblint.io.overlay import Overlay
from tlblint.io.tree import open_tree
from tlblint.io.walk import MARGIN
from tlblint.model.store import Held
from tlblint.names.unit import Shelf

RULES = by_code(load(Wanted()).rules)
HEADER = "arch/x86/include/asm/tlbflush.h"


@pytest.fixture
def executed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The machines that something was executed for."""
    names: list[str] = []
    plain = executed_app.told

    def told(read: Reading, ships: Data, machine: refuted.Machine, shelf: Shelf) -> refuted.Told:
        names.append(machine.name)
        return plain(read, ships, machine, shelf)

    monkeypatch.setattr(executed_app, "told", told)
    return names


def found(place: Path, store: Held) -> list[str]:
    findings, _, _ = refuted.in_tree(open_tree("/", str(place), None), lambda _: True, RULES, (), store)
    return [f"{finding.path}:{finding.line}" for finding in findings]


def aged(place: Path) -> Path:
    """A tree whose files say by their times what they are."""
    for path in place.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return place


def test_nothing_is_executed_twice_for_the_same_files(tmp_path: Path, executed: list[str]) -> None:
    place, store = write(tmp_path, tree(WRONG)), Held()
    assert found(place, store) == found(place, store) == [f"{HEADER}:3"]
    assert executed == ["x86-64"]


EDITS: dict[str, Callable[[Path], object]] = {
    "the definition": lambda place: (place / HEADER).write_text("\n" + WRONG),
    "a header behind it": lambda place: (place / "arch/x86/include/asm/pgtable_types.h").write_text(TYPES + "\n"),
    "Kconfig": lambda place: (place / "arch/x86/Kconfig").write_text("config X86\n"),
    "a header that comes to hide another": lambda place: write(place, {"arch/x86/include/linux/mm.h": b"#include <asm/tlbflush.h>\n\n"}),
    "a header that is gone": lambda place: (place / "arch/x86/include/asm/pgtable_types.h").unlink(),
    "a link in place of a header": lambda place: _linked(place),
}


def _linked(place: Path) -> None:
    header = place / "arch/x86/include/asm/pgtable_types.h"
    header.rename(header.with_name("other.h"))
    header.symlink_to("other.h")


@pytest.mark.parametrize("margin", [MARGIN, -(10**12)], ids=["by text", "by state"])
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_after_an_edit_it_is_what_a_run_without_memory_finds(
    tmp_path: Path, executed: list[str], monkeypatch: pytest.MonkeyPatch, edit: Callable[[Path], object], margin: int
) -> None:
    monkeypatch.setattr("tlblint.io.marks.MARGIN", margin)
    place, store = aged(write(tmp_path, tree(WRONG))), Held()
    found(place, store)
    edit(place)
    assert found(place, store) == found(place, Held())
    assert executed == ["x86-64"] * 3


def test_an_edit_of_what_is_not_read_costs_nothing(tmp_path: Path, executed: list[str]) -> None:
    place, store = write(tmp_path, tree(RIGHT, {"mm/memory.c": "int x;\n", "include/linux/other.h": "\n"})), Held()
    found(place, store)
    write(place, {"mm/memory.c": b"int y;\n", "include/linux/other.h": b"int y;\n"})
    assert found(place, store) == []
    assert executed == ["x86-64"]


def test_rows_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    class Odd(Held):
        def get(self, kind: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
            return dict.fromkeys(keys, b"\x93\x90\x81\xc4")

    assert found(write(tmp_path, tree(WRONG)), Odd()) == [f"{HEADER}:3"]


def test_a_mark_holds_until_the_file_changes(tmp_path: Path) -> None:
    write(tmp_path, {"a.h": b"one", "b.h": b"two"})
    base = open_tree("/", str(tmp_path), None)
    late = mark(base, "a.h")
    aged(tmp_path)
    now = {path: mark(base, path) for path in ("a.h", "b.h", "c.h")}
    assert still(base, "a.h", late) and all(still(base, path, what) for path, what in now.items())
    after = Overlay(base, {"a.h": b"three", "b.h": None, "c.h": b"one"})
    assert not any(still(after, path, what) for path, what in now.items())
    assert all(still(after, path, mark(after, path)) for path in now)
    assert not still(after, "a.h", late)


def test_a_directory_that_comes_to_be_counts(tmp_path: Path) -> None:
    write(tmp_path, {"a.h": b"one"})
    base = open_tree("/", str(tmp_path), None)
    paths = ("new/b.h", "new/c.h", "new/deep/d.h")
    assert {mark(base, path) for path in paths} == {NONE} and all(Still(base)(path, NONE) for path in paths)
    after = Overlay(base, {"new/b.h": b"two"})
    assert [Still(after)(path, NONE) for path in paths] == [False, True, True]
    write(tmp_path, {"new/deep/d.h": b"two"})
    assert [Still(base)(path, NONE) for path in paths] == [True, True, False]
