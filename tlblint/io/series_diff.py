"""The diff of one patch, cut into files as ``git apply`` would cut it, with every oddity named instead of passed over."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from tlblint.io.errors import InputError
from tlblint.io.series_paths import objection, quoted, shown
from tlblint.model.series import FilePatch, Hunk

FILES = 50_000
"""Files of the largest patch that is read."""

HUNKS = 100_000
"""Hunks of the largest patch that is read."""

LINES = 2_000_000
"""Lines of the largest patch that is read: what bounds the memory of a diff of empty lines."""

_LONGEST = 4096
"""Bytes of the longest line that names a file, in quotes and twice."""

_LEAVE = "no honest patch does that"

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_INDEX = re.compile(rb"([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: ([0-7]{6}))?\s*$")
_MODE = re.compile(rb"([0-7]{6})\s*$")
_STAMP = re.compile(rb"\t.*$|\s+\d{4}-\d\d-\d\d \d\d:\d\d.*$|\s+(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d .*$", re.S)
_PART = re.compile(rb"(?:literal|delta) \d+$")
_PREFIXES = {(b"a", b"b"), (b"b", b"a"), (b"i", b"w"), (b"c", b"i"), (b"c", b"w"), (b"o", b"w"), (b"w", b"i"), (b"1", b"2")}


class Broken(Exception):
    """What is wrong with a diff, and the way out; ``line`` is 1-based within it."""

    def __init__(self, line: int, what: str, todo: str = "get the patch again, as its author sent it") -> None:
        super().__init__(line, what, todo)
        self.line, self.what, self.todo = line, what, todo


def parse_diff(raw: bytes, where: str, first: int | None = None) -> tuple[FilePatch, ...]:
    """The files of a diff; text around them is passed over. () when there is none.

    ``where`` names the diff in errors; ``first`` is the 1-based line of its first line there, None when that says nothing to the user.
    Raises InputError.
    """
    try:
        return _Reader(raw).files()
    except Broken as error:
        place = f"{where}:{first + error.line - 1}" if first is not None else where
        what = error.what if first is not None else f"line {error.line} of the diff: {error.what}"
        raise InputError(place, what, error.todo) from None


@dataclass
class _Header:
    """What the lines before the hunks say. Names are bytes as written, prefixes and all."""

    at: int
    git: bool = False
    default: bytes | None = None
    old: bytes | None = None
    new: bytes | None = None
    origin: bytes | None = None
    target: bytes | None = None
    copy: bool = False
    created: bool = False
    deleted: bool = False
    old_mode: str | None = None
    new_mode: str | None = None
    blobs: tuple[str | None, str | None] = (None, None)
    bare: bool = False
    hunks: list[Hunk] = field(default_factory=list)
    binary: bool = False
    seen: set[bytes] = field(default_factory=set)


class _Reader:
    def __init__(self, raw: bytes) -> None:
        if raw.count(b"\n") > LINES:
            raise Broken(1, f"more than {LINES} lines")
        self.lines = raw.split(b"\n")
        if not self.lines[-1]:
            self.lines.pop()
        self.open = bool(raw) and not raw.endswith(b"\n")
        self.at = 0
        self.count = 0

    def files(self) -> tuple[FilePatch, ...]:
        found: list[FilePatch] = []
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if len(found) > FILES:
                raise Broken(self.at, f"more than {FILES} files", "leave that patch out")
            if line.startswith(b"diff --git "):
                found.append(self._git())
            elif line.startswith((b"diff --cc ", b"diff --combined ", b"@@@ -")):
                raise Broken(self.at + 1, "a combined diff of a merge, which no program applies", "give the commits of the merge")
            elif line.startswith(b"--- ") and self._starts(1, b"+++ ") and self._starts(2, b"@@ -"):
                found.append(self._traditional())
            elif _HUNK.match(line):
                raise Broken(self.at + 1, "a hunk without the name of its file")
            else:
                self.at += 1
        return tuple(found)

    def _starts(self, ahead: int, mark: bytes) -> bool:
        return self.at + ahead < len(self.lines) and self.lines[self.at + ahead].startswith(mark)

    def _bounded(self, line: bytes) -> None:
        """Patterns run over names: a line of megabytes would keep them busy for hours."""
        if len(line) > _LONGEST:
            raise Broken(self.at + 1, f"a file name of more than {_LONGEST} bytes")

    def _git(self) -> FilePatch:
        """The section that a ``diff --git`` line opens."""
        head = _Header(self.at, git=True)
        self._bounded(self.lines[self.at])
        names = self.lines[self.at][len(b"diff --git ") :]
        head.default, head.bare = _both(names)
        self.at += 1
        while self.at < len(self.lines) and self._extended(head, self.lines[self.at]):
            self.at += 1
        if self.at == len(self.lines) and self.at == head.at + 1:
            raise Broken(self.at, "ends in the middle of the header of a file: the mail is cut off")
        if self.at == head.at + 1:
            raise Broken(self.at, "the first line of the header of a file, and no header behind it")
        return self._rest(head)

    def _traditional(self) -> FilePatch:
        self._bounded(self.lines[self.at])
        self._bounded(self.lines[self.at + 1])
        head = _Header(self.at, old=_name(self.lines[self.at][4:]), new=_name(self.lines[self.at + 1][4:]))
        self.at += 2
        start = self.lines[self.at]
        head.created = start.startswith(b"@@ -0,0 ")  # GNU diff names a new file on both sides
        return self._rest(head)

    def _rest(self, head: _Header) -> FilePatch:
        """Hunks or binary data behind a header, and the record of it all."""
        self._hunks(head)
        if not head.hunks:
            self._binary(head)
        return _record(head, b"\n".join(self.lines[head.at : self.at]) + b"\n")

    def _extended(self, head: _Header, line: bytes) -> bool:
        """Take in one line of a git header; False when it is none."""
        for start, take in _TAKERS:
            if line.startswith(start):
                self._bounded(line)
                if start in head.seen:
                    raise Broken(self.at + 1, f"the header of a file says {start.decode().strip()} twice")
                head.seen.add(start)
                take(head, line[len(start) :], self.at + 1)
                return True
        return False

    def _hunks(self, head: _Header) -> None:
        while self.at < len(self.lines) and self.lines[self.at].startswith(b"@@ -"):
            match = _HUNK.match(self.lines[self.at])
            if not match:
                raise Broken(self.at + 1, "a hunk header that cannot be read")
            old_start, old, new_start, new = (int(group) if group is not None else 1 for group in match.groups())
            self.count += 1
            if self.count > HUNKS:
                raise Broken(self.at + 1, f"more than {HUNKS} hunks")
            head.hunks.append(Hunk(old_start, old, new_start, new, self.at - head.at + 1))
            self._body(len(head.hunks), old, new)
        # More lines than announced: git takes them for prose, and the rest of the change is lost without a word.
        if head.hunks and self.at < len(self.lines) and self._goes_on(self.lines[self.at]):
            raise Broken(self.at + 1, f"hunk {len(head.hunks)} has more lines than its header says")

    def _body(self, number: int, old: int, new: int) -> None:
        """Pass over the lines of a hunk, by its counts."""
        opened = self.at + 1
        says = f"hunk {number} (says {old} lines before, {new} after)"
        self.at += 1
        while old > 0 or new > 0:
            if self.at >= len(self.lines):
                raise Broken(opened, f"{says} is cut off: {old} and {new} are missing")
            kind = self.lines[self.at][:1]
            if kind in (b" ", b"", b"-", b"+"):
                old -= kind != b"+"
                new -= kind != b"-"
            elif kind != b"\\":
                raise Broken(self.at + 1, f"{says} ends early: {old} and {new} are missing")
            if old < 0 or new < 0:
                raise Broken(self.at + 1, f"{says} has other counts")
            self.at += 1
        if self._starts(0, b"\\ "):
            self.at += 1
        elif self.open and self.at == len(self.lines):
            raise Broken(self.at, "a line without an end: the mail is cut off")

    def _goes_on(self, line: bytes) -> bool:
        if line.startswith(b"+"):
            return True
        if not line.startswith(b"-") or line.startswith(b"-----") or line.rstrip() in (b"--", b"---"):
            return False  # nothing, a ruler, a signature
        return not (line.startswith(b"--- ") and self._starts(1, b"+++ "))

    def _binary(self, head: _Header) -> None:
        if self.at >= len(self.lines):
            return
        line = self.lines[self.at]
        if line.startswith(b"Binary files ") and line.endswith(b"differ"):
            head.binary = True
            self.at += 1
        elif line.startswith(b"GIT binary patch"):
            head.binary = True
            self.at += 1
            while self.at < len(self.lines) and _PART.match(self.lines[self.at]):
                while self.at < len(self.lines) and self.lines[self.at]:
                    self.at += 1
                self.at += 1
            self.at = min(self.at, len(self.lines))


def _blobs(head: _Header, rest: bytes, line: int) -> None:
    match = _INDEX.match(rest)
    if match:
        old, new = (None if not name.strip(b"0") else name.decode() for name in match.groups()[:2])
        head.blobs = (old, new)
        if match[3]:
            head.old_mode = head.new_mode = match[3].decode()


def _mode(rest: bytes, line: int) -> str:
    match = _MODE.match(rest)
    if not match:
        raise Broken(line, "a file mode that cannot be read")
    return match[1].decode()


def _old_mode(head: _Header, rest: bytes, line: int) -> None:
    head.old_mode = _mode(rest, line)


def _new_mode(head: _Header, rest: bytes, line: int) -> None:
    head.new_mode = _mode(rest, line)


def _created(head: _Header, rest: bytes, line: int) -> None:
    head.created, head.new_mode = True, _mode(rest, line)


def _deleted(head: _Header, rest: bytes, line: int) -> None:
    head.deleted, head.old_mode = True, _mode(rest, line)


def _old(head: _Header, rest: bytes, line: int) -> None:
    head.old = _name(rest)


def _new(head: _Header, rest: bytes, line: int) -> None:
    head.new = _name(rest)


def _from(head: _Header, rest: bytes, line: int) -> None:
    head.origin = _whole(rest)


def _to(head: _Header, rest: bytes, line: int) -> None:
    head.target = _whole(rest)


def _copy_from(head: _Header, rest: bytes, line: int) -> None:
    head.copy, head.origin = True, _whole(rest)


def _nothing(head: _Header, rest: bytes, line: int) -> None:
    """A line that is believed without being used."""


_TAKERS = (
    (b"--- ", _old), (b"+++ ", _new), (b"old mode ", _old_mode), (b"new mode ", _new_mode), (b"deleted file mode ", _deleted),
    (b"new file mode ", _created), (b"copy from ", _copy_from), (b"copy to ", _to), (b"rename from ", _from), (b"rename to ", _to),
    (b"rename old ", _from), (b"rename new ", _to), (b"similarity index ", _nothing), (b"dissimilarity index ", _nothing), (b"index ", _blobs),
)  # fmt: skip


def _name(text: bytes) -> bytes:
    """The name on a ``---`` or ``+++`` line, without quotes and time stamp."""
    found = quoted(text)
    return found[0] if found else _STAMP.sub(b"", text.rstrip(b"\r"))


def _whole(text: bytes) -> bytes:
    """The name on a rename or copy line."""
    found = quoted(text)
    return found[0] if found else text.rstrip(b"\r")


def _both(text: bytes) -> tuple[bytes | None, bool]:
    """The one name that a ``diff --git`` line gives twice, without prefix, None when the two differ or cannot be told apart; and whether
    the line was written without prefixes."""
    first = quoted(text)
    if first:
        second = quoted(first[1][1:])
        return _same(first[0], second[0] if second else first[1][1:])
    if text.endswith(b'"') and b' "' in text:
        second = quoted(text[text.index(b' "') + 1 :])
        return _same(text[: text.index(b' "')], second[0]) if second else (None, False)
    text = text.rstrip(b"\r")
    middle = len(text) // 2
    if len(text) % 2 and text[middle : middle + 1] == b" ":
        return _same(text[:middle], text[middle + 1 :])
    return None, False


def _same(old: bytes, new: bytes) -> tuple[bytes | None, bool]:
    head_old, _, rest_old = old.partition(b"/")
    head_new, _, rest_new = new.partition(b"/")
    if rest_old and rest_old == rest_new and (head_old, head_new) in _PREFIXES:
        return rest_old, False
    if old == new:
        return old, True
    return (rest_old, False) if rest_old and rest_old == rest_new else (None, False)


def _record(head: _Header, raw: bytes) -> FilePatch:
    line = head.at + 1
    created, deleted = _made_or_gone(head, line)
    old, new = _stripped(head, head.old, line), _stripped(head, head.new, line)
    renamed = head.origin is not None or head.target is not None
    if renamed and (created or deleted or head.origin is None or head.target is None):
        raise Broken(line, "half of a rename")
    for name in (head.origin, head.target) if renamed else ():
        _checked(name or b"", line)
    if renamed and (not {old, head.old} & {None, head.origin} or not {new, head.new} & {None, head.target}):  # with prefixes or without
        raise Broken(line, "the header of a file gives it two names")
    if renamed:
        old, new = head.origin, head.target
    if head.hunks and (head.old is None or head.new is None):
        raise Broken(line, "the header of a file lacks its --- or its +++ line")
    name = head.default
    if not renamed and old is not None and new is not None and old != new:
        old = new = _agreed(head, old, new)
    if not renamed and name is not None and any(other not in (None, name) for other in (old, new)):
        raise Broken(line, "the header of a file gives it two names")
    old, new = (None if created else old or new or name), (None if deleted else new or old or name)
    if old is None and new is None:
        raise Broken(line, "the header of a file does not name it")
    kind = _kind(head, created, deleted, renamed)
    if kind == "modify" and not head.hunks and not head.binary:
        raise Broken(line, f"{shown(os.fsdecode(new or old or b''))} is named but nothing is changed in it: the mail is cut off or garbled")
    paths = tuple(None if path is None else _checked(path, line) for path in (old, new))
    return FilePatch(paths[0], paths[1], kind, raw, tuple(head.hunks), *head.blobs, head.old_mode, head.new_mode, head.binary)


def _made_or_gone(head: _Header, line: int) -> tuple[bool, bool]:
    """Whether a file is created, and whether deleted."""
    if not head.git:
        created, deleted = head.created or head.old == b"/dev/null", head.new == b"/dev/null"
    else:
        created, deleted = head.created, head.deleted
        if any(name is not None and (name == b"/dev/null") != gone for name, gone in ((head.old, created), (head.new, deleted))):
            raise Broken(line, "the header of a file disagrees with itself on /dev/null")
    if created and deleted:
        raise Broken(line, "a file that is created and deleted at once")
    return created, deleted


def _stripped(head: _Header, name: bytes | None, line: int) -> bytes | None:
    """A name of a ``---`` or ``+++`` line without its first component; None for none and for /dev/null."""
    if name is None or name == b"/dev/null":
        return None
    if head.bare:
        return name
    if name.startswith(b"/"):
        raise Broken(line, f"an absolute path is not touched: {shown(os.fsdecode(name))}", _LEAVE)
    rest = name.partition(b"/")[2]
    if not rest:
        raise Broken(line, f"{shown(os.fsdecode(name))} has no directory to strip: not a diff from the top of the tree")
    return rest


def _agreed(head: _Header, old: bytes, new: bytes) -> bytes:
    """One name for a file that is ``x.orig`` before and ``x`` after, or the other way round. GNU diff writes that."""
    if head.default is None and (old.startswith(new) or new.startswith(old)) and abs(len(old) - len(new)) <= 5:
        return min(old, new, key=len)
    raise Broken(head.at + 1, "the header of a file gives it two names")


def _kind(head: _Header, created: bool, deleted: bool, renamed: bool) -> str:
    if created or deleted:
        return "create" if created else "delete"
    if renamed:
        return "copy" if head.copy else "rename"
    changes_mode = head.old_mode is not None and head.old_mode != head.new_mode
    return "mode" if changes_mode and not head.hunks and not head.binary else "modify"


def _checked(name: bytes, line: int) -> str:
    path = os.fsdecode(name)
    why = objection(path)
    if why:
        raise Broken(line, f"{why} is not touched: {shown(path)}" if path else why, _LEAVE)
    return path
