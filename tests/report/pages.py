"""Reports for pages: an interleaving, a series, many findings, names that try to break out."""

from __future__ import annotations

from pathlib import Path

from tests.report.make import HIDDEN, NOTE, RULE, SOURCE, finding, report
from tlblint.model.finding import Finding, TraceStep
from tlblint.model.witness import Change, Fix, PatchMark, Witness, WitnessStep
from tlblint.report.predicates_view import Executed, Judged, PredicateView, ProtocolView
from tlblint.report.view import Excused, Report, RuleView, Stale, Style

TEMPLATES = Path(__file__).parents[2] / "reports" / "templates"
STYLE = Style(templates={path.name: path.read_text() for path in sorted(TEMPLATES.iterdir()) if path.suffix in (".j2", ".css", ".js")})
RULES = Path(__file__).parents[2] / "rules"


def rule(code: str) -> RuleView:
    """A shipped rule; severity and confidence do not matter here."""
    text = (RULES / f"{code}.md").read_text()
    return RuleView(code, text.split()[2], "error", "high", text.split('title = "')[1].split('"')[0], text, f"rules/{code}.md")


def witness() -> Witness:
    """Reclaim clears an entry and leaves the flush for later; mprotect() meets the hole, flushes nothing and returns; a write still succeeds."""
    steps = (
        WitnessStep(1, "user", 1, "writes a: its TLB now holds it", None, None, (Change("TLB of CPU1", "empty", "a: page 1, write"),), "birth"),
        WitnessStep(2, "reclaim", 0, "takes the PTL", "mm/a.c", 3),
        WitnessStep(3, "reclaim", 0, "ptep_get_and_clear()", "mm/a.c", 4, (Change("PTE a", "page 1, write", "none"),)),
        WitnessStep(4, "reclaim", 0, "set_tlb_ubc_flush_pending()", "mm/a.c", 4, (Change("batch", "empty", "CPU1 pending"),)),
        WitnessStep(5, "reclaim", 0, "drops the PTL"),
        WitnessStep(6, "mprotect", 0, "takes the PTL", "mm/a.c", 3, cause=5),
        WitnessStep(7, "mprotect", 0, "the entry is none: skips it", "mm/a.c", 4, (), "missed", "nothing was present, so nothing is flushed"),
        WitnessStep(8, "mprotect", 0, "drops the PTL"),
        WitnessStep(9, "mprotect", 0, "returns: the range is read-only", None, None, (Change("promise", "none", "a is read-only"),)),
        WitnessStep(10, "user", 1, "writes a through the translation it kept", None, None, (Change("page 1", "clean", "written"),), "violation", "", 9),
    )
    return Witness(
        "x86-64", "contract", "A thread writes to a range after mprotect() said that it is read-only.",
        (("reclaim", 0), ("mprotect", 0), ("user", 1)), ("TLB of CPU1", "PTE a", "batch", "promise", "page 1"), steps, ("reclaim batches its flushes",),
    )  # fmt: skip


def long_witness(count: int) -> Witness:
    """Two threads that take turns, ``count`` steps."""
    def step(n: int) -> WitnessStep:
        changes = (Change("PTE a", str(n - 1), str(n)),) if n % 3 == 0 else ()
        return WitnessStep(n, ("reclaim", "mprotect")[n // 5 % 2], n // 5 % 2, f"does thing {n}", "mm/a.c", 3, changes)

    steps = [step(n) for n in range(1, count)]
    steps.append(WitnessStep(count, "user", 1, "reads", None, None, (), "violation"))
    return Witness("x86-64", "stale", "A stale read.", (("reclaim", 0), ("mprotect", 1), ("user", 1)), ("PTE a",), tuple(steps))


CALLED = (
    TraceStep("mm/a.c", 3, "f", "ptl.acquire", "obligation starts", "lazy_enter() takes the page table lock"),
    TraceStep("mm/a.c", 4, "f", "call", "", "calls g()"),
    TraceStep("mm/a.c", 1, "g", "branch", "", "(a<b) is true"),
    TraceStep("mm/a.c", 2, "g", "entry.demote", "violated", "ptep_set_wrprotect() takes permission from the entry"),
)
DIFF = "--- a/mm/a.c\n+++ b/mm/a.c\n@@ -1 +1,2 @@\n void f(void)\n+\tflush_tlb_batched_pending(mm);\n-\tint a;\n"
FIX = Fix("call flush_tlb_batched_pending() after the lock is taken", DIFF, True, 1, 3, 7)


def rich() -> Report:
    """One of everything that a page can show."""
    found = (
        finding(rule="TLB001", slug="batched-pending-not-flushed", verdict="confirmed", trace=CALLED, witness=witness(), fix=FIX, fingerprint="0a" * 8, line=3),
        finding(severity="warning", verdict="conditional", assumptions=("the page is shared",), witness=long_witness(40), fingerprint="0b" * 8),
        finding(verdict="refuted", reason="every state was visited", path="mm/b.c", fingerprint="0c" * 8),
        NOTE,
        HIDDEN,
        finding(suppressed_by="baseline", suppressed_reason="known since 2021", fingerprint="0d" * 8, confidence="low"),
    )
    rules = {"TLB003": RULE, "TLB001": rule("TLB001")}
    return report(
        *found, rules=rules, command="tlblint check --tree demo -f html=out.html", stale=(Stale("0e" * 8, "TLB002", "mm/gone.c", "h"),),
        excused=(Excused("mm/a.c", 3, "f", ("TLB001",), "the caller flushes"),), submodules=("tools/sub",),
    )  # fmt: skip


def series() -> Report:
    """Findings of three patches."""
    def marked(index: int, change: str, fingerprint: str, until: int | None = None, **changes: object) -> Finding:
        return finding(patch=PatchMark(index, f"mm: part {index} of the change", change, until), fingerprint=fingerprint * 8, **changes)

    return report(
        marked(1, "introduced", "1a", 3, rule="TLB001", verdict="confirmed", witness=witness()), marked(2, "introduced", "1b"), marked(3, "fixed", "1c"),
        marked(3, "existing", "1d", severity="warning"), kind="series", revision="a" * 40, rules={"TLB003": RULE, "TLB001": rule("TLB001")},
    )  # fmt: skip


EVIL = "</script><script>alert(1)</script>{{ 7*7 }}{% raw %}\"'`<img src=x onerror=alert(1)>\u202eevil\x1b[31m\x00\x07\udcff]]>--><!--"


def hostile() -> Report:
    """Text from the tree that tries to be markup, a template, a terminal escape or another direction of writing, in every place."""
    steps = (WitnessStep(1, EVIL, 0, EVIL, EVIL, 1, (Change(EVIL, EVIL, EVIL),), "violation", EVIL),)
    bad = Witness(EVIL, EVIL, EVIL, ((EVIL, 0),), (EVIL,), steps, (EVIL,))
    one = finding(
        path=f"mm/{EVIL}.c", function=EVIL, message=EVIL, profiles=(EVIL,), assumptions=(EVIL,), reason=EVIL, witness=bad, verdict="confirmed",
        trace=(TraceStep(f"mm/{EVIL}.c", 1, EVIL, EVIL, EVIL, f"calls {EVIL}"), TraceStep("mm/a.c", 2, "g", "call", "violated", EVIL)),
        fix=Fix(EVIL, f"+{EVIL}\n-{EVIL}\n", False), patch=PatchMark(1, EVIL, "introduced", 2), slug=EVIL,
    )  # fmt: skip
    known = finding(suppressed_by="baseline", suppressed_reason=EVIL, fingerprint="ee" * 8)
    source = EVIL.encode("utf-8", "surrogateescape") + b"\n/* </script> {{ x }} */\n" + SOURCE
    text = "# EVIL\n```toml\nEVIL\n```\n## EVIL\nEVIL\n- EVIL\n1. EVIL\n```EVIL\nEVIL\n```\n[EVIL](javascript:alert(1)) **EVIL** `EVIL`\n".replace("EVIL", EVIL)
    return report(
        one, known, sources={f"mm/{EVIL}.c": source, "mm/a.c": source}, rules={"TLB003": RuleView("TLB003", EVIL, "error", "high", EVIL, text, EVIL)},
        version=EVIL, ruleset=EVIL, revision=EVIL, generation=EVIL, profiles=(EVIL,), command=EVIL, stale=(Stale(EVIL, EVIL, EVIL, EVIL),),
        excused=(Excused(EVIL, 1, EVIL, (EVIL,), EVIL),), submodules=(EVIL,), executed=executed(EVIL),
    )  # fmt: skip


def executed(word: str = "x", alone: bool = False) -> Executed:
    """Predicates and protocols with ``word`` in every place, one of each verdict."""
    unsafe = PredicateView(word, word, word, 3, (Judged(word, "unsafe", 9, 8, word, (word,)), Judged(word, "exact", 0, 0, "", ())), (word, word), word, "")
    wasteful = PredicateView(word, word, word, 4, (Judged(word, "conservative", 0, 1234, word, (word, word)),), (), "", "")
    unknown = PredicateView(word, word, word, 5, (), (), "", word)
    refuted = ProtocolView(word, word, 0, "", "contract", 21, 1600, "", ((1, word, word, f"{word}:7"),))
    return Executed((unsafe, wasteful, unknown), (refuted, ProtocolView(word, word, 1, word, "safe", None, 400, "", ())), 3, 4, alone)


def many(count: int) -> Report:
    """``count`` findings in files of ten, each with a path of its own."""
    return report(*(
        finding(path=f"mm/file{n // 10}.c", line=3, fingerprint=f"{n:016x}", function=f"fn_{n}", severity=("error", "warning", "note")[n % 3], trace=CALLED)
        for n in range(count)
    ), sources={f"mm/file{n}.c": SOURCE for n in range(count // 10 + 1)} | {"mm/a.c": SOURCE})  # fmt: skip
