"""What was found stands where edited functions do what they did, told from what the last judging has left; the program is not looked at again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from tests.engine.test_cutoff import AT_ONE_PLACE, AT_TWO_PLACES, CALLER, FIRST, FLUSH, INNER, LATE, OTHER, PASSED, SAME, TAKER, UNLOCK, arm, facts
from tests.engine.test_kept import FILES, SPINE, Kept, before, defined, edited, engine, judge, named
from tlblint.app import found
from tlblint.app.reuse import Facts, digest
from tlblint.calls.record import shapes
from tlblint.engine import cutoff
from tlblint.engine.asked import EngineResult, in_order
from tlblint.engine.last import KIND, Edit, remembered
from tlblint.engine.stood import stands
from tlblint.model.ir import FileFacts


def more(old: Mapping[str, FileFacts], new: Mapping[str, FileFacts], store: Kept) -> int | None:
    """What ``stands`` says of the step from what ``store`` knows."""
    edits = {path: Edit(was, new[path]) for path, was in old.items() if shapes(was) != shapes(new[path])}
    assert all(len(edit.was.functions) == len(edit.now.functions) for edit in edits.values())
    last = remembered(store, before(new, store))
    return stands(last, before(new, store), edits, *engine(), b"any", store) if last is not None else None


@pytest.fixture(params=[0, cutoff.DEAR], ids=["answers are kept", "dear answers are kept"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """Knows two files in which nothing is found."""
    monkeypatch.setattr(cutoff, "DEAR", request.param)
    made = Kept()
    assert not judge(facts(INNER), made).findings
    yield made
    rows = {kind for kind, _ in made._rows}
    assert "judged" in rows and KIND in rows


@pytest.mark.parametrize("edit", SAME)
def test_a_callee_that_answers_the_same(edit: str, store: Kept) -> None:
    new = facts(SAME[edit])
    assert more(facts(INNER), new, store) == 0
    assert judge(new) == judge(facts(INNER))


def test_an_answer_that_was_kept_is_not_worked_out_again(store: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    sides: list[int] = []
    answer = cutoff.Sides._answer

    def noted(self: cutoff.Sides, side: int, *arguments: Any) -> Any:
        sides.append(side)
        return answer(self, side, *arguments)

    monkeypatch.setattr(cutoff.Sides, "_answer", noted)
    assert more(facts(INNER), facts(SAME["a call before others"]), store) == 0
    assert sides.count(1) == 1 and sides.count(0) == (0 if cutoff.DEAR == 0 else 1)


def test_an_answer_that_was_kept_is_compared(store: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is another one than it should be, the function is run as it was."""
    monkeypatch.setattr(cutoff, "_signed", lambda seen, index, fn: (1, (), b"another"))
    assert more(facts(INNER), facts(SAME["a call before others"]), store) == 0
    assert more(facts(INNER), facts(OTHER["no flush"]), store) is None


@pytest.mark.parametrize("edit", OTHER)
def test_a_callee_that_answers_otherwise(edit: str, store: Kept) -> None:
    assert more(facts(INNER), facts(OTHER[edit]), store) is None


def test_a_callee_that_does_at_two_places_what_it_did_at_one() -> None:
    made = Kept()
    judge(facts(AT_ONE_PLACE, TAKER), made)
    assert more(facts(AT_ONE_PLACE, TAKER), facts(AT_TWO_PLACES, TAKER), made) is None
    moved = AT_ONE_PLACE.replace(b"cond_say(vma)", b"cond_say_more(vma)")
    assert more(facts(AT_ONE_PLACE, TAKER), facts(moved, TAKER), made) == 0


def test_another_arm_of_a_function_that_nobody_calls() -> None:
    made = Kept()
    old = facts(INNER, FIRST)
    judge(old, made)
    assert [fn.variant for fn in old["mm/caller.c"].functions] == [0, 1]
    assert more(old, facts(INNER, LATE), made) is None
    assert more(old, facts(INNER, arm(b"\tcond_more(vma);\n" + PASSED + UNLOCK)), made) == 0


ASKED = b"""#include <linux/mm.h>

void inner(struct vm_area_struct *vma, pte_t *pte, unsigned long addr, int how)
{
	ptep_set_wrprotect(vma->vm_mm, addr, pte);
	if (how == 1) {
%s	} else if (how) {
		flush_tlb_page(vma, addr);
	} else {
		flush_tlb_page(vma, addr);
	}
}
"""
ALL_WAYS, OTHER_WAYS = ASKED % PASSED, ASKED % b"\t\tcond_say(addr);\n"


def test_another_run_judges_meanwhile() -> None:
    """What it leaves must not be mixed with what was there before: in its program nobody asks what this one asks."""

    class Meanwhile(Kept):
        later = b""

        def get(self, kind: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
            out = super().get(kind, keys)
            if kind == KIND and self.later:
                self._rows.update({place: self.later for place in self._rows if place[0] == KIND})
            return out

    def known(files: Mapping[str, FileFacts], store: Kept) -> Facts:
        names = {item.path: name for name, item in named(files).items()}
        return Facts(dict(files), dict, {}, digest(names), lambda lost: [], names, before(files, store))

    one, other = (CALLER.replace(b"addr, end);", b"addr, %d);" % how) for how in (1, 0))
    made, beside, judging = Meanwhile(), Kept(), found.Judging(None, in_order, "")
    for text, store in ((one, made), (other, beside)):
        files = facts(ALL_WAYS, text)
        made.facts |= named(files)
        assert not found.judge(SPINE, known(files, store), judging, store).findings
    made._rows = {**beside._rows, **made._rows}
    made.later = beside.get(KIND, [b"last"])[b"last"]
    new = facts(OTHER_WAYS, one)
    assert found.judge(SPINE, known(new, made), judging, made).findings == judge(new).findings != ()


STARTS = {
    "a call of something unknown": (CALLER.replace(b"\tinner(", b"\tcond_say(vma);\n\tinner("), True),
    "a branch more": (CALLER.replace(b"\tinner(", b"\tif (cond_say(vma))\n\t\tend = addr;\n\tinner("), True),
    "an unlock less": (CALLER.replace(b"\tpte_unmap_unlock(pte, ptl);\n", b""), False),
    "a helper less": (CALLER.replace(b"\tinner(vma, pte, addr, end);\n", b""), False),
    "lazy mode under a lock that ends": (CALLER.replace(b"\tinner(", b"\tarch_enter_lazy_mmu_mode();\n\tinner("), False),
}


@pytest.mark.parametrize("edit", STARTS)
def test_a_function_that_nobody_calls_is_judged_again(edit: str, store: Kept) -> None:
    raw, same = STARTS[edit]
    new = facts(INNER, raw)
    told = more(facts(INNER), new, store)
    assert (told is not None) == same
    if told is not None:
        whole = judge(new)
        assert not whole.findings and whole.contexts == judge(facts(INNER)).contexts + told


def test_both_at_once(store: Kept) -> None:
    new = facts(SAME["a call before others"], STARTS["a branch more"][0])
    told = more(facts(INNER), new, store)
    assert told is not None and judge(new).contexts == judge(facts(INNER)).contexts + told
    assert more(facts(INNER), facts(OTHER["no flush"], STARTS["a branch more"][0]), store) is None


def test_nothing_is_known(store: Kept) -> None:
    new = facts(SAME["a call of something unknown"])
    assert more(facts(INNER), new, Kept()) is None
    store._rows.update({at: b"\x80" for at in store._rows if at[0] == KIND})
    assert more(facts(INNER), new, store) is None


def test_other_rules(store: Kept) -> None:
    new = facts(SAME["a call of something unknown"])
    edits = {"mm/inner.c": Edit(facts(INNER)["mm/inner.c"], new["mm/inner.c"])}
    last = remembered(store, before(new, store))
    assert last is not None and stands(last, before(new, store), edits, *engine(), b"others", store) is None


def test_facts_that_are_gone(store: Kept) -> None:
    """The edited function is run with what it calls, so those facts have to be there."""
    deep = INNER.replace(FLUSH, b"\tdeeper(vma, start, end);\n") + b"\nvoid beside(void)\n{\n}\n"
    deeper = b"void deeper(struct vm_area_struct *vma, unsigned long start, unsigned long end)\n{\n" + FLUSH + b"}\n"
    below = {"mm/deeper.c": SPINE.facts("mm/deeper.c", deeper)}
    old, held = facts(deep) | below, Kept()
    judge(old, held)
    new = facts(deep.replace(b"\tdeeper(", b"\tcond_say(start);\n\tdeeper(")) | below
    assert more(old, new, held) == 0
    gone = before(new, held)
    edits = {"mm/inner.c": Edit(old["mm/inner.c"], new["mm/inner.c"])}
    last = remembered(held, gone)
    assert last is not None and stands(last, gone._replace(facts=lambda name: None), edits, *engine(), b"any", held) is None


STUB = b"""
#ifdef CONFIG_ODD
static bool twice(struct vm_area_struct *vma)
{
	flush_tlb_page(vma, 0);
	return cond_odd(vma);
}
#else
static bool twice(struct vm_area_struct *vma)
{
	flush_tlb_mm(vma->vm_mm);
	return false;
}
#endif
"""


def test_of_two_functions_the_other_one_becomes_the_one_that_does_more(store: Kept) -> None:
    """Who calls either then calls another one: no table of the program holds."""
    old = facts(INNER.replace(b"cond_odd(vma)", b"twice(vma)").replace(b"\nvoid inner", STUB + b"\nvoid inner", 1))
    held = Kept()
    assert sum(fn.name == "twice" for fn in old["mm/inner.c"].functions) == 2
    judge(old, held)
    raw = {
        True: STUB.replace(b"return cond_odd(vma)", b"cond_say(vma);\n\treturn cond_odd(vma)"),
        False: STUB.replace(b"return false;", b"cond_a(vma);\n\tcond_b(vma);\n\tcond_c(vma);\n\tcond_d(vma);\n\tcond_e(vma);\n\treturn false;"),
    }
    for same, text in raw.items():
        new = facts(INNER.replace(b"cond_odd(vma)", b"twice(vma)").replace(b"\nvoid inner", text + b"\nvoid inner", 1))
        assert (more(old, new, held) is not None) == same


ARM = b"""
static void both(struct vm_area_struct *vma)
{
#ifdef CONFIG_ODD
	flush_tlb_page(vma, 0);
#else
	flush_tlb_mm(vma->vm_mm);
#endif
}
"""


def test_both_arms_of_a_function_are_edited(store: Kept) -> None:
    """A line outside of the #if group is a line in each of them."""
    first = INNER.replace(b"\tpte_t entry;\n\n", b"\tpte_t entry;\n\n\tboth(vma);\n").replace(b"\nvoid inner", ARM + b"\nvoid inner", 1)
    old, held = facts(first), Kept()
    assert sum(fn.name == "both" for fn in old["mm/inner.c"].functions) == 2
    judge(old, held)
    assert more(old, facts(first.replace(b"{\n#ifdef", b"{\n\tcond_say(vma);\n#ifdef")), held) == 0


def test_another_file_has_a_function_of_the_name(store: Kept) -> None:
    """What calls elsewhere mean hangs on which does more."""
    stub = b"int twice(struct vm_area_struct *vma)\n{\n\tflush_tlb_page(vma, 0);\n\tcond_one(vma);\n\treturn 0;\n}\n"
    full = stub.replace(b"\treturn", b"\tcond_two(vma);\n\tcond_three(vma);\n\treturn")
    inner = INNER.replace(b"cond_odd(vma)", b"twice(vma)")

    def tree(one: bytes, other: bytes) -> dict[str, FileFacts]:
        return facts(inner) | {"mm/one.c": SPINE.facts("mm/one.c", one), "mm/two.c": SPINE.facts("mm/two.c", other)}

    held = Kept()
    judge(tree(stub, full), held)
    assert more(tree(stub, full), tree(stub.replace(b"cond_one(vma)", b"cond_other(vma)"), full), held) == 0
    assert more(tree(stub, full), tree(full, full), held) is None
    assert more(tree(stub, full), tree(full.replace(b"\treturn", b"\tcond_four(vma);\n\treturn"), full), held) is None


def test_a_function_that_becomes_known(store: Kept) -> None:
    """A call of a function that the program has is a line in a table of it, whatever it comes to."""
    assert more(facts(INNER), facts(INNER.replace(FLUSH, FLUSH + b"\tcaller(vma, 0, start, end);\n")), store) is None


@pytest.fixture(scope="module")
def quiet() -> tuple[dict[str, bytes], dict[str, FileFacts], EngineResult, Kept]:
    """The fixtures in which nothing is found, each a file, under names that no other has: texts, facts, what is found, who knows it."""
    raw, known = {}, {}
    for number, path in enumerate(FILES):
        text, place = path.read_bytes(), f"mm/q{number}.c"
        for name in sorted(set(defined(text)), key=len, reverse=True):
            text = text.replace(name + b"(", b"q%d_" % number + name + b"(")
        one = SPINE.facts(place, text)
        if one.functions and not judge({place: one}).findings:
            raw[place], known[place] = text, one
    made = Kept()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutoff, "DEAR", 5)
        result = judge(known, made)
    return raw, known, result, made


def with_a_call(raw: bytes, chance: random.Random) -> bytes:
    """One more call of something that nobody knows, at the end of some line."""
    ends = [at for at in range(len(raw)) if raw.startswith(b";\n\t", at)]
    at = chance.choice(ends) + 2 if ends else 0
    return raw[:at] + b"\tcond_say(0);\n" + raw[at:]


@pytest.mark.parametrize("seed", range(6))
def test_any_edit(quiet: tuple[dict[str, bytes], dict[str, FileFacts], EngineResult, Kept], seed: int) -> None:
    raw, known, result, store = quiet
    chance = random.Random(seed)
    stood = 0
    for _ in range(20):
        path = chance.choice(sorted(raw))
        now = SPINE.facts(path, chance.choice([edited, with_a_call])(raw[path], chance))
        if len(now.functions) != len(known[path].functions) or now.tables != known[path].tables or shapes(now) == shapes(known[path]):
            continue
        told = more(known, {**known, path: now}, store)
        if told is not None:
            stood += 1
            whole = judge({**known, path: now})
            assert (whole.contexts, whole.findings) == (result.contexts + told, result.findings)
    assert stood
