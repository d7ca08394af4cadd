"""What a store remembers of a judging changes nothing but the time: after any edit the findings are those of a run from nothing."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tlblint.app import spine as spines
from tlblint.app.spine import Wanted
from tlblint.calls.record import encode
from tlblint.engine.analyse import analyse
from tlblint.engine.asked import Context, EngineResult, Options, Over
from tlblint.engine.grammar import RuleSpec
from tlblint.engine.kept import KIND
from tlblint.engine.last import Before
from tlblint.model.ir import FileFacts
from tlblint.model.store import Held, key

FILES = sorted(path for folder in ("rules", "traps") for path in (ROOT / "fixtures" / folder).glob("*.c"))
SPINE = spines.load(Wanted())
LINES = (b"/* moved */", b"\tpte_unmap_unlock(pte, ptl);", b"\tflush_tlb_range(vma, addr, addr + 4096);", b"\treturn;", b"\tif (!pte)", b"#ifdef CONFIG_ODD",
         b"#endif", b"\tarch_enter_lazy_mmu_mode();", b"int unrelated;", b"}")  # fmt: skip


def engine() -> tuple[Sequence[RuleSpec], Context]:
    rules, context = SPINE.analyse.args[:2]  # type: ignore[attr-defined]
    return rules, context


class Kept(Held):
    """Has the facts of the last run, too, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[bytes, FileFacts] = {}


class Counting(Kept):
    """Counts what it was asked for and did not have."""

    missed = 0

    def get(self, kind: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        found = super().get(kind, keys)
        if kind == KIND:
            self.missed += len(set(keys) - found.keys())
        return found


def named(facts: Mapping[str, FileFacts]) -> dict[bytes, FileFacts]:
    """Facts by a name that says all of them."""
    return {key(path, encode(item)): item for path, item in facts.items()}


def before(facts: Mapping[str, FileFacts], store: Kept) -> Before:
    """The last run, for one over ``facts``."""
    return Before(b"last", {item.path: name for name, item in named(facts).items()}, {**store.facts, **named(facts)}.get)


def judge(facts: Mapping[str, FileFacts], store: Kept | None = None) -> EngineResult:
    options = Options() if store is None else Options(store=store, digest=b"any", before=before(facts, store))
    if store is not None:
        store.facts = named(facts)
    return analyse([facts[path] for path in sorted(facts)], *engine(), options)


def same(one: EngineResult, other: EngineResult) -> None:
    """Equal, the parts that records leave out of their comparison too."""
    assert one == other
    assert [finding.events for finding in one.findings] == [finding.events for finding in other.findings]


def contents() -> dict[str, bytes]:
    """All fixtures in a few files, so that an edit has much above and below it."""
    out: dict[str, bytes] = {}
    for number, path in enumerate(FILES):
        place = f"mm/f{number % 7}.c"
        text = path.read_bytes()
        names = sorted(set(defined(text)), key=len, reverse=True)
        for name in names:
            text = text.replace(name + b"(", b"f%d_" % number + name + b"(")
        out[place] = out.get(place, b"") + text + b"\n"
    return out


def defined(text: bytes) -> list[bytes]:
    """The functions that a fixture defines."""
    return [fn.name.encode() for fn in SPINE.facts("mm/x.c", text).functions]


CONTENTS = contents()
FACTS = {path: SPINE.facts(path, raw) for path, raw in CONTENTS.items()}


@pytest.fixture(scope="module")
def filled() -> tuple[EngineResult, dict[tuple[str, bytes], bytes]]:
    store = Kept()
    return judge(FACTS, store), dict(store._rows)


def test_the_store_says_what_the_engine_said(filled: tuple[EngineResult, dict[tuple[str, bytes], bytes]]) -> None:
    result, rows = filled
    assert len(result.findings) > 20
    same(result, judge(FACTS))
    store = Counting()
    store._rows.update(rows)
    same(judge(FACTS, store), result)
    assert store.missed == 0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_any_edit(filled: tuple[EngineResult, dict[tuple[str, bytes], bytes]], data: st.DataObject) -> None:
    store = Kept()
    store._rows.update(filled[1])
    store.facts = named(FACTS)
    raw, facts = dict(CONTENTS), dict(FACTS)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(sorted(raw)))
        raw[path] = edited(raw[path], data.draw(st.randoms(use_true_random=False)))
        facts[path] = SPINE.facts(path, raw[path])
        same(judge(facts, store), judge(facts))
    gone = data.draw(st.sampled_from(sorted(raw)))
    del facts[gone]
    same(judge(facts, store), judge(facts))


def edited(text: bytes, chance: random.Random) -> bytes:
    """``text`` with one line more, less, double, or elsewhere."""
    lines = text.split(b"\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    kind = chance.randrange(4)
    if kind == 0:
        lines.insert(at, chance.choice(LINES))
    elif kind == 1:
        del lines[at]
    elif kind == 2:
        lines.insert(at, lines[at])
    else:
        lines[at], lines[other] = lines[other], lines[at]
    return b"\n".join(lines)


def test_what_only_moved_is_not_judged_again(filled: tuple[EngineResult, dict[tuple[str, bytes], bytes]]) -> None:
    store = Counting()
    store._rows.update(filled[1])
    store.facts = named(FACTS)
    facts = {path: SPINE.facts(path, b"/* a line\n * more */\n" + raw) for path, raw in CONTENTS.items()}
    facts["a/first.c"] = SPINE.facts("a/first.c", b"void first(pte_t *pte, spinlock_t *ptl)\n{\n\tpte_unmap_unlock(pte, ptl);\n}\n")
    same(judge(facts, store), judge(facts))
    assert store.missed == 1  # the function that is new, though it takes the number of another


def test_other_rules_have_rows_of_their_own() -> None:
    store = Counting()
    facts = [FACTS["mm/f0.c"]]
    analyse(facts, *engine(), Options(store=store, digest=b"one"))
    before = store.missed
    analyse(facts, *engine(), Options(store=store, digest=b"two"))
    assert store.missed == 2 * before


def test_bytes_that_are_no_judgement_are_judged_again(filled: tuple[EngineResult, dict[tuple[str, bytes], bytes]]) -> None:
    for bad in (b"", b"\x94\x90\x91\x92\xcd\xff\xff\xa1x\x90\x00", b"no", b"\x94\x90\x90\x91\xcd\xff\xff\x00"):
        store = Kept()
        store._rows.update(dict.fromkeys(filled[1], bad))
        same(judge(FACTS, store), filled[0])


def test_a_killed_batch_is_not_remembered() -> None:
    store = Counting()
    facts = [FACTS["mm/f0.c"]]
    lost = analyse(facts, *engine(), Options(store=store, digest=b"any", over=Over(lambda function, items, died: [died(item) for item in items])))
    assert {gap.why for gap in lost.not_analysed} == {"the analysis ran out of memory or crashed"}
    same(analyse(facts, *engine(), Options(store=store, digest=b"any")), analyse(facts, *engine()))


KERNELS = sorted(Path(os.environ["TLBLINT_KERNELS"]).glob("linux-source-6.12")) if os.environ.get("TLBLINT_KERNELS") else []


@pytest.mark.skipif(not KERNELS, reason="TLBLINT_KERNELS is not set")
@pytest.mark.parametrize("top", KERNELS, ids=lambda top: top.name)
def test_any_edit_of_real_files(top: Path) -> None:
    spine = spines.load(Wanted())
    raw = {str(path.relative_to(top)): path.read_bytes() for folder in ("mm", "fs/proc") for path in sorted((top / folder).glob("*.c"))}
    facts = {path: spine.facts(path, text) for path, text in raw.items()}
    store = Counting()
    same(judge(facts, store), judge(facts))
    chance = random.Random(11)
    wanted = [path for path in sorted(facts) if any("pte" in name for fn in facts[path].functions for name, _ in fn.params)]
    for _ in range(4):  # each judges mm/ afresh
        path = chance.choice(wanted)
        raw[path] = edited(raw[path], chance)
        facts[path] = spine.facts(path, raw[path])
        same(judge(facts, store), judge(facts))



def test_what_functions_say_is_asked_again_when_others_say_other_things() -> None:
    """A flag counts only where somebody in the program takes it back: an edit in one file changes what another one says."""
    user = b"void user(struct mm_struct *mm, pte_t *pte)\n{\n\tptep_get_and_clear(mm, 0, pte);\n\tmm->my_flush_flag = 1;\n}\n"
    clears = b"void other(struct mm_struct *mm, pte_t *pte)\n{\n\tset_pte_at(mm, 0, pte, *pte);\n\tmm->my_flush_flag = 0;\n}\n"
    store = Kept()
    one = {"mm/user.c": SPINE.facts("mm/user.c", user), "mm/other.c": SPINE.facts("mm/other.c", clears)}
    other = {**one, "mm/other.c": SPINE.facts("mm/other.c", clears.replace(b"= 0", b"= 2"))}
    for facts in (one, other, one, other):
        same(judge(facts, store), judge(facts))
