"""Whole runs: bounds, crashes, the order of facts, and refactorings that must not show."""

from __future__ import annotations

import itertools
import sys

import pytest
from msgspec.structs import replace

from tests.engine import small
from tests.engine.cases import ALL
from tests.engine.small import CONTEXT, ROLES, RULES, facts, judge, marked, places, rule
from tlblint.engine import interp
from tlblint.engine.analyse import analyse
from tlblint.engine.asked import Options
from tlblint.model.finding import RawFinding
from tlblint.model.ir import FileFacts
from tlblint.model.roles import Profile, Role

BROKEN = """
void broken(spinlock_t *ptl) {
	take(ptl); /* bad: LOCK */
}
"""


def told(findings: tuple[RawFinding, ...]) -> list[tuple[str, str, str, str]]:
    return [(f.path, f.function, f.rule, f.message) for f in findings]


def loop(variables: int) -> str:
    """A function whose states double with every lock."""
    takes = "\n".join(f"\tif (other({n})) take(l{n}_ptl);" for n in range(variables))
    parameters = ", ".join(f"spinlock_t *l{n}_ptl" for n in range(variables))
    return f"\nvoid wide({parameters}) {{\n{takes}\n}}\n"


def test_a_bound_that_is_reached_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interp, "MAX_VISITS", 60)
    result = analyse([facts(loop(8) + BROKEN)], RULES, CONTEXT)
    assert [(gap.path, gap.function) for gap in result.not_analysed] == [("mm/a.c", "wide")]
    assert "60 block visits" in result.not_analysed[0].why
    assert "broken" in {f.function for f in result.findings}, "the other function is judged all the same"


def test_the_budget_of_a_root_is_reported_and_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interp, "MAX_BUDGET", 60)
    result = analyse([facts(loop(8) + BROKEN)], RULES, CONTEXT)
    assert [gap.function for gap in result.not_analysed] == ["wide"]
    assert "60 block visits" in result.not_analysed[0].why
    assert "broken" in {f.function for f in result.findings}


def test_no_bound_no_report() -> None:
    assert judge(loop(4) + BROKEN).not_analysed == ()


def test_too_many_contexts_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interp, "MAX_CONTEXTS", 3)
    names = [f"l{n}_ptl" for n in range(4)]
    chosen = "\n".join(f"\tif (other({n})) take({name});" for n, name in enumerate(names))
    source = f"\nstatic void inner(int n, {', '.join('spinlock_t *' + n for n in names)}) {{ enter(); leave(); }}\n" \
             f"void outer({', '.join('spinlock_t *' + n for n in names)}) {{\n{chosen}\n\tinner(1, {', '.join(names)});\n}}\n"  # fmt: skip
    assert [gap.function for gap in judge(source).not_analysed] == ["inner"]


def test_a_chain_that_is_too_deep_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interp, "MAX_DEPTH", 5)
    links = "".join(f"static void f{n}(spinlock_t *ptl) {{ enter(); leave(); f{n - 1}(ptl); }}\n" for n in range(1, 12))
    source = "\nstatic void f0(spinlock_t *ptl) { enter(); leave(); }\n" + links + "void top(spinlock_t *ptl) { take(ptl); f11(ptl); drop(ptl); }\n"
    gaps = judge(source).not_analysed
    assert gaps and all("deep" in gap.why for gap in gaps)


def test_a_long_chain_is_no_stack_overflow() -> None:
    """Deep enough for Python's stack to matter if one call costs many frames."""
    links = "".join(f"static void f{n}(spinlock_t *ptl) {{ enter(); leave(); f{n - 1}(ptl); }}\n" for n in range(1, 60))
    result = judge("\nstatic void f0(spinlock_t *ptl) { enter(); leave(); }\n" + links)
    assert sys.getrecursionlimit() <= 1000
    assert all("internal error" not in gap.why for gap in result.not_analysed)


@pytest.mark.parametrize("kind", [ValueError, KeyError, RecursionError, AttributeError, AssertionError])
def test_a_crash_costs_one_function_only(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = interp.Run.run

    def crash(self: interp.Run, *args: object) -> interp.Summary:
        if self._code.fn.name == "strange":
            raise kind("at 0x7f00aa")
        return whole(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(interp.Run, "run", crash)
    result = judge("\nvoid strange(spinlock_t *ptl) { take(ptl); }\n" + BROKEN)
    assert [gap.function for gap in result.not_analysed] == ["strange"]
    assert kind.__name__ in result.not_analysed[0].why and "7f00aa" not in result.not_analysed[0].why, "addresses differ from run to run"
    assert {f.function for f in result.findings} == {"broken"}


def test_a_crash_in_a_callee_names_the_callee(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = interp.Run.run

    def crash(self: interp.Run, *args: object) -> interp.Summary:
        if self._code.fn.name == "inner":
            raise ValueError("no")
        return whole(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(interp.Run, "run", crash)
    result = judge("\nstatic void inner(spinlock_t *ptl) { drop(ptl); }\nvoid f(spinlock_t *ptl) { take(ptl); inner(ptl); }\n" + BROKEN)
    assert [gap.function for gap in result.not_analysed] == ["inner"]
    assert "broken" in {f.function for f in result.findings}


def test_a_keyboard_interrupt_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(self: interp.Run, *args: object) -> interp.Summary:
        raise KeyboardInterrupt

    monkeypatch.setattr(interp.Run, "run", stop)
    with pytest.raises(KeyboardInterrupt):
        judge(BROKEN)


def several() -> list[FileFacts]:
    """All cases in one program, each in a file of its own; statics and namesakes of all kinds among them."""
    return [facts(source, f"mm/case{number:03}.c") for number, source in enumerate(ALL.values())]


def test_the_order_of_facts_does_not_matter() -> None:
    items = several()
    first = analyse(items, RULES, CONTEXT)
    assert len(first.findings) > 30
    for other in (items[::-1], items[7:] + items[:7], sorted(items, key=lambda f: f.path[::-1])):
        assert analyse(other, RULES, CONTEXT) == first


def test_all_orders_of_three_files_that_call_each_other() -> None:
    sources = {
        "mm/a.c": "\nvoid a(spinlock_t *ptl) { take(ptl); b(ptl); }\n",
        "mm/b.c": "\nvoid b(spinlock_t *ptl) { enter(); c(ptl); }\n",
        "mm/c.c": "\nvoid c(spinlock_t *ptl) { drop(ptl); leave(); }\n",
    }
    items = [facts(source, path) for path, source in sources.items()]
    results = [analyse(order, RULES, CONTEXT) for order in itertools.permutations(items)]
    assert all(result == results[0] for result in results)
    assert [(f.path, f.rule) for f in results[0].findings] == [("mm/b.c", "LAZY")]


def test_the_order_of_rules_does_not_matter() -> None:
    items = several()
    assert told(analyse(items, RULES, CONTEXT).findings) == told(analyse(items, RULES[::-1], CONTEXT).findings)


def test_only_limits_the_report_not_the_analysis() -> None:
    items = several()
    whole = analyse(items, RULES, CONTEXT).findings
    part = analyse(items, RULES, CONTEXT, Options(only=lambda path: path < "mm/case030.c")).findings
    assert 0 < len(part) < len(whole)
    assert part == tuple(f for f in whole if f.path < "mm/case030.c")


def test_findings_come_in_file_order_and_once() -> None:
    found = analyse(several(), RULES, CONTEXT).findings
    keys = [(f.path, f.pos, f.rule, f.function) for f in found]
    assert keys == sorted(set(keys))


EXTRACTED = [
    ("whole body", "static void g(spinlock_t *ptl, pte_t *pte) {{ {body} }}\nvoid f(spinlock_t *ptl, pte_t *pte) {{ enter(); leave(); g(ptl, pte); }}"),
    ("renamed parameters", "static void g(pte_t *e, spinlock_t *x_ptl) {{ {renamed} }}\n"
     "void f(spinlock_t *ptl, pte_t *pte) {{ enter(); leave(); g(pte, ptl); }}"),
    ("in a struct", "static void g(struct c *c) {{ {fields} }}\nvoid f(spinlock_t *ptl, pte_t *pte) "
     "{{ struct c c; enter(); leave(); c.ptl = ptl; c.pte = pte; g(&c); }}"),
]  # fmt: skip
BODIES = {
    "right": ("take(ptl); clear(pte); flush(); drop(ptl);", set()),
    "late flush": ("take(ptl); clear(pte); drop(ptl); flush();", {"FLUSH"}),
    "left locked": ("take(ptl); clear(pte); flush();", {"LOCK"}),
    "left lazy": ("take(ptl); enter(); drop(ptl);", {"LAZY"}),
    "dirty lost": ("take(ptl); if (dirty(clear(pte))) other(1); flush(); drop(ptl);", {"DIRTY"}),
}


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(("how", "shape"), EXTRACTED, ids=[how for how, _ in EXTRACTED])
def test_extraction_changes_nothing(body: str, how: str, shape: str) -> None:
    text, rules = BODIES[body]
    renamed = text.replace("ptl", "x_ptl").replace("pte", "e")
    fields = text.replace("ptl", "c->ptl").replace("pte", "c->pte")
    plain = judge(f"\nvoid f(spinlock_t *ptl, pte_t *pte) {{ {text} }}\n")
    moved = judge("\n" + shape.format(body=text, renamed=renamed, fields=fields) + "\n")
    assert {f.rule for f in plain.findings} == rules
    assert {f.rule for f in moved.findings} == rules, how


@pytest.mark.parametrize("cut", range(1, 5))
def test_extraction_of_a_tail(cut: int) -> None:
    """Any tail of a body moved to a helper; the defect keeps its rule and its line."""
    steps = ["take(ptl);", "enter();", "clear(pte); /* bad: FLUSH */", "leave();", "drop(ptl);"]
    head, tail = "\n".join(steps[:cut]), "\n".join(steps[cut:])
    source = f"\nstatic void tail(spinlock_t *ptl, pte_t *pte) {{\n{tail}\n}}\nvoid f(spinlock_t *ptl, pte_t *pte) {{\n{head}\ntail(ptl, pte);\n}}\n"
    result = judge(source)
    assert places(result, source) == marked(source)


def test_a_message_names_the_things_of_the_function_it_is_about() -> None:
    helper = "\nstatic void g(pte_t *e, spinlock_t *x_ptl) {\n\tclear(e);\n\tdrop(x_ptl);\n}\n"
    source = helper + "void f(spinlock_t *my_ptl, pte_t *pte) {\n\ttake(my_ptl);\n\tg(pte, my_ptl);\n}\n"
    (finding,) = judge(source).findings
    assert (finding.function, finding.message) == ("g", "clear() on line 3 is not flushed before drop()")
    leak = judge("\nstatic void g(spinlock_t *x_ptl) { take(x_ptl); }\nvoid f(spinlock_t *my_ptl) {\n\tenter();\n\tleave();\n\tg(my_ptl);\n}\n")
    assert [f.function for f in leak.findings] == ["g"]
    assert leak.findings[0].message in ("x_ptl is left locked", "my_ptl is left locked")


def test_a_trace_starts_where_the_obligation_does_and_ends_at_the_act() -> None:
    source = "\nvoid f(spinlock_t *ptl, pte_t *pte, int n) {\n\ttake(ptl);\n\tclear(pte);\n\tif (n)\n\t\tflush();\n\tdrop(ptl);\n}\n"
    (finding,) = judge(source).findings
    events = [(step.event, step.state) for step in finding.trace]
    assert ("entry.clear", "obligation starts") in events
    assert events[-1] == ("ptl.release", "violated")
    assert [step.note for step in finding.trace if step.event == "branch"] == ["n is false"]
    assert [step.pos for step in finding.trace] == sorted(step.pos for step in finding.trace)


def test_an_act_that_is_wrong_by_itself_ends_the_trace_and_branches_lead_to_it() -> None:
    """The way from the lock to the call that sleeps is what a reader has to follow."""
    asleep = rule("SLEEP", (), "", "start -> ERROR : sleep when ptl-held say 'sleeps'")
    source = "\nvoid f(spinlock_t *ptl, int m, int n) {\n\tif (m)\n\t\treturn;\n\ttake(ptl);\n\tif (n)\n\t\tdrop(ptl);\n\tmay_sleep();\n}\n"
    (finding,) = judge(source, [asleep]).findings
    assert [(step.event, step.state, step.note) for step in finding.trace][1:] == [("branch", "", "n is false"), ("sleep", "violated", "may_sleep() may sleep")]


def test_a_rule_holds_where_a_profile_has_what_it_needs() -> None:
    needy = rule("NEED", (), "", "start -> ERROR : lazy.enter say 'x'", needs=["hash"])
    source = "\nvoid f(void) { enter(); leave(); }\n"
    hash_only = replace(CONTEXT, profiles=(Profile("a", "powerpc", frozenset({"hash"}), ""), Profile("b", "x86", frozenset(), "")))
    for path, expected in (("mm/a.c", [("a",)]), ("arch/powerpc/mm/a.c", [("a",)]), ("arch/x86/mm/a.c", [])):
        assert [f.profiles for f in analyse([facts(source, path)], [needy], hash_only).findings] == expected
    assert analyse([facts(source)], [needy], CONTEXT).findings == ()


def test_the_definition_of_an_api_function_is_not_judged() -> None:
    """What the role table describes is no user of it, even if it is built from other API calls."""
    assert judge("\nint take(spinlock_t *ptl) {\n\tspin_lock(ptl);\n\treturn 0;\n}\n").findings == ()


def test_skipped_and_outside_paths() -> None:
    source = "\nvoid f(spinlock_t *ptl) { take(ptl); }\n"
    assert analyse([facts(source)], RULES, replace(CONTEXT, skipped=lambda path: path == "mm/a.c")).findings == ()
    user = rule("USER", (), "", "start -> ERROR : lazy.enter when user-space say 'x'")
    lazy = "\nvoid f(void) { enter(); leave(); }\n"
    assert len(analyse([facts(lazy)], [user], CONTEXT).findings) == 1
    assert analyse([facts(lazy)], [user], replace(CONTEXT, outside=lambda path, name: True)).findings == ()


def test_a_contract_speaks_of_its_function_and_a_slot_of_all_below() -> None:
    spared = rule("SPARED", (), "", "start -> ERROR : entry.clear when not contract:settled say 'x'")
    source = "\nstatic void g(pte_t *pte) { clear(pte); }\nint f(pte_t *pte) {\n\tenter();\n\tclear(pte);\n\tg(pte);\n\tleave();\n\treturn 0;\n}\n"
    table = "static const struct walk_ops table = { .entry = f };\n"

    def found(text: str, name: str = "", slot: frozenset[str] = frozenset()) -> list[str]:
        promised = small.with_says(lambda path, function: frozenset({"settled"} if function == name else ()))
        slots = {key: replace(entry, says=slot) for key, entry in CONTEXT.slots.items()}
        return sorted(f.function for f in analyse([facts(text)], [spared], replace(promised, slots=slots)).findings)

    assert found(source) == found(source + table) == ["f", "g"]
    assert found(source, "f") == []  # a static function that f alone calls is a part of f
    assert found(source + "\nvoid h(pte_t *pte) { enter(); g(pte); leave(); }\n", "f") == ["g"]
    assert found(source, "g") == ["f"]
    assert found(source + table, slot=frozenset({"settled"})) == []


def test_both_arms_of_a_preprocessor_group_are_judged() -> None:
    source = "\nvoid f(spinlock_t *ptl, pte_t *pte) {\n\ttake(ptl);\n\tclear(pte); /* bad: FLUSH */\n#ifdef CONFIG_A\n\tflush();\n#endif\n\tdrop(ptl);\n}\n"
    assert places(judge(source), source) == marked(source)


def test_the_table_of_roles_is_asked_with_the_number_of_arguments() -> None:
    asked: set[tuple[str, int]] = set()

    def roles(name: str, count: int) -> Role | None:
        asked.add((name, count))
        return ROLES.get(name)

    analyse([facts("\nvoid f(spinlock_t *ptl, int n) { take(ptl); other(n, 1); drop(ptl); }\n")], RULES, replace(CONTEXT, roles=roles))
    assert {("take", 1), ("other", 2), ("drop", 1)} <= asked
