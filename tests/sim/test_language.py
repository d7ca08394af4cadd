"""Scenario files: what they may say, and where and how a mistake is told."""

from __future__ import annotations

import pytest

from tests.sim.catalogue import NAMES, PLACE, machines
from tlblint.sim import Model, Profile, ScenarioError, Thread, Va, explore, profiles, step
from tlblint.sim import scenario as scenarios
from tlblint.sim.lang import parse_way

HEAD = """\
scenario small
about    Something.
source   0123456789ab
profile  x86-ipi
cpus     2
va       a = P|W|D|pfn(1)
lock     ptl
table    T
var      x = 0
expect   buggy safe
expect   fixed safe
"""
BODY = """\
thread k on cpu0
    lock(ptl)
    unlock(ptl)
user u on cpu1
    store(a)
"""


def parse(text: str) -> scenarios.Scenario:
    return scenarios.parse(text, machines(), "small.scn")


def fault(text: str) -> str:
    """The error of a file, from the parser or, for names that only lowering knows, from exploring."""
    with pytest.raises(ScenarioError) as caught:
        for variant in parse(text).variants:
            explore(variant.model)
    return str(caught.value).removeprefix("small.scn:").lstrip()


def test_a_small_one() -> None:
    one = parse(HEAD + BODY)
    assert (one.name, one.about, one.source) == ("small", "Something.", ("0123456789ab",))
    assert [variant.name for variant in one.variants] == ["buggy", "fixed"]
    assert [thread.kind for thread in one.variants[0].model.threads] == ["thread", "user"]


def test_lines_of_one_variant() -> None:
    one = parse(
        HEAD.replace("profile  x86-ipi", "[buggy] profile x86-ipi\n[fixed] profile arm64-broadcast") + BODY + "[fixed] thread more on cpu0\n    [fixed] nop()\n"
    )
    buggy, fixed = one.variants
    assert (buggy.model.profile.name, fixed.model.profile.name) == ("x86-ipi", "arm64-broadcast")
    assert (len(buggy.model.threads), len(fixed.model.threads)) == (2, 3)
    steps = parse(HEAD + "thread k on cpu0\n    [buggy] x = 1\n    [fixed] x = 2\n    x = 3\n").variants
    assert [line.ways[0].text for line in steps[0].model.threads[0].steps] == ["x = 1", "x = 3"]
    assert [line.number for line in steps[1].model.threads[0].steps] == [14, 15]


def test_words_and_citations() -> None:
    way, label = parse_way('out: x = 1; y = 2  "both # set" @mm/rmap.c:12  # why')
    assert label is not None
    assert (label.text, way.text, way.path, way.line) == ("out", "both # set", "mm/rmap.c", 12)
    way, _ = parse_way("x = 1 # comment")
    assert (way.text, way.path, way.line) == ("x = 1", None, None)
    way, _ = parse_way("flush(a) @mm/rmap.c")
    assert (way.path, way.line) == ("mm/rmap.c", None)


def test_everything_in_the_head() -> None:
    one = parse(
        HEAD.replace("cpus     2", "cpus     3\ntlb      1 2\nva z = 0 explicit\npage 2 ref=1 gd=0x01\ncounter n = 0 # none\ninit tlb[1,a] = 0\nbound 77")
        + 'needs a page on the LRU\nsometimes "held" ptl != 0\nalways x < 2 else leak\nwhy it is small\n'
        + BODY
    )
    model = one.variants[0].model
    assert (model.cpus, model.tlbs, [va.explicit for va in model.vas]) == (3, (1, 2), [True, False])
    assert (dict(model.pages[0].fields), dict(model.counters), dict(model.init)) == ({"ref": 1, "gd": 1}, {"n": 0}, {"tlb[1,a]": 0})
    assert (one.variants[0].bounds.states, model.needs, one.why) == (77, ("a page on the LRU",), "it is small")
    assert [check.words for check in model.checks] == ["held", "x < 2"]
    assert explore(model).verdict == "safe"


HEADS = [
    ("", '1:1: expected "scenario NAME" as the first line'),
    ("cpus 2\n", '1:1: expected "scenario NAME" as the first line'),
    ("    lock(l)\n", '1:5: expected "thread NAME on cpuN" before the first step (or a line of the head in column 1)'),
    ("scenario two words\n", '1:10: expected a name of at most 60 letters, digits and "_", got "two words"'),
    ("scenario a\nscenario b\n", "2:10: a file holds one scenario"),
    ("scenario a\nabout\n", "2:6: expected words after about"),
    ("scenario a\nprofil x\n", '2:1: expected a line of the head (steps are indented), got "profil"; did you mean "profile"?'),
    ("scenario a\n{\n", '2:1: expected a line of the head (steps are indented), got "{"'),
    ("scenario a\n[bugy] cpus 2\n", '2:1: expected "[buggy]" or "[fixed]", got "[bugy]"'),
    ("scenario a\n[buggy]\n", "2:8: expected a line of the head or a step after the variant"),
    ("scenario a\ncpus 9\n", '2:6: expected 1 to 8 CPUs, got "9"'),
    ("scenario a\ncpus x\n", '2:6: expected a number from 0 to 255, got "x"'),
    ("scenario a\ntlb 4\n", "2:5: CPU 4 does not exist: the head says 2 CPUs"),
    ("scenario a\nva a\n", '2:4: expected "va NAME = ENTRY", such as va a = P|W|D|pfn(1)'),
    ("scenario a\nva a =\n", "2:7: expected an entry such as P|W|D|pfn(1)"),
    ("scenario a\nva P = 0\n", '2:4: "P" is a word of the language: expected another name'),
    ("scenario a\nva a = 0\nlock a\n", '3:6: "a" is declared twice'),
    ("scenario a\nlock a b a\n", '2:10: "a" is declared twice'),
    ("scenario a\nlock\n", "2:5: expected a name"),
    ("scenario a\nlock 3\n", '2:6: expected a name, got "3"'),
    ("scenario a\npage 4\n", "2:6: page 4 does not exist: expected 1, 2 or 3"),
    ("scenario a\npage 1 reff=1\n", '2:8: expected FIELD=VALUE, got "reff=1"; did you mean "ref"?'),
    ("scenario a\npage 1\npage 1\n", "3:6: page 1 is declared twice"),
    ("scenario a\nvar x = 256\n", '2:8: expected a number from 0 to 255, got "256"'),
    ("scenario a\ncounter x = -1\n", '2:12: expected a number from 0 to 255, got "-1"'),
    ("scenario a\ninit tlb[1,a\n", '2:6: expected "init VARIABLE = VALUE"'),
    ("scenario a\ninit tlb[1,a = 2\n", '2:13: expected "]" or ",", the line ends'),
    ("scenario a\nexpect buggy\n", "2:8: expected: expect VARIANT VERDICT [in LENGTH]"),
    ("scenario a\nexpect bug safe\n", '2:8: expected buggy or fixed, got "bug"'),
    ("scenario a\nexpect buggy contrakt\n", '2:14: no verdict "contrakt"; did you mean "contract"?'),
    ("scenario a\nexpect buggy safe in 3\n", "2:22: safe has no length"),
    ("scenario a\nexpect buggy safe\nexpect buggy leak\n", "3:8: what buggy must find is said twice or for the other variant"),
    ("scenario a\nbound 0\n", '2:7: expected a number of states from 1 to 9999999, got "0"'),
    ("scenario a\nprofile a\nprofile b\n", "3:9: the profile is named twice"),
    ("scenario a\nsometimes x\n", '2:11: expected: sometimes "words" EXPR'),
    ('scenario a\nsometimes "w" x ==\n', "2:19: expected a value, the line ends"),
    ("scenario a\nalways x\n", "2:8: expected: always EXPR else VIOLATION"),
    ("scenario a\nalways x else leek\n", '2:15: no violation "leek"; did you mean "leak"?'),
    ("scenario a\nthread x\n", '2:8: expected "thread NAME on cpuN"'),
    ("scenario a\nthread x on cpu2\n", "2:16: CPU 2 does not exist: the head says 2 CPUs"),
    ("scenario a\nthread x on cpu1\nthread x on cpu0\n", '3:8: two threads are called "x"'),
    ("scenario a\nthread x on cpu1\ncpus 1\n", "3:6: expected the number of CPUs before the first thread"),
    ("scenario a\n", '1:1: expected a line "expect buggy VERDICT" before the end; buggy and fixed each have one'),
    ("scenario a\nexpect buggy safe\nexpect fixed safe\n", '3:1: expected a line "profile NAME" before the end'),
    (
        "scenario a\nexpect buggy safe\nexpect fixed safe\nprofile x86-ipi\n",
        '4:1: the buggy variant has no thread: expected "thread NAME on cpuN" before the end',
    ),
    ("scenario a\ncpus 2\ncpus 3\n", '3:6: a second line "cpus": expected one'),
    ("scenario a\ntlb 0\ntlb 1\n", '3:5: a second line "tlb": expected one'),
    ("scenario a\nbound 1\nbound 2\n", '3:7: a second line "bound": expected one'),
    ("scenario a\ntlb\n", "2:4: expected the numbers of the CPUs that have a TLB"),
    ("scenario a\ntlb 0 4\n", "2:7: CPU 4 does not exist: the head says 2 CPUs"),
    ("scenario a\ninit gen = 2\ninit gen = 3\n", '3:6: the start value of "gen" is said twice'),
    ("scenario a\nvar x = \u0661\n", '2:8: expected a number from 0 to 255, got "\u0661"'),
    ("scenario a\nlock b\x0clock\n", '2:6: expected a name, got "b\x0clock"'),
    (f"scenario a\nlock {'l' * 61}\n", "2:6: a name of 61 characters: expected 60 at most"),
    (f"scenario a\nthread {'k' * 61} on cpu0\n", "2:8: a name of 61 characters: expected 60 at most"),
    (f"scenario {'s' * 61}\n", f'1:10: expected a name of at most 60 letters, digits and "_", got "{"s" * 61}"'),
    ("scenario a\n" + "".join(f"va v{at} = 0\n" for at in range(9)), "10:4: one va too many: expected 8 at most"),
    ("scenario a\n" + "".join(f"thread k{at} on cpu0\n" for at in range(9)), "10:8: one thread too many: expected 8 at most"),
    ("scenario a\nexpect buggy safe\nexpect fixed safe\nprofile x86-ip\nthread a on cpu0\n", '4:9: no profile "x86-ip"; did you mean "x86-ipi"?'),
]


@pytest.mark.parametrize(("text", "said"), HEADS)
def test_mistakes_in_the_head(text: str, said: str) -> None:
    assert fault(text).split("; known:")[0] == said


STEPS = [
    ("lock(ptl", '17: expected ")" or "," in the arguments of lock, the line ends'),
    ("lok(ptl)", '9: unknown op "lok"; did you mean "lock"?'),
    ("lock(ptll)", '14: no lock "ptll"; did you mean "ptl"?'),
    ("lock(3)", "9: expected the name of a lock"),
    ("lock()", "9: lock takes 1 argument, got 0"),
    ("lock(ptl, ptl)", "9: lock takes 1 argument, got 2"),
    ("xchg_pte(b, 0)", '18: no va "b"; known: a'),
    ("xchg_pte(a)", "9: xchg_pte takes 2 arguments, got 1"),
    ("pmd_clear(S)", '19: no table "S"; known: T'),
    ("x = pte[b]", '17: no va "b"; known: a'),
    ("x = ptee[a]", '13: "ptee" has no elements; did you mean "pte"?'),
    ("x = tlb[a]", '13: "tlb" takes 2 between its brackets, got 1'),
    ("x = tlb[7, a]", "13: CPU 7 does not exist: the model has 2"),
    ("x = hpt[a]", "13: there is no hpt[a]: profile x86-ipi has no hash table"),
    ("x = free[4]", "13: page 4 does not exist: expected 1, 2 or 3"),
    ("x = free[x]", "18: expected a page: 1, 2 or 3"),
    ("x = pfn(9)", "13: page 9 does not exist: expected 1, 2 or 3"),
    ("x = pfn()", "13: pfn takes one page number"),
    ("r = y", '13: unknown name "y"'),
    ("r = r.Q", '15: ".Q" is no part of an entry'),
    ("P = 1", '9: "P" cannot be assigned'),
    ("x = 300", "13: 300 does not fit in a byte: expected 0 to 255"),
    ("x = 1 +", "16: expected a value, the line ends"),
    ("x = (1", '15: expected ")" after what the parenthesis holds, the line ends'),
    ("x == 1", '11: expected "=" or "(" after "x", got "=="'),
    ("x = 1 2", '15: expected ";", "words", @path:line or the end of the line, got "2"'),
    ("x = 1 $", "15: '$' is nothing that a step can hold"),
    ('x = 1 "words', "15: a quotation that does not end"),
    ("x = 1 @mm/rmap.c:x", '15: expected @path:line, got "@mm/rmap.c:x"'),
    ("if x goto nowhere", '19: no label "nowhere" in thread k; known: end'),
    ("if x", '13: expected ":" or "goto LABEL" after the condition, the line ends'),
    ("goto 3", '14: expected a label after goto, got "3"'),
    ("l: nop()\n        l: nop()", '9: label "l" is there twice'),
    ("x = 1; await x", "16: await comes first in a step"),
    ("x = 1; goto end; x = 2", "21: goto comes last in a step"),
    ("if x: await x", "15: await and goto cannot stand here: await first, goto last in a step"),
    ("store(a); x = 1", "9: store stands alone in its step"),
    ("store()", "9: store takes 1 argument, got 0"),
    ("r = store(a)", "13: store gives no value"),
    ("r = flush(a)", "13: flush gives no value"),
    ("x = 1; flush_batched()", "16: flush_batched stands alone in its step"),
    ("page_mkclean(a)", "9: page_mkclean takes 2 arguments and gives no value"),
    ("flush(a, tabels=1)", '9: flush has no argument "tabels"; did you mean "tables"?'),
    ("returns()", "9: returns takes write=, read=, access= or clean= and a va"),
    ("fail_if(x, uaf)", '20: no violation "uaf"'),
    ("inc(3)", "9: expected a variable as argument of inc"),
    ("hash_insert(a)", "9: profile x86-ipi has no hash table"),
    ("walk(a)", '9: va a is not "explicit": its walks are no steps'),
    ("or x = 1", '12: expected "either ..." in the line before'),
    ("l: goto l", "17: thread k goes round in a loop without a step"),
    ("r = 0\n        l: if r goto l", "22: thread k goes round in a loop without a step"),
    ("nop()\n        " * 250 + "nop()", "9: thread k has 251 steps: expected 250 at most"),
    ("a = 0", '9: "a" is a va: expected pte[a], or another name for a register'),
    ("T = 0", '9: "T" is a table: expected pmd[T], or another name for a register'),
    ("a = xchg_pte(a, 0)", '9: "a" is a va: expected pte[a], or another name for a register'),
    ("end: nop()", '9: "end" is where every thread ends: expected another label'),
    ("if x = 1 goto end", '14: expected "==" between two values that are compared, got "="'),
    (f"{'r' * 61} = 1", "9: a name of 61 characters: expected 60 at most"),
]


@pytest.mark.parametrize(("text", "said"), STEPS)
def test_mistakes_in_a_step(text: str, said: str) -> None:
    number = 13 + text.count("\n")
    found = fault(f"{HEAD}thread k on cpu0\n        {text}\n")
    assert found.split("; known: cmp")[0].startswith(f"{number}:{said}"), found


def test_mistakes_of_the_model() -> None:
    assert fault(HEAD.replace("pfn(1)", "pfn(1) +") + BODY).startswith("6:28: expected a value")
    assert fault(HEAD.replace("P|W|D|pfn(1)", "x") + BODY) == "6:14: expected a constant entry such as P|W|D|pfn(1)"
    assert fault(HEAD + "init tlb[0,b] = 1\n" + BODY) == '12:6: no va "b"; known: a'
    assert fault(HEAD + "init x + 1 = 1\n" + BODY).split("; known")[0] == '12:6: "x + 1" is no variable of this model'
    assert fault(HEAD + 'sometimes "w" k.r == 1\n' + BODY).startswith('12:17: thread k has no register "r"')
    assert fault(HEAD + "always y == 1 else leak\n" + BODY).startswith('12:8: unknown name "y"')
    assert fault(HEAD.replace("cpus     2", "cpus     2\ntlb 0") + BODY) == "17:5: CPU 1 has no TLB in this model: no user can run there"
    walker = "scenario s\nprofile x86-ipi\ncpus 2\ntlb 1\nva a = P explicit\nexpect buggy safe\nexpect fixed safe\nuser u on cpu0\n    walk(a)\n"
    assert fault(walker) == "9:5: CPU 0 has no TLB in this model: nothing walks there"


def test_steps_that_no_text_holds() -> None:
    machine = Profile("m")
    with pytest.raises(ScenarioError, match="no thread"):
        explore(Model("m", machine, ()))
    with pytest.raises(ScenarioError, match="two threads"):
        explore(Model("m", machine, (Thread("a", 0, ()), Thread("a", 0, ()))))
    with pytest.raises(ScenarioError, match="runs on CPU 5"):
        explore(Model("m", machine, (Thread("a", 5, ()),)))
    with pytest.raises(ScenarioError, match="9 vas"):
        explore(Model("m", machine, (Thread("a", 0, ()),), vas=tuple(Va(f"v{at}") for at in range(9))))
    with pytest.raises(ScenarioError, match="251 steps"):
        explore(Model("m", machine, (Thread("a", 0, (step("nop()"),) * 251),)))


def test_a_step_from_code_carries_its_place() -> None:
    line = step("old = xchg_pte(a, 0)", "mm/rmap.c", 7, words="clears the entry")
    assert (line.ways[0].path, line.ways[0].line, line.ways[0].text) == ("mm/rmap.c", 7, "clears the entry")
    assert len(step("either x = 1", alternatives=("x = 2", "x = 3")).ways) == 3


PROFILES = [
    ("name =", "not TOML"),
    ("about = 'x'", '"name" is missing'),
    ("name = 'x'\nstore_need = 'dirty'", 'unknown key "store_need"; did you mean "store_needs"?'),
    ("name = 'x'\nstore_needs = 'D'", "\"store_needs\" is 'D', expected one of dirty, writable"),
    ("name = 'x'\nhw_dirty = 1", '"hw_dirty" is 1, expected a bool'),
    ("name = 'x'\nflush_profiles = ['a', 1]", "expected a list of strings"),
    ("name = 3", '"name" is 3, expected a str'),
]


@pytest.mark.parametrize(("text", "said"), PROFILES)
def test_mistakes_in_a_profile(text: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        profiles.parse("p.toml", text)
    assert said in str(caught.value)
    assert str(caught.value).startswith("p.toml: ")


def test_machines_name_rule_profiles_that_exist() -> None:
    rules = {path.stem for path in (PLACE.parents[1] / "rules" / "profiles").glob("*.toml")}
    assert {name for one in machines() for name in one.flush_profiles} <= rules
    assert [one.name for one in profiles.for_flush_profile(machines(), "x86-64")] == ["x86-ipi", "x86-paravirt"]
    assert profiles.for_flush_profile(machines(), "vax") == ()


def test_every_op_of_the_manual_exists_and_every_op_is_in_the_manual() -> None:
    from tlblint.sim.access import ACCESSES
    from tlblint.sim.macros import MACROS
    from tlblint.sim.ops import SIMPLE

    manual = (PLACE / "README.md").read_text()
    ops = {*SIMPLE, *ACCESSES, *MACROS}
    assert [name for name in sorted(ops) if f"{name}(" not in manual] == []


def test_files_are_named_for_what_they_hold() -> None:
    assert len(NAMES) >= 40
