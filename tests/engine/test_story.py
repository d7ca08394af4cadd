"""The whole path of a violation, in the names of the function that it begins in."""

from __future__ import annotations

import pickle

from tests.engine.small import judge
from tlblint.model.finding import PathEvent

HELPER = """
static void g(pte_t *e, spinlock_t *x_ptl) {
	read(e);
	drop(x_ptl);
}
void f(spinlock_t *my_ptl, pte_t *pte, int n) {
	if (n)
		return;
	take(my_ptl);
	clear(pte);
	g(pte, my_ptl);
}
"""


def events(source: str) -> tuple[PathEvent, ...]:
    (finding,) = judge(source).findings
    return finding.events


def test_every_event_of_the_path_is_told_in_order() -> None:
    told = events(HELPER)
    assert [(e.kind, e.text, e.note) for e in told] == [
        ("entered", "f", ""), ("branch", "n", "false"), ("ptl.acquire", "take", ""), ("entry.clear", "clear", ""), ("call", "g()", ""),
        ("entry.read", "read", ""), ("ptl.release", "drop", "")]
    assert [e.function for e in told] == ["f", "f", "f", "f", "f", "g", "g"]


def test_what_happens_in_a_callee_goes_by_the_names_of_the_caller() -> None:
    read, drop = events(HELPER)[-2:]
    assert dict(read.objects)["pte"] == "pte"
    assert dict(read.objects)["ptl"] == "my_ptl"
    assert dict(drop.objects)["ptl"] == "my_ptl"


def test_what_only_the_callee_knows_is_its_own() -> None:
    (read,) = [e for e in events(HELPER.replace("read(e);", "pte_t *local = walk_to(3);\n\tread(local);")) if e.kind == "entry.read"]
    assert dict(read.objects)["pte"] == "g::local"


def test_a_callee_that_is_found_guilty_by_itself_tells_what_it_was_entered_with() -> None:
    told = events(HELPER.replace("clear(pte);\n", "").replace("read(e)", "clear(e)"))
    assert (told[0].kind, told[0].function, dict(told[0].objects)) == ("entered", "g", {"ptl": "x_ptl"})


def test_events_are_no_part_of_what_a_finding_is() -> None:
    (finding,) = judge(HELPER).findings
    again = pickle.loads(pickle.dumps(finding))
    assert again == finding and again.events == finding.events != ()
