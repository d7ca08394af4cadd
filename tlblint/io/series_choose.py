"""Which of the mails at hand make up the series, and in which order: the newest version, by its own numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from tlblint.io.errors import InputError
from tlblint.io.mail import Letter
from tlblint.io.mail_subject import Prefix, read_subject
from tlblint.io.mail_text import BASE, PREREQUISITE, Sheet, read_text

PATCHES = 2000
"""Patches of the longest series that is read."""

_SHOWN = 12
"""Numbers that are listed before a note says "and so on"."""


class Sent(msgspec.Struct, frozen=True):
    """A letter with its subject and text taken apart. ``place`` is its position among all letters."""

    letter: Letter
    prefix: Prefix
    sheet: Sheet
    place: int

    @property
    def title(self) -> str:
        return self.prefix.subject


class Chosen(msgspec.Struct, frozen=True):
    """The mails of one series in order, its cover letter, the ``base-commit:`` it names, and what the user should know."""

    patches: tuple[Sent, ...]
    cover: Sent | None
    base_commit: str | None
    notes: tuple[str, ...]


class _Group(msgspec.Struct):
    """Mails of one version of one series. ``total`` is None for patches without numbers."""

    version: int
    total: int | None
    patches: list[Sent]
    covers: list[Sent]

    @property
    def numbers(self) -> set[int]:
        return {sent.prefix.number for sent in self.patches if sent.prefix.number is not None}

    @property
    def missing(self) -> list[int]:
        return sorted(set(range(1, (self.total or 0) + 1)) - self.numbers)

    @property
    def title(self) -> str:
        return (self.covers or self.patches)[0].title

    @property
    def name(self) -> str:
        return f'v{self.version} of "{self.title}" ({_count(len(self.patches), "patch")})'


def choose(letters: Sequence[Letter], name: str) -> Chosen:
    """The series in ``letters``; ``name`` stands for the input in messages. Raises InputError when there is no patch."""
    sent = [_take(letter, place) for place, letter in enumerate(letters)]
    patches = [one for one in sent if one.sheet.diff and not one.prefix.reply and one.prefix.number != 0]
    notes: list[str] = []
    if not patches:
        patches = [one for one in sent if one.sheet.diff and one.prefix.number != 0]
        notes = [f'taken from a reply: "{one.title}"' for one in patches]
    if not patches:
        raise InputError(name, _nothing(sent), "give the mails that hold the diffs")
    asides = [one for one in patches if not one.prefix.patch and one.letter.parents and any(other.prefix.patch for other in patches)]
    patches = [one for one in patches if one not in asides]
    notes += [f'passed over: "{one.title}" answers another mail and does not say PATCH' for one in asides[:3]]
    covers = [one for one in sent if one.prefix.number == 0 and not one.prefix.reply]
    groups = _groups(patches, covers)
    best = _best(groups)
    group, older = _completed(best, groups)
    notes += _said(best, older, groups)
    ordered, more = _ordered(group)
    if len(ordered) > PATCHES:
        raise InputError(name, f"more than {PATCHES} patches", "give a part of the series")
    notes += more + _empty(group, sent)
    for one in ordered:
        if one.letter.flowed:
            raise InputError(one.letter.source, f'"{one.title}" was sent as format=flowed, which breaks lines of patches', "ask for it as plain text")
    cover = group.covers[-1] if group.covers else None
    base, more = _base([*group.covers, *ordered])
    return Chosen(tuple(ordered), cover, base, tuple(notes + more))


def _take(letter: Letter, place: int) -> Sent:
    sheet = read_text(letter.text)
    prefix = read_subject(letter.subject)
    if sheet.subject is not None:  # a mail's text may rename it
        inner = read_subject(sheet.subject)
        prefix = inner if inner.patch else replace(prefix, subject=inner.subject or prefix.subject, reply=False)
    return Sent(letter, prefix, sheet, place)


def _nothing(sent: Sequence[Sent]) -> str:
    covers = sum(one.prefix.number == 0 for one in sent)
    replies = sum(one.prefix.reply for one in sent)
    what = [f"{_count(covers, 'cover letter')}"] if covers else []
    what += [f"{_count(replies, 'reply')}"] if replies else []
    return f"no patch in {_count(len(sent), 'mail')}" + (f" ({', '.join(what)})" if what else "")


def _groups(patches: Iterable[Sent], covers: Iterable[Sent]) -> list[_Group]:
    """Numbered mails by thread, version and total; those without numbers together, of each only its newest version."""
    groups: list[_Group] = []
    covered = sorted(covers, key=lambda one: one.place)
    for cover in covered:
        groups.append(_Group(cover.prefix.version, cover.prefix.total, [], [cover]))
    loose = _Group(1, None, [], [])
    for patch in patches:
        if patch.prefix.number is None:
            loose.patches.append(patch)
        else:
            _home(groups, patch).patches.append(patch)
    if loose.patches:
        loose.patches = _newest(loose.patches)
        loose.version = max(one.prefix.version for one in loose.patches)
        groups.append(loose)
    return [group for group in groups if group.patches]


def _home(groups: list[_Group], patch: Sent) -> _Group:
    """The group of a numbered patch, of its version and length: that of its thread, else one of its author that lacks its number, else, when
    the patch answers nothing, any that lacks it."""
    same = [group for group in groups if (group.version, group.total) == (patch.prefix.version, patch.prefix.total)]
    lacking = [group for group in same if patch.prefix.number not in group.numbers or any(one.sheet.diff == patch.sheet.diff for one in group.patches)]
    fitting = [group for group in same if _thread(group).intersection(patch.letter.parents)]
    fitting += [group for group in lacking if _alike(group, patch)] + [group for group in lacking if not patch.letter.parents]
    if fitting:
        return fitting[0]
    group = _Group(patch.prefix.version, patch.prefix.total, [], [])
    groups.append(group)
    return group


def _thread(group: _Group) -> set[str]:
    """The mails of a group and those that they answer."""
    return {name for one in [*group.covers, *group.patches] for name in (one.letter.message_id, *one.letter.parents) if name}


def _alike(group: _Group, patch: Sent) -> bool:
    """Whether the authors of the mails agree, or are not known."""
    senders = {one.letter.author for one in [*group.covers, *group.patches]}
    return patch.letter.author in senders or "" in senders or not patch.letter.author


def _newest(patches: list[Sent]) -> list[Sent]:
    best: dict[str, int] = {}
    for one in patches:
        best[one.title] = max(best.get(one.title, 0), one.prefix.version)
    return [one for one in patches if not one.title or one.prefix.version == best[one.title]]


def _best(groups: list[_Group]) -> _Group:
    """The newest version; among several the longer, then the later one."""
    numbered = [group for group in groups if group.total is not None] or groups
    return max(numbered, key=lambda group: (group.version, len(group.patches), group.patches[-1].place))


def _completed(group: _Group, groups: list[_Group]) -> tuple[_Group, _Group | None]:
    """A version that replaces only some patches, each sent as an answer to the one it replaces, laid over the version before; and that one."""
    for older in sorted(groups, key=lambda other: -other.version) if group.missing else ():
        if older.version >= group.version or older.total != group.total:
            continue
        replaced = {one.letter.message_id: one.prefix.number for one in older.patches}
        if all(any(replaced.get(parent) == one.prefix.number for parent in one.letter.parents) for one in group.patches):
            kept = [one for one in older.patches if one.prefix.number not in group.numbers]
            return _Group(group.version, group.total, [*kept, *group.patches], group.covers or older.covers), older
    return group, None


def _said(best: _Group, older: _Group | None, groups: list[_Group]) -> list[str]:
    """What was chosen, where there was a choice."""
    notes = []
    others = [group for group in groups if group is not best and group is not older]
    if others:
        listed = ", ".join(group.name for group in others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        notes.append(f"chosen: {best.name}; passed over: {listed}")
    if older is not None:
        notes.append(f"v{best.version} replaces only {_list(sorted(best.numbers))} of {best.total}: the others are of v{older.version}")
    return notes


def _ordered(group: _Group) -> tuple[list[Sent], list[str]]:
    if group.total is None:
        notes = [f"{len(group.patches)} patches without numbers, taken in the order given"] if len(group.patches) > 1 else []
        return list(group.patches), notes
    notes = []
    last: dict[int, Sent] = {}
    for one in group.patches:
        assert one.prefix.number is not None
        if one.prefix.number in last and last[one.prefix.number].sheet.diff != one.sheet.diff:
            notes.append(f"patch {one.prefix.number} was sent twice: the later one counts")
        last[one.prefix.number] = one
    if group.missing:
        verb = "is" if len(group.missing) == 1 else "are"
        notes.append(f"{'patch' if verb == 'is' else 'patches'} {_list(group.missing)} of {group.total} {verb} missing")
    beyond = sorted(number for number in last if number > (group.total or 0))
    if beyond:
        notes.append(f"{'patch' if len(beyond) == 1 else 'patches'} {_list(beyond)} of {group.total}: numbered beyond the end")
    return [last[number] for number in sorted(last)], notes


def _empty(group: _Group, sent: Sequence[Sent]) -> list[str]:
    """Numbered mails of the series that hold no diff."""
    same = [one.prefix for one in sent if not one.sheet.diff and (one.prefix.version, one.prefix.total) == (group.version, group.total)]
    numbers = {prefix.number for prefix in same if not prefix.reply}
    hollow = [number for number in group.missing if number in numbers]
    return [f"the mail of patch {_list(hollow)} holds no diff"] if hollow else []


def _base(sent: Sequence[Sent]) -> tuple[str | None, list[str]]:
    found = [match.decode() for one in sent for match in BASE.findall(one.letter.text)]
    needs = sum(len(PREREQUISITE.findall(one.letter.text)) for one in sent)
    notes = [f"the series says that it needs {_count(needs, 'other patch')} first"] if needs else []
    return (found[0] if found else None), notes


def _list(numbers: Sequence[int]) -> str:
    """ "1, 3-5": at most so many items."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    text = ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs[:_SHOWN])
    return text + (", ..." if len(runs) > _SHOWN else "")


def _count(number: int, word: str) -> str:
    plural = {"patch": "patches", "reply": "replies", "other patch": "other patches"}.get(word, f"{word}s")
    return f"{number} {word if number == 1 else plural}"
