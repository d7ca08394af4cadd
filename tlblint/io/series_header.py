"""The header of one file in a diff: the lines before its hunks, and what they say together."""

from __future__ import annotations

import os
import re

import msgspec

from tlblint.io.series_paths import objection, quoted, shown
from tlblint.model.series import FilePatch, Hunk

_INDEX = re.compile(rb"([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: ([0-7]{6}))?\s*$")
_MODE = re.compile(rb"([0-7]{6})\s*$")
_STAMP = re.compile(rb"\t.*$|\s+\d{4}-\d\d-\d\d \d\d:\d\d.*$|\s+(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d .*$", re.S)
_PREFIXES = {(b"a", b"b"), (b"b", b"a"), (b"i", b"w"), (b"c", b"i"), (b"c", b"w"), (b"o", b"w"), (b"w", b"i"), (b"1", b"2")}
_LEAVE = "no honest patch does that"


class Broken(Exception):
    """What is wrong with a diff, and the way out; ``line`` is 1-based within it."""

    def __init__(self, line: int, what: str, todo: str = "get the patch again, as its author sent it") -> None:
        super().__init__(line, what, todo)
        self.line, self.what, self.todo = line, what, todo


class Header(msgspec.Struct):
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
    hunks: list[Hunk] = msgspec.field(default_factory=list)
    binary: bool = False
    seen: set[bytes] = msgspec.field(default_factory=set)


def _blobs(head: Header, rest: bytes, line: int) -> None:
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


def _old_mode(head: Header, rest: bytes, line: int) -> None:
    head.old_mode = _mode(rest, line)


def _new_mode(head: Header, rest: bytes, line: int) -> None:
    head.new_mode = _mode(rest, line)


def _created(head: Header, rest: bytes, line: int) -> None:
    head.created, head.new_mode = True, _mode(rest, line)


def _deleted(head: Header, rest: bytes, line: int) -> None:
    head.deleted, head.old_mode = True, _mode(rest, line)


def _old(head: Header, rest: bytes, line: int) -> None:
    head.old = name_on(rest)


def _new(head: Header, rest: bytes, line: int) -> None:
    head.new = name_on(rest)


def _from(head: Header, rest: bytes, line: int) -> None:
    head.origin = _whole(rest)


def _to(head: Header, rest: bytes, line: int) -> None:
    head.target = _whole(rest)


def _copy_from(head: Header, rest: bytes, line: int) -> None:
    head.copy, head.origin = True, _whole(rest)


def _nothing(head: Header, rest: bytes, line: int) -> None:
    """A line that is believed without being used."""


TAKERS = (
    (b"--- ", _old), (b"+++ ", _new), (b"old mode ", _old_mode), (b"new mode ", _new_mode), (b"deleted file mode ", _deleted),
    (b"new file mode ", _created), (b"copy from ", _copy_from), (b"copy to ", _to), (b"rename from ", _from), (b"rename to ", _to),
    (b"rename old ", _from), (b"rename new ", _to), (b"similarity index ", _nothing), (b"dissimilarity index ", _nothing), (b"index ", _blobs),
)  # fmt: skip
"""What each line of a git header begins with, and what takes the rest of it in: (header, rest, line number)."""


def name_on(text: bytes) -> bytes:
    """The name on a ``---`` or ``+++`` line, without quotes and time stamp."""
    found = quoted(text)
    return found[0] if found else _STAMP.sub(b"", text.rstrip(b"\r"))


def _whole(text: bytes) -> bytes:
    """The name on a rename or copy line."""
    found = quoted(text)
    return found[0] if found else text.rstrip(b"\r")


def both(text: bytes) -> tuple[bytes | None, bool]:
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


def record(head: Header, raw: bytes) -> FilePatch:
    """The record of a file from its whole header; ``raw`` is its section of the diff. Raises Broken where the header contradicts itself."""
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


def _made_or_gone(head: Header, line: int) -> tuple[bool, bool]:
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


def _stripped(head: Header, name: bytes | None, line: int) -> bytes | None:
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


def _agreed(head: Header, old: bytes, new: bytes) -> bytes:
    """One name for a file that is ``x.orig`` before and ``x`` after, or the other way round. GNU diff writes that."""
    if head.default is None and (old.startswith(new) or new.startswith(old)) and abs(len(old) - len(new)) <= 5:
        return min(old, new, key=len)
    raise Broken(head.at + 1, "the header of a file gives it two names")


def _kind(head: Header, created: bool, deleted: bool, renamed: bool) -> str:
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
