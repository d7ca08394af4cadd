"""Suppressions in source: ``/* tlblint: allow TLB003 -- reason */`` on the line of a finding or directly above it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from tlblint.findings.lines import Lines
from tlblint.findings.names import code_of, nearest
from tlblint.findings.own import UNUSED, RuleInfo, own_finding
from tlblint.model.finding import Finding

MARK = b"tlblint:"

_TOKENS = re.compile(
    rb"""(?P<comment>/\*.*?(?:\*/|\Z)|//(?:[^\n\\]|\\.)*+)|"(?:[^"\\\n]|\\.)*+"?|'(?:[^'\\\n]|\\.)*+'?""",
    re.DOTALL,
)
MOST = 2000
"""Characters of a comment that are looked at: a longer reason is cut."""
_ASSUME = re.compile(r"assume\s+[a-z-]+(?:[,\s]+[a-z-]+)*\s+--\s*\S", re.DOTALL)
_NAME = re.compile(r"TLB\d{3}\Z|[a-z0-9]+(?:-[a-z0-9]+)+\Z", re.IGNORECASE)


class Suppression(msgspec.Struct, frozen=True):
    """One comment. ``codes`` are codes or slugs as written, ``lines`` those it covers. ``wrong`` says why it cannot be obeyed, or is ""."""

    path: str
    line: int
    column: int
    codes: tuple[str, ...]
    reason: str
    lines: frozenset[int]
    wrong: str = ""


def suppressions(path: str, raw: bytes) -> tuple[Suppression, ...]:
    """The suppressions of a file, in order. Text in string literals is none."""
    if MARK not in raw:
        return ()
    lines = Lines.of(raw)
    comments = [match for match in _TOKENS.finditer(raw) if match["comment"]]
    bare = _comment_lines(raw, lines, comments)
    found = []
    for match in comments:
        if MARK not in match["comment"][:80]:
            continue
        text = " ".join(part.strip().removeprefix("*").strip() for part in _inner(match["comment"])[:MOST].split("\n")).strip()
        if text.startswith(MARK.decode()):
            first, column = lines.locate(match.start())
            last, _ = lines.locate(match.end() - 1)
            said = text.removeprefix(MARK.decode()).strip()
            if said.startswith("assume"):
                if wrong := _assumption(said):
                    found.append(Suppression(path, first, column, (), "", frozenset(), wrong))
                continue
            codes, reason, wrong = _parse(said)
            found.append(Suppression(path, first, column, codes, reason, _covered(first, last, bare), wrong))
    return tuple(found)


def _assumption(text: str) -> str:
    """What is wrong with a promise about a function ("assume WORD -- reason"), or ""."""
    return "" if _ASSUME.match(text) else "'assume' needs words of rules/api/contracts.toml and a reason after '--'"


def _inner(comment: bytes) -> str:
    text = comment.decode("utf-8", "replace")
    return text[2:] if text.startswith("//") else text[2:].removesuffix("*/")


def _parse(text: str) -> tuple[tuple[str, ...], str, str]:
    """(codes, reason, what is wrong)."""
    word, _, rest = text.partition(" ")
    if word != "allow":
        return (), "", "it does not say 'allow'"
    named, _, reason = rest.partition("--")
    codes = tuple(dict.fromkeys(named.replace(",", " ").split()))
    reason = reason.strip()
    strange = [code for code in codes if not _NAME.match(code)]
    if not codes:
        return (), reason, "it names no rule"
    if strange:
        return codes, reason, f"{strange[0]!r} is neither the code nor the name of a rule"
    return codes, reason, "" if reason else "it gives no reason after '--'"


def _comment_lines(raw: bytes, lines: Lines, comments: Sequence[re.Match[bytes]]) -> frozenset[int]:
    """Lines that hold comments and blanks only."""
    bare: set[int] = set()
    for match in comments:
        first, _ = lines.locate(match.start())
        last, _ = lines.locate(match.end() - 1)
        before = raw[raw.rfind(b"\n", 0, match.start()) + 1 : match.start()]
        end = raw.find(b"\n", match.end())
        after = raw[match.end() : end if end >= 0 else len(raw)]
        if (not before.strip() or before.rstrip().endswith(b"*/")) and not after.strip():
            bare.update(range(first, last + 1))
    return frozenset(bare)


def _covered(first: int, last: int, bare: frozenset[int]) -> frozenset[int]:
    """A comment beside code covers its lines; one of its own covers the first line of code after the comment block too."""
    own = set(range(first, last + 1))
    if last not in bare:
        return frozenset(own)
    below = last + 1
    while below in bare:
        below += 1
    return frozenset(own | {below})


def apply(
    findings: Sequence[Finding], comments: Sequence[Suppression], rules: Mapping[str, RuleInfo], active: frozenset[str], unsure: frozenset[str]
) -> tuple[list[Finding], list[Finding]]:
    """(findings with the suppressed ones marked, TLB901 findings for comments that did nothing).

    ``active`` holds the codes that were run, ``unsure`` the paths of files that were not understood from end to end: a
    suppression is not called unused when the rule or its function may not have been looked at.
    """
    by_path: dict[str, list[Suppression]] = {}
    comments = [replace(comment, codes=tuple(dict.fromkeys(code_of(rules, name) or name for name in comment.codes))) for comment in comments]
    for comment in comments:
        by_path.setdefault(comment.path, []).append(comment)
    used: set[tuple[str, int, int, str]] = set()
    marked = [_mark(finding, by_path.get(finding.path, ()), used) for finding in findings]
    return marked, [finding for comment in comments for finding in _unused(comment, used, rules, frozenset() if comment.path in unsure else active)]


def _mark(finding: Finding, comments: Sequence[Suppression], used: set[tuple[str, int, int, str]]) -> Finding:
    hits = [comment for comment in comments if not comment.wrong and finding.rule in comment.codes and finding.line in comment.lines]
    if not hits:
        return finding
    nearest = max(hits, key=lambda comment: (comment.line, comment.column))
    used.add((nearest.path, nearest.line, nearest.column, finding.rule))
    return replace(finding, suppressed_by="comment", suppressed_reason=nearest.reason)


def _unused(comment: Suppression, used: set[tuple[str, int, int, str]], rules: Mapping[str, RuleInfo], active: frozenset[str]) -> list[Finding]:
    def report(message: str, code: str) -> Finding:
        return own_finding(rules[UNUSED], comment.path, comment.line, comment.column, "", message, comment.path, code, comment.reason)

    if comment.wrong:
        return [report(f"This suppression is not obeyed: {comment.wrong}.", ",".join(comment.codes))]
    found = []
    for code in comment.codes:
        if code not in rules:
            near = nearest(rules, code)
            found.append(report(f"This suppression names {code}, which is no rule" + (f"; did you mean {near}?" if near else "."), code))
        elif code in active and (comment.path, comment.line, comment.column, code) not in used:
            found.append(report(f"This suppression of {code} suppressed nothing.", code))
    return found
