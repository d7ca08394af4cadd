"""What an answer about hooks rests on in a C file: an edit that leaves it alone leaves the answer alone, and no other edit does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hooks.mini import FILES, GENERIC, MACHINES, TLB, listed
from tlblint.app import hooks
from tlblint.hooks import present
from tlblint.hooks.essence import essence
from tlblint.hooks.judge import Fault
from tlblint.io.apply import Applied
from tlblint.io.tree import PlainDir
from tlblint.model.store import Held
from tlblint.names.index import Index

SOUGHT = ("init_tlb_gen",)
NAMES = frozenset((*SOUGHT, "TLB_INIT"))
CODE = """#include <asm/tlb.h>

void mm_init(struct mm_struct *mm)
{
	if (mm->users)
		init_tlb_gen(mm);
#ifdef CONFIG_THING
	mm->count = 0;
#endif
}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{\n\tif", "{\n\t/* init_tlb_gen() is for those that have users */\n\tint more = mm->more;\n\n\tif"),
        ("mm->users", "mm->others && !mm->users(mm)"),
        ("mm->count = 0", "memset(&mm->count, 0, sizeof(mm->count))"),
        ("void mm_init", "static int other(void)\n{\n\treturn 1;\n}\n\nvoid mm_init"),
    ],
)
def test_what_has_nothing_to_do_with_hooks_leaves_it_alone(old: str, new: str) -> None:
    assert old in CODE
    assert essence(CODE.replace(old, new, 1).encode(), SOUGHT, NAMES) == essence(CODE.encode(), SOUGHT, NAMES) != b""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("init_tlb_gen(mm);", "init_tlb_gen(mm), init_tlb_gen(mm);"),
        ("init_tlb_gen(mm);", "TLB_INIT(mm); init_tlb_gen(mm);"),
        ("void mm_init", "void init_tlb_gen(struct mm_struct *mm)\n{\n}\n\nvoid mm_init"),
        ("void mm_init", "void init_tlb_gen(struct mm_struct *mm);\n\nvoid mm_init"),
        ("CONFIG_THING", "CONFIG_OTHER"),
        ("#ifdef CONFIG_THING\n", "#ifdef CONFIG_THING\n\tinit_tlb_gen(mm);\n"),
        ("<asm/tlb.h>", "<asm/tlbflush.h>"),
        ("mm->users", "IS_ENABLED(CONFIG_TLB_THING)"),
        ("\n}\n", "\n}\n}\n"),
    ],
)
def test_what_may_matter_changes_it(old: str, new: str) -> None:
    assert old in CODE
    assert essence(CODE.replace(old, new, 1).encode(), SOUGHT, NAMES) != essence(CODE.encode(), SOUGHT, NAMES)


def test_a_file_without_any_of_the_names_comes_down_to_nothing() -> None:
    assert essence(b"#if 1\nint a;\n#endif\n", SOUGHT, NAMES) == b""


LINES = ("#ifdef CONFIG_SMP", "#else", "#endif", "#define TLB_INIT(mm) init_tlb_gen(mm)", "#undef TLB_INIT", "void f(void)", "{", "}", "\tinit_tlb_gen(mm);",
         "\tTLB_INIT(mm);", "void init_tlb_gen(struct mm_struct *mm)", "/* init_tlb_gen */", "\tx = 1;", "int init_tlb_gen;", "\tg(", "mm);")  # fmt: skip
TEXTS = st.lists(st.sampled_from(LINES), max_size=8)


BROKEN = TLB.replace("#else\nstatic inline void init_tlb_gen(struct mm_struct *mm) { }\n", "")


def asked(text: str) -> tuple[list[Fault], dict[str, str], object]:
    files = {path: raw.encode() for path, raw in FILES.items() if raw is not None}
    files |= {GENERIC: BROKEN.encode(), "mm/init.c": b"#include <asm/tlb.h>\n" + text.encode()}
    return present.told(Index(files.get), MACHINES, ["x86", "arm"], listed(files))


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, st.integers(0, 8))
def test_files_that_come_down_to_the_same_are_judged_alike(some: list[str], more: list[str], at: int) -> None:
    """The second file is the first one with lines put in, so that many pairs are alike."""
    one, two = "\n".join(some) + "\n", "\n".join([*some[:at], *more, *some[at:]]) + "\n"
    first, gaps, rests = asked(one)
    assert hasattr(rests, "same")
    if rests.same("mm/init.c", b"#include <asm/tlb.h>\n" + two.encode()):
        second, others, _ = asked(two)
        before, after = ({(fault.kind, fault.name, fault.path, fault.arches) for fault in faults} for faults in (first, second))
        assert before == after
        assert gaps == others


def test_an_edit_that_leaves_it_alone_takes_over_what_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = (FILES["mm/init.c"] or "").replace("\tinit_tlb_gen(mm);\n", "#ifdef CONFIG_TLB_GENERATIONS\n\tinit_tlb_gen(mm);\n#endif\n")
    for path, text in {**FILES, GENERIC: BROKEN, "mm/init.c": guarded}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text or "")
    store, runs = Held(), 0
    told = present.told

    def count(*arguments: object) -> object:
        nonlocal runs
        runs += 1
        return told(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(present, "told", count)

    def check() -> int:
        one = hooks.asked(PlainDir(str(tmp_path)), lambda path: True, store)
        assert one is not None
        return len(one.told().wrong[0])

    init = tmp_path / "mm/init.c"
    assert (check(), check(), runs) == (0, 0, 1)
    init.write_text("/* a comment */\n" + guarded.replace("init_tlb_gen(mm)", "mm->a = 1;\n\tinit_tlb_gen(mm)"))
    assert (check(), runs) == (0, 1)
    with monkeypatch.context() as more:  # from then on the file as it is now is known
        more.setattr(hooks, "_same", lambda *arguments: pytest.fail("compared again"))
        assert (check(), runs) == (0, 1)
    init.write_text(guarded.replace("#ifdef CONFIG_TLB_GENERATIONS\n", "#if 1\n"))
    assert (check(), runs) == (1, 2)
    init.write_text("\n" + init.read_text())  # where it is told has moved
    assert (check(), runs) == (1, 3)


def laid_out(place: Path, files: Mapping[str, str | None]) -> PlainDir:
    for path, text in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text or "")
    return PlainDir(str(place))


def test_a_new_file_is_noticed(tmp_path: Path) -> None:
    makefile = (FILES["mm/Makefile"] or "").replace("init.o", "init.o late.o")
    files = {**FILES, GENERIC: BROKEN, "mm/init.c": "int a;\n", "mm/Makefile": makefile}
    store = Held()

    def check(more: Mapping[str, str]) -> set[str]:
        one = hooks.asked(laid_out(tmp_path, {**files, **more}), lambda path: True, store)
        assert one is not None
        return {fault.path for fault in one.told().wrong[0]}

    late = "#include <asm/tlb.h>\n\nvoid late(struct mm_struct *mm)\n{\n\tinit_tlb_gen(mm);\n}\n"
    assert check({}) == check({"mm/other.txt": late}) == set()
    assert check({"mm/late.c": late}) == {"mm/late.c"}


def test_a_new_file_that_names_a_symbol_which_a_series_takes_away_is_noticed(tmp_path: Path) -> None:
    files = {**FILES, "mm/Kconfig": (FILES["mm/Kconfig"] or "") + "\nconfig TLB_LATE\n\tbool\n"}
    step = Applied(None, {"mm/Kconfig": (FILES["mm/Kconfig"] or "").encode()}, "clean")  # type: ignore[arg-type]
    store = Held()

    def check(more: Mapping[str, str]) -> set[str]:
        one = hooks.begun(laid_out(tmp_path, {**files, **more}), [step], store)
        assert one is not None
        return {fault.path for fault in one.told().wrong[1]}

    assert check({}) == set()
    assert check({"drivers/a.c": "#ifdef CONFIG_TLB_LATE\nint a;\n#endif\n"}) == {"drivers/a.c"}
