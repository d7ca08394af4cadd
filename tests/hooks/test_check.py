"""TLB201 in a check and in a series, from the command line: where it stands, when it looks, and that a comment silences it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hooks.mini import FILES, GENERIC, TLB, Files
from tests.series.kit import build, judge, rows

STUB = "static inline void init_tlb_gen(struct mm_struct *mm) { }\n"
BROKEN = {GENERIC: TLB.replace(STUB, "")}


def tree(place: Path, more: Files) -> Path:
    for path, text in {**FILES, **more}.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text or "")
    return place


def checked(place: Path, *arguments: str) -> tuple[int, list[dict[str, object]]]:
    command = [sys.executable, "-m", "tlblint", "check", "--tree", str(place), "-f", "json", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return run.returncode, [found for found in json.loads(run.stdout)["findings"] if found["rule"] in ("TLB201", "TLB902")]


def test_a_missing_hook_is_an_error_where_it_is_used(tmp_path: Path) -> None:
    status, (found,) = checked(tree(tmp_path, BROKEN))
    assert (status, found["rule"], found["path"], found["line"], found["function"]) == (1, "TLB201", "mm/init.c", 5, "init_tlb_gen")
    assert "on alpha and arm" in str(found["message"])


def test_a_tree_with_all_its_hooks_has_no_finding(tmp_path: Path) -> None:
    assert checked(tree(tmp_path, {})) == (0, [])


def test_only_names_of_flushes_are_looked_at(tmp_path: Path) -> None:
    other = TLB.replace("init_tlb_gen", "init_gen")
    use = (FILES["mm/init.c"] or "").replace("init_tlb_gen", "init_gen")
    assert checked(tree(tmp_path, {GENERIC: other.replace(STUB.replace("init_tlb_gen", "init_gen"), ""), "mm/init.c": use})) == (0, [])


@pytest.mark.parametrize("arguments", [("mm",), ("--ignore", "TLB201")])
def test_it_looks_only_when_the_generic_header_is_checked(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert checked(tree(tmp_path, BROKEN), *arguments) == (0, [])


def test_a_comment_silences_it(tmp_path: Path) -> None:
    use = (FILES["mm/init.c"] or "").replace("\tinit", "\t/* tlblint: allow TLB201 -- the macro comes from a script */\n\tinit")
    status, found = checked(tree(tmp_path, {**BROKEN, "mm/init.c": use}))
    assert status == 0 and not [one for one in found if not one["suppressed"]]


def test_a_header_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    bomb = {"include/linux/tlb_bomb.h": "#include <linux/tlb_bomb.h>\nint tlb_bomb(void);\n", GENERIC: "#include <linux/tlb_bomb.h>\n" + TLB}
    _, found = checked(tree(tmp_path, bomb))
    assert [(one["rule"], one["path"]) for one in found] == [("TLB902", "include/linux/tlb_bomb.h")]


def test_the_second_check_remembers_and_sees_what_has_changed(tmp_path: Path) -> None:
    place = tree(tmp_path / "tree", {})
    assert checked(place) == checked(place) == (0, [])
    tree(place, BROKEN)
    assert checked(place) == checked(place)
    assert checked(place)[0] == 1


def test_a_series_tells_it_at_the_patch(tmp_path: Path) -> None:
    top = build(tmp_path, dict(FILES), {"mm/note.c": "/* */\n"}, BROKEN, {"mm/note.c": "/* more */\n"}, {GENERIC: TLB})
    assert rows(judge(top, 4)) == [("TLB201", "mm/init.c", "init_tlb_gen", 2, "introduced", 4)]


def test_a_series_is_not_told_what_the_base_lacks(tmp_path: Path) -> None:
    top = build(tmp_path, {**FILES, **BROKEN}, {GENERIC: "/* */\n" + (BROKEN[GENERIC])})
    assert rows(judge(top, 1)) == []


def test_a_symbol_of_flushes_that_nobody_declares_is_named_where_it_is_tested_and_selected(tmp_path: Path) -> None:
    kconfig = (FILES["mm/Kconfig"] or "").replace("config TLB_GENERATIONS", "config TLB_EPOCHS")
    status, found = checked(tree(tmp_path, {"mm/Kconfig": kconfig}))
    assert status == 1
    assert {(one["path"], one["function"]) for one in found} == {(GENERIC, "CONFIG_TLB_GENERATIONS"), ("arch/x86/Kconfig", "TLB_GENERATIONS")}


def test_a_symbol_of_something_else_is_not_looked_for(tmp_path: Path) -> None:
    assert checked(tree(tmp_path, {"mm/init.c": (FILES["mm/init.c"] or "") + "#ifdef CONFIG_NO_SUCH_THING\n#endif\n"})) == (0, [])


def test_of_a_tree_without_its_kconfig_files_that_is_named(tmp_path: Path) -> None:
    part = tree(tmp_path / "part", {GENERIC: TLB.replace("CONFIG_TLB_GENERATIONS", "CONFIG_TLB_AGES"), "Kconfig": 'source "net/Kconfig"\n'})
    _, found = checked(part)
    assert [(one["rule"], one["path"]) for one in found] == [("TLB902", "net/Kconfig")] and "Kconfig asks for it" in str(found[0]["message"])
    none = tree(tmp_path / "none", {})
    for path in none.glob("arch/*/Kconfig"):
        path.unlink()
    _, found = checked(none)
    assert [(one["rule"], one["path"]) for one in found] == [("TLB902", "arch")] and "on none" in str(found[0]["message"])


def test_a_series_that_takes_a_symbol_away_is_told_so_and_what_it_cannot_know_is_noted(tmp_path: Path) -> None:
    gone = {"mm/Kconfig": (FILES["mm/Kconfig"] or "").replace("config TLB_GENERATIONS\n\tbool\n", "")}
    top = build(tmp_path / "whole", dict(FILES), {"mm/note.c": "/* */\n"}, gone)
    told = [row for row in rows(judge(top, 2)) if row[0] == "TLB201"]
    assert {(path, name, patch) for _, path, name, patch, *_ in told} == {(GENERIC, "CONFIG_TLB_GENERATIONS", 2), ("arch/x86/Kconfig", "TLB_GENERATIONS", 2)}
    part = build(tmp_path / "part", {**FILES, "Kconfig": (FILES["Kconfig"] or "") + 'source "net/Kconfig"\n'}, gone)
    said = judge(part, 1)
    assert said.series is not None
    assert rows(said) == [] and any("net/Kconfig: TLB201: is not there" in note for note in said.series.patches[0].notes)


@pytest.mark.parametrize("kind", ["directory", "pipe", "link to itself", "link out of the tree"])
def test_a_kconfig_file_that_is_something_else_is_named_as_missing(tmp_path: Path, kind: str) -> None:
    place = tree(tmp_path / "tree", {})
    path = place / "mm/Kconfig"
    path.unlink()
    if kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link to itself":
        path.symlink_to("Kconfig")
    else:
        (tmp_path / "other").write_text(FILES["mm/Kconfig"] or "")
        path.symlink_to(tmp_path / "other")
    _, found = checked(place)
    assert [(one["rule"], one["path"]) for one in found] == [("TLB902", "mm/Kconfig")]
