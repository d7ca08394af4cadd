"""Findings of one tree after each patch of a series: which are the same, which patch brings one and which mends it.

A finding is followed from state to state by what does not change when code moves: first by the text of the line that it stands on, in the
function as it is called now; then by its fingerprint in its file; then by rule and story in a function that was renamed or moved, and by its
fingerprint anywhere. So what a patch merely carries elsewhere is neither mended nor introduced.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

import msgspec

from tlblint.model.finding import Finding

Name = tuple[str, str]
"""(path, function)."""


class State(msgspec.Struct, frozen=True):
    """The findings after a patch, or before the first. ``text`` gives the source line that a finding stands on, without blanks around it;
    ``renamed`` says of functions of the state before under which name they are found in this one; ``unseen`` is true of functions that
    could not be looked at: what was found in them before is taken to be there still."""

    findings: Sequence[Finding]
    text: Callable[[Finding], bytes]
    renamed: Mapping[Name, Name] = msgspec.field(default_factory=dict)
    unseen: Callable[[Name], bool] = lambda name: False


class Life(msgspec.Struct):
    """One defect through the series. ``born`` and ``last`` are numbers of states, 0 is the base; ``shapes`` are the finding in each of them."""

    born: int
    shapes: list[Finding]
    doubtful: bool = False
    """Whether it may be older: its function could not be looked at in the state before."""

    @property
    def last(self) -> int:
        """The last state that it is found in."""
        return self.born + len(self.shapes) - 1


def lives(states: Sequence[State]) -> list[Life]:
    """All defects of some states in a row, in the order of their first appearance."""
    out: list[Life] = []
    alive: list[Life] = []
    for number, state in enumerate(states):
        after = matched([life.shapes[-1] for life in alive], states[number - 1] if number else state, state)
        staying = []
        taken: set[int] = set()
        for life, at in zip(alive, after, strict=True):
            if at is not None:
                life.shapes.append(state.findings[at])
                taken.add(at)
                staying.append(life)
            elif state.unseen(_place(life.shapes[-1], state)):
                life.shapes.append(life.shapes[-1])
                staying.append(life)
        blind = states[number - 1].unseen if number else state.unseen
        new = [Life(number, [finding], blind((finding.path, finding.function))) for at, finding in enumerate(state.findings) if at not in taken]
        out += new
        alive = staying + new
    return out


def matched(old: Sequence[Finding], before: State, after: State) -> list[int | None]:
    """For each of ``old``, findings of ``before``, its index in ``after``, or None where it is mended."""
    found: list[int | None] = [None] * len(old)
    free = dict.fromkeys(range(len(after.findings)))
    for was, now in _rounds(before, after):
        waiting: dict[Hashable, list[int]] = {}
        for at in free:
            waiting.setdefault(now(after.findings[at]), []).append(at)
        for number, finding in enumerate(old):
            held = waiting.get(was(finding)) if found[number] is None else None
            if held:
                found[number] = held.pop(0)
                del free[found[number]]  # type: ignore[arg-type]
    return found


Sight = Callable[[Finding], Hashable]


def _rounds(before: State, after: State) -> list[tuple[Sight, Sight]]:
    """What a finding and its successor have in common, the surest first: (of the finding before, of the one after)."""

    def renamed(finding: Finding) -> Name:
        return _place(finding, after)

    return [
        (lambda f: (f.rule, story(f), before.text(f), f.path, f.function), lambda f: (f.rule, story(f), after.text(f), f.path, f.function)),
        (lambda f: (f.rule, before.text(f), renamed(f)), lambda f: (f.rule, after.text(f), (f.path, f.function))),
        (lambda f: (f.fingerprint, f.path), lambda f: (f.fingerprint, f.path)),
        (lambda f: (f.rule, story(f), renamed(f)), lambda f: (f.rule, story(f), (f.path, f.function))),
        (lambda f: f.fingerprint, lambda f: f.fingerprint),
        (lambda f: (f.rule, before.text(f), story(f)), lambda f: (f.rule, after.text(f), story(f))),
    ]


def _place(finding: Finding, after: State) -> Name:
    """Where the function of a finding of the state before is in ``after``."""
    place = (finding.path, finding.function)
    return after.renamed.get(place, place)


def story(finding: Finding) -> tuple[str, ...]:
    """What happens on the path to a finding, without the way there and without places."""
    return tuple(step.event for step in finding.trace if step.event not in ("call", "branch"))
