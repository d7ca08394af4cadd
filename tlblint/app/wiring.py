"""The real analysis: rule files, role tables, profiles and contracts from the shipped data, and the engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from tlblint import __version__
from tlblint.app import filefacts, shipped, tables
from tlblint.app import generation as generations
from tlblint.app.named import find
from tlblint.app.spine import Contracts, Result, Spine, Wanted
from tlblint.calls.walks import KERNEL
from tlblint.engine.asked import DEFINED, Context, EngineResult, Entry, Options, Over, in_order
from tlblint.engine.grammar import RuleSpec
from tlblint.findings.own import by_code
from tlblint.io import data
from tlblint.io.errors import InputError
from tlblint.io.stamp import stamp
from tlblint.model.digest import blake2b
from tlblint.model.ir import FileFacts
from tlblint.model.store import NOTHING, Store, key
from tlblint.roles import ContractTable, Generation, ProfileData, RoleError, RoleTable, load_contracts, load_profile_data
from tlblint.roles.contracts import SAYS
from tlblint.roles.generation import FEATURES, UNKNOWN
from tlblint.roles.kinds import KINDS
from tlblint.roles.meant import Meant
from tlblint.roles.profiles import WORDS
from tlblint.rulefile import RuleFileError, parse_rule

if TYPE_CHECKING:
    from tlblint.engine.last import Before, Edit, Remembered

Name = tuple[str, str]
"""(path, function)."""

RULES = "rules"
OWN_ATTRS = frozenset({"again", "no-result", "kernel", "out", "walker", "extra", "own", "kept", "late", "left-out", "replaced", "lowered", "aged",
                       "empty"})
"""Attributes that the engine adds to those of the role table."""


def build(wanted: Wanted) -> Spine:
    """Load everything a run needs. Raises InputError with the place of the mistake."""
    directory = data.root("rules")
    texts, profile_texts = shipped.texts("api"), shipped.texts("profiles")
    of_roles = shipped.role_files(texts)
    tables.recall([*(text for name, text in texts.items() if name not in of_roles), *profile_texts.values()], wanted.store)
    rules = _rules(directory, wanted.rule_files, wanted.store)
    generation = generations.told(wanted.headers, wanted.naming.texts if wanted.naming is not None else None, wanted.store)
    try:
        table = tables.roles(of_roles, generation.features, wanted.store)
        contracts = load_contracts(texts["contracts.toml"])
        profiles = load_profile_data(profile_texts)
    except RoleError as error:
        raise InputError(str(error), "the shipped data cannot be read", "install tlblint again") from None
    chosen = shipped.chosen(profiles, wanted.profiles)
    active = _active(rules, wanted)
    ruleset = _digest(rules, texts, profile_texts)
    configs = shipped.configs(chosen)
    arches = sorted({item.profile.arch for item in chosen})
    table_named = f"{ruleset} {generation.name} {sorted(generation.features)}"
    meant = wanted.naming.meant(table, arches, configs, table_named) if wanted.naming is not None else ()
    roles, local = _as_meant(table.under(dict(wanted.renamed)), meant), _local(meant)
    context = _context(roles, contracts, texts, generation, chosen)
    judged = tuple(rule for rule in rules if rule.code in active and rule.transitions)
    own_names = {one.name.encode() for some in local.values() for one in some if one.like}
    words = roles.relevant() | own_names | {slot.struct.encode() for slot in contracts.slots if slot.slot == "fn"}
    other = [*map(" ".join, wanted.renamed), *map(repr, meant)]
    named = key(stamp(), ruleset, generation.name, *sorted(generation.features), "", *(p.profile.name for p in chosen), "", *other).hex()
    judging = [key(named, which, *(rule.code for rule in judged)).hex() for which in ("", "bare")]
    return Spine(
        rules=rules,
        active=active,
        profiles=tuple(sorted(p.profile.name for p in chosen)),
        words=words,
        ruleset=ruleset,
        facts=partial(filefacts.facts_of, configs, words, _helpers(roles), _beginning(roles), contracts, roles, local,
                      filefacts.Told(roles, frozenset(context.slots), named)),
        analyse=partial(_analyse, judged, context, judging[0], named),
        stands=partial(_stands, judged, context, judging[0]),
        hints=(*table.prefilter(), *(new.encode() for new, _ in wanted.renamed), *sorted({one.name.encode() for one in meant if one.like})),
        names=table.names(),
        skipped=shipped.starts(texts, "skipped"),
        always=frozenset(item.contract.path for item in contracts.functions if item.contract.path and "settles" in item.contract.says),
        again=partial(_Again, judged, context),
        contracts=Contracts(
            partial(_analyse, judged, _without_contracts(context, texts), judging[1], named), partial(_reason, contracts),
            lambda path, name: contracts.function(name, path) is not None or context.outside(path, name),
        ),
        key=named,
        judging=judging[0],
        generation=None if generation.name == UNKNOWN else generation.name,
        meant=meant,
    )


def _as_meant(roles: RoleTable, meant: Sequence[Meant]) -> RoleTable:
    """The table as the tree has it."""
    if not meant:
        return roles
    from tlblint.roles.declared import told_by

    return told_by(roles, meant)


def _local(meant: Sequence[Meant]) -> dict[str, tuple[Meant, ...]]:
    """What only the code of one architecture means, by architecture."""
    return {arch: tuple(one for one in meant if one.arch == arch) for arch in sorted({one.arch for one in meant} - {""})}


class _Again:
    """The engine with a memory. ``moved`` and ``whole`` as Spine.again says."""

    def __init__(self, rules: tuple[RuleSpec, ...], context: Context, moved: Mapping[Name, Name] | None = None, whole: Collection[Name] = ()) -> None:
        self._rules, self._context = rules, _followed(context, moved, whole) if moved else context
        from tlblint.engine.again import Memory

        self._memory: Memory[EngineResult] = Memory()

    def judge(self, facts: Sequence[FileFacts], part: frozenset[tuple[str, str]] | None) -> Result:
        from tlblint.engine.analyse import analyse

        self._memory.part = part
        return analyse(facts, self._rules, self._context, Options(memory=self._memory))

    @property
    def near(self) -> frozenset[tuple[str, str]]:
        return self._memory.told.near

    @property
    def flags(self) -> frozenset[str]:
        return self._memory.flags


def _followed(context: Context, moved: Mapping[Name, Name], whole: Collection[Name]) -> Context:
    def says(path: str, name: str) -> frozenset[str]:
        return context.says(path, name) or (context.says(*moved[path, name]) if (path, name) in whole else frozenset())

    def entries(path: str, name: str) -> Entry | None:
        return context.entries(path, name) or (context.entries(*moved[path, name]) if (path, name) in moved else None)

    def outside(path: str, name: str) -> bool:
        return context.outside(path, name) or ((path, name) in whole and context.outside(*moved[path, name]))

    return replace(context, says=says, entries=entries, outside=outside)


def _without_contracts(context: Context, texts: Mapping[str, str]) -> Context:
    """The same kernel with no promise about any function; how functions are entered stays."""
    outside = shipped.starts(texts, "outside")
    return replace(context, says=lambda path, name: frozenset(), outside=lambda path, name: path.startswith(outside))


def _reason(contracts: ContractTable, path: str, name: str) -> str:
    contract = contracts.function(name, path)
    return contract.reason if contract is not None and contract.says else ""


def _analyse(
    rules: tuple[RuleSpec, ...], context: Context, digest: str, said: str, facts: Sequence[FileFacts], only: Callable[[str], bool] | None,
    over: Over = in_order, store: Store = NOTHING, before: Before | None = None, /,
) -> Result:  # fmt: skip
    from tlblint.engine.analyse import analyse  # most runs find the answer remembered

    named = digest.encode() if store is not NOTHING else b""
    return analyse(facts, rules, context, Options(only, over, store=store, digest=named, before=before, said=said))


def _stands(
    rules: tuple[RuleSpec, ...], context: Context, digest: str, last: Remembered, before: Before, edits: Mapping[str, Edit], store: Store, /
) -> int | None:
    from tlblint.engine.stood import stands

    return stands(last, before, edits, rules, context, digest.encode(), store)


def _rules(directory: str, extra: tuple[str, ...], store: Store) -> tuple[RuleSpec, ...]:
    """The rules that ship and those of the user's files, by code; the former are remembered as they were read."""
    files = {name: raw for name, raw in data.files(directory, ".md").items() if name.startswith("TLB")}
    name = key(stamp(), *(part for path, raw in files.items() for part in (path, raw)))
    row = store.get(RULES, [name]).get(name)
    out: dict[str, RuleSpec] = {}
    with suppress(msgspec.DecodeError, ValueError):
        out = {rule.code: rule for rule in msgspec.msgpack.decode(row, type=tuple[RuleSpec, ...])} if row is not None else {}
    if not out:
        out = _parsed(directory, files)
        store.put(RULES, {name: msgspec.msgpack.encode(tuple(out.values()))})
    out |= _parsed(directory, {path: data.read(path) for path in extra})
    return tuple(out[code] for code in sorted(out))


def _parsed(directory: str, files: Mapping[str, bytes]) -> dict[str, RuleSpec]:
    out: dict[str, RuleSpec] = {}
    for path, raw in files.items():
        try:
            rule = parse_rule(path, raw.decode())
        except RuleFileError as error:
            raise InputError(f"{error.path}:{error.line}:{error.column}", error.what, _guide(directory)) from None
        except UnicodeDecodeError:
            raise InputError(path, "not UTF-8 text", _guide(directory)) from None
        out[rule.code] = rule
    _check_words(tuple(out.values()))
    return out


def _guide(directory: str) -> str:
    """Where to read on: an installed copy has no checkout beside it."""
    return f"see {os.path.join(directory, 'README.md')}"


def _check_words(rules: Sequence[RuleSpec]) -> None:
    """A misspelt word in a rule would make it silent: each must be one that the tables can produce."""
    attrs = {word for kind in KINDS.values() for word in kind.attrs} | OWN_ATTRS
    known: dict[str, frozenset[str]] = {"contract": SAYS | {"entered-lazy", *DEFINED.values()}, "feature": FEATURES, "attr": frozenset(attrs)}
    for rule in rules:
        wanted = [("profile feature", word, WORDS) for word in (*rule.needs, *(word for _, words in rule.where for word in words))]
        for guard in (guard for transition in rule.transitions for guard in transition.guards if guard.argument):
            wanted += [(guard.word, word, known[guard.word]) for word in guard.argument.split("|")]
        for what, word, words in wanted:
            if word not in words:
                raise InputError(rule.path, f"unknown {what} '{word}'", f"known are {', '.join(sorted(words))}")


def _active(rules: Sequence[RuleSpec], wanted: Wanted) -> frozenset[str]:
    """The codes that run. A preview rule runs only when previews are asked for, by name too: nobody should rely on one unawares."""
    known = by_code(rules)
    early = frozenset(rule.code for rule in rules if rule.status == "preview" and not wanted.preview)
    selected = frozenset(find(known, name).code for name in wanted.select)
    for code in sorted(selected & early):
        raise InputError(code, "a preview rule", "add --preview to run it")
    return (selected or frozenset(known)) - early - frozenset(find(known, name).code for name in wanted.ignore)


def _helpers(roles: RoleTable) -> frozenset[bytes]:
    """Names that make a helper worth reading when code in scope calls it: what is done about a dirty page, or with the contents of an
    unmapped one, what fills in a notifier's range, and what allocates by flags that may wait."""
    kinds = ("page.dirty", "page.copy", "notifier.init")
    return frozenset(role.name.encode() for role in roles.roles()
                     if any(effect.kind in kinds or (effect.kind == "sleep" and effect.when.startswith("flag:")) for effect in role.effects))


def _beginning(roles: RoleTable) -> frozenset[bytes]:
    """Functions that give generations their first value, or begin a gather: they may mention nothing else of interest."""
    return frozenset(role.name.encode() for role in roles.roles() if any(effect.kind in ("generation.start", "gather.begin") for effect in role.effects))


def _context(roles: RoleTable, contracts: ContractTable, texts: Mapping[str, str], generation: Generation, profiles: Sequence[ProfileData]) -> Context:
    outside, skipped = shipped.starts(texts, "outside"), shipped.starts(texts, "skipped")
    kernel = frozenset({"kernel-tables"})

    def says(path: str, name: str) -> frozenset[str]:
        contract = contracts.function(name, path)
        return frozenset(contract.says) if contract is not None else frozenset()

    def entry(path: str, name: str) -> Entry | None:
        contract = contracts.function(name, path)
        if contract is None or not contract.entry:
            return None
        held = dict(contract.entry)
        return Entry(ptl=held.get("ptl", ""), level="", lazy="lazy" in held, pending="pending" in held, note=contract.reason, given=held.get("given", ""))

    return Context(
        roles=lru_cache(maxsize=None)(roles.resolve),
        pure=shipped.pure(texts),
        features=generation.features,
        profiles=tuple(p.at(generation.name, generation.features) for p in profiles),
        says=says,
        entries=entry,
        slots=_slots(contracts),
        skipped=lambda path: path.startswith(skipped),
        outside=lambda path, name: path.startswith(outside) or bool(says(path, name) & kernel),
    )


def _slots(contracts: ContractTable) -> Mapping[tuple[str, str], Entry]:
    out = {}
    for slot in contracts.slots:
        holds = "ptl" in slot.holds
        lazy = "lazy" in slot.holds
        out[(slot.struct, slot.slot)] = Entry(
            ptl="the walker's lock" if holds else "",
            level=slot.level,
            lazy=lazy,
            walker="walker" in slot.holds,
            pending="pending" in slot.holds,
            says=frozenset(slot.says) | ({"entered-lazy"} if lazy else frozenset()),
            note=slot.reason,
            bind=slot.bind,
        )
        if slot.unless == "init_mm" and lazy:
            says = frozenset({"entered-lazy", "kernel-tables"})
            out[(slot.struct + KERNEL, slot.slot)] = Entry(level=slot.level, lazy=True, says=says, note=slot.reason, bind=slot.bind)
    return out


def _digest(rules: Sequence[RuleSpec], *tables: Mapping[str, str]) -> str:
    """A short name for the rules and tables of this run: 16 hexadecimal digits."""
    text = blake2b(digest_size=8)
    text.update(__version__.encode())
    for rule in rules:
        text.update(rule.text.encode())
    for table in tables:
        for name in sorted(table):
            text.update(name.encode() + table[name].encode())
    return text.hexdigest()
