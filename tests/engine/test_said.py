"""What functions say by their text alone travels with the facts, and is what they say when they are asked again."""

from __future__ import annotations

import pickle

import pytest
from msgspec.structs import replace

from tests.conftest import ROOT
from tlblint.app import spine as spines
from tlblint.app.spine import Wanted
from tlblint.calls.program import Program
from tlblint.calls.record import decode, encode
from tlblint.engine.said import TEXT, Text, tell
from tlblint.model.ir import FileFacts, Function

FILES = sorted(path for folder in ("rules", "traps") for path in (ROOT / "fixtures" / folder).glob("*.c"))
CHOSEN = b"""static bool one(struct folio *folio, struct vm_area_struct *vma, unsigned long addr, void *arg)
{
	set_pte(0, 0);
	return true;
}

void both(struct folio *folio, struct vm_area_struct *vma)
{
	struct rmap_walk_control rwc;

	rwc.rmap_one = one;
	rmap_walk(folio, &rwc);
	flush_tlb_page(vma, 0);
}
"""


@pytest.fixture(scope="module")
def spine() -> spines.Spine:
    return spines.load(Wanted())


@pytest.fixture(scope="module")
def facts(spine: spines.Spine) -> list[FileFacts]:
    return [*(spine.facts(f"mm/{path.name}", path.read_bytes()) for path in FILES), spine.facts("mm/chosen.c", CHOSEN)]


def _texts(facts: list[FileFacts], name: str) -> list[Text]:
    program = Program(facts)
    tell(program, facts, name)

    def asked(fn: Function) -> Text:
        raise AssertionError(fn.name)

    return program.each(TEXT, asked)


def test_answers_come_back_with_the_facts(spine: spines.Spine, facts: list[FileFacts]) -> None:
    asking = spine.facts.args[-1]  # type: ignore[attr-defined]
    back = _texts([decode(encode(fact)) for fact in facts], asking.name)
    assert back == [asking.texts().of(fn) for fact in sorted(facts, key=lambda fact: fact.path) for fn in fact.functions]
    assert sum(text.carries for text in back) > 30
    for kind in ("names", "walking", "handing", "tables", "taken", "words", "flags"):
        assert any(getattr(text, kind) for text in back), kind


@pytest.mark.parametrize("said", [b"", b"\x00", b"\x92\xa1x\x90"])
def test_answers_that_are_not_those_of_the_functions_are_asked_for_anew(said: bytes, facts: list[FileFacts]) -> None:
    bad = [replace(facts[0], said=said)]
    with pytest.raises(AssertionError):
        _texts(bad, "x")


def test_answers_under_other_tables_do_not_count(facts: list[FileFacts]) -> None:
    with pytest.raises(AssertionError):
        _texts([facts[0]], "other tables")


def test_equal_facts_give_equal_bytes(spine: spines.Spine, facts: list[FileFacts]) -> None:
    asking = pickle.loads(pickle.dumps(spine.facts.args[-1]))  # type: ignore[attr-defined]
    assert [asking(decode(encode(fact))).said for fact in facts] == [fact.said for fact in facts]


def test_findings_do_not_depend_on_whether_answers_are_known(spine: spines.Spine, facts: list[FileFacts]) -> None:
    known = spine.analyse(facts, None)
    assert known.findings
    assert spine.analyse([replace(fact, said=b"") for fact in facts], None).findings == known.findings
    assert spine.analyse([decode(encode(fact)) for fact in facts], None).findings == known.findings
