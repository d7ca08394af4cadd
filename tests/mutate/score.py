"""Score the analyzer on variants of real functions: ``python -m tests.mutate.score --kernel 6.12 [--family R1] [--limit N]``."""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import multiprocessing
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from tests.mutate import judge as judges
from tests.mutate.generate import ENCODING, Variant, variants
from tests.mutate.table import FAMILIES as FAMILY_TABLE

FAMILIES = tuple(FAMILY_TABLE)
STATUSES = ("found", "other", "missed", "flagged", "failed")
SHOWN = frozenset(STATUSES) - {"found"}


class Verdict(msgspec.Struct, frozen=True):
    """``status``: found, other (only by rules that do not count), missed, flagged, quiet or failed.

    ``rules`` are the new (rule, function) pairs or the failure's text.
    """

    variant: Variant
    status: str
    rules: tuple[str, ...]


def sample(rows: Sequence[Variant], limit: int | None) -> list[Variant]:
    """At most ``limit`` variants, dealt in turn from every (family, operator, function) so that each is represented; the same ones each time."""
    if limit is None or limit >= len(rows):
        return list(rows)
    groups: dict[tuple[str, str], list[Variant]] = defaultdict(list)
    for v in sorted(rows, key=lambda v: hashlib.sha256(v.id.encode()).digest()):
        groups[v.family, v.operator].append(v)
    decks = [groups[k] for k in sorted(groups)]
    out: list[Variant] = []
    while len(out) < limit and any(decks):
        for deck in decks:
            if deck and len(out) < limit:
                out.append(deck.pop())
    return sorted(out, key=lambda v: (v.path, v.start, v.id))


def new_findings(base: Iterable[judges.Seen], after: Iterable[judges.Seen]) -> list[judges.Seen]:
    """Loud findings of ``after`` beyond those of ``base``, as multisets of (rule, function, key)."""
    stock = Counter((s.rule, s.function, s.key) for s in base if s.loud)
    out = []
    for s in after:
        if s.loud:
            mark = (s.rule, s.function, s.key)
            if stock[mark]:
                stock[mark] -= 1
            else:
                out.append(s)
    return out


def moved_names(v: Variant) -> frozenset[str]:
    """Functions that only the variant has: what the judge says of them it says of the function they came from."""
    return frozenset(re.findall(r"^static[^\n;={}]*?\b(\w+)\([^;{}]*\)\s*\{", v.body, re.M)) - {v.function}


def unexpected(base: Iterable[judges.Seen], after: Iterable[judges.Seen], helpers: frozenset[str], origin: str) -> list[judges.Seen]:
    """Loud findings of a harmless variant with no like in ``base``: compared as sets of (rule, function), helpers being part of ``origin``."""
    stock = {(s.rule, s.function) for s in base if s.loud}
    return [s for s in after if s.loud and (s.rule, origin if s.function in helpers else s.function) not in stock]


def decide(v: Variant, fresh: Sequence[judges.Seen]) -> Verdict:
    rules = tuple(sorted({f"{s.rule}@{s.function}" for s in fresh}))
    if v.harmless:
        return Verdict(v, "flagged" if fresh else "quiet", rules)
    return Verdict(v, "found" if any(s.rule in v.accept for s in fresh) else "other" if fresh else "missed", rules)


_STATE: dict[str, object] = {}


def _start(spec: str) -> None:
    _STATE["judge"] = judges.load(spec)
    _STATE["base"] = {}


def _one(v: Variant) -> Verdict:
    judge, cache = _STATE["judge"], _STATE["base"]
    assert isinstance(cache, dict)
    try:
        place = (v.root, v.path)
        if place not in cache:
            cache[place] = judge.base(v.root, v.path)  # type: ignore[attr-defined]
        after = judge.judge(v.root, v.path, v.text())  # type: ignore[attr-defined]
        base = cache[place]
        return decide(v, unexpected(base, after, moved_names(v), v.function) if v.harmless else new_findings(base, after))
    except Exception as why:  # one broken run must not lose the others
        return Verdict(v, "failed", (f"{type(why).__name__}: {why}",))


def run(rows: Sequence[Variant], spec: str, jobs: int) -> list[Verdict]:
    if jobs <= 1:
        _start(spec)
        return [_one(v) for v in rows]
    with multiprocessing.Pool(jobs, _start, (spec,)) as pool:
        return pool.map(_one, rows, chunksize=8)


def table(verdicts: Sequence[Verdict]) -> str:
    lines = [f"{'kernel':7} {'family':10} {'operator':26} {'n':>5} " + " ".join(f"{status:>7}" for status in STATUSES)]
    groups: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for d in verdicts:
        for key in ((d.variant.kernel, d.variant.family, d.variant.operator), (d.variant.kernel, d.variant.family, "= all")):
            groups[key][d.status] += 1
    for (kernel, family, operator), c in sorted(groups.items()):
        lines.append(f"{kernel:7} {family:10} {operator:26} {c.total():5} " + " ".join(f"{c[status]:7}" for status in STATUSES))
    return "\n".join(lines)


def diff(v: Variant) -> str:
    old = (v.root / v.path).read_bytes().decode(ENCODING).splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, v.text().decode(ENCODING).splitlines(keepends=True), f"a/{v.path}", f"b/{v.path}"))


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    p = argparse.ArgumentParser(prog="tests.mutate.score", description=__doc__)
    p.add_argument("--kernel", action="append", help="version, e.g. 6.12 (repeatable; default: all under --kernels)")
    p.add_argument("--kernels", default=os.environ.get("TLBLINT_KERNELS"), help="directory with linux-source-VERSION trees (default: $TLBLINT_KERNELS)")
    p.add_argument("--family", action="append", choices=FAMILIES)
    p.add_argument("--operator", action="append")
    p.add_argument("--function", action="append")
    p.add_argument("--limit", type=int, help="variants per kernel, dealt evenly over operators")
    p.add_argument("--compose", action="store_true", help="rewrite each variant harmlessly once more")
    p.add_argument("--list", action="store_true", help="print the variants' ids and stop")
    p.add_argument("--show", metavar="ID", help="print one variant's diff (any part of an id that is unique) and stop")
    p.add_argument("--jobs", type=int, default=1)
    p.add_argument("--judge", default="cli", help="cli, or module:function for the engine in process")
    p.add_argument("--dump", type=Path, help="write missed, flagged and failed variants as JSON")
    return p.parse_args(argv)


def choose(args: argparse.Namespace) -> list[Variant]:
    if not args.kernels:
        sys.exit("no kernels: set TLBLINT_KERNELS or pass --kernels")
    names = args.kernel or sorted(p.name.removeprefix("linux-source-") for p in Path(args.kernels).glob("linux-source-*"))
    out: list[Variant] = []
    for name in names:
        rows = [
            v
            for v in variants(Path(args.kernels) / f"linux-source-{name}", tuple(args.family or FAMILIES), compose=args.compose)
            if (not args.operator or v.operator in args.operator) and (not args.function or v.function in args.function)
        ]
        out += sample(rows, args.limit)
    return out


def dump(verdicts: Sequence[Verdict], to: Path) -> None:
    rows = [
        {
            "id": d.variant.id,
            "status": d.status,
            "rules": list(d.rules),
            "accept": list(d.variant.accept),
            "function": d.variant.function,
            "diff": diff(d.variant),
        }
        for d in verdicts
        if d.status in SHOWN
    ]
    to.write_text(json.dumps(rows, indent=1) + "\n")


def main(argv: Sequence[str] | None = None) -> int:
    args = arguments(argv)
    rows = choose(args)
    if args.list or args.show:
        for v in rows:
            if args.list:
                print(v.id, ",".join(v.accept))
            elif args.show in v.id:
                print(v.id, ",".join(v.accept), diff(v), sep="\n")
        return 0
    verdicts = run(rows, args.judge, args.jobs)
    print(table(verdicts))
    for d in verdicts:
        if d.status in SHOWN:
            print(f"{d.status}: {d.variant.id} {' '.join(d.rules)[:300]}")
    if args.dump:
        dump(verdicts, args.dump)
    return 0


if __name__ == "__main__":
    sys.exit(main())
