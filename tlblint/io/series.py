"""``tlblint series RANGE | FILE... | -``: whatever holds a patch series, read into one record."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from tlblint.io.errors import InputError
from tlblint.io.mail import Letter
from tlblint.io.mail_box import LIMIT, read_box
from tlblint.io.mail_text import STAT, readable, trailers
from tlblint.io.series_choose import Chosen, Sent, choose
from tlblint.io.series_diff import parse_diff
from tlblint.io.series_paths import shown
from tlblint.io.series_range import commit, is_range, read_range
from tlblint.model.series import Cover, Patch, Series

FILES = 2000
"""Files of the largest directory of patches that is read."""

_SUFFIXES = (".patch", ".diff", ".mbox", ".mbx", ".eml", ".mbox.gz", ".txt")


def read_series(cwd: str, words: Sequence[str], tree: str | None = None, stdin: BinaryIO | None = None) -> Series:
    """The series that ``words`` name: one git range ``a..b``, or patch files, mailboxes, directories of patches, saved thread pages, or "-".

    A range is looked up in the repository at ``tree`` (None: at ``cwd``); other words are paths below ``cwd``. ``stdin``: what "-" reads
    (None: standard input). Nothing is written. Raises InputError, one line, for whatever cannot be read or holds no patch.
    """
    if not words:
        raise InputError("series", "nothing to read", "give a range a..b, patch files, a mailbox, or - for standard input")
    if any(is_range(word) and not os.path.lexists(os.path.join(cwd, word)) for word in words):
        if len(words) > 1:
            raise InputError(" ".join(words[:3]), "a range and something else", "give one range, or files")
        return read_range(os.path.join(cwd, tree) if tree else cwd, words[0])
    letters: list[Letter] = []
    kinds: set[str] = set()
    left = LIMIT
    for name, raw in _inputs(cwd, words, stdin):
        left -= len(raw)
        if left < 0:
            raise InputError(name, f"more than {LIMIT >> 20} MB of mails in all", "give the patches of one series")
        box = read_box(raw, name)
        letters.extend(box.letters)
        kinds.add(box.kind)
    name = words[0] if len(words) == 1 else f"{words[0]} and {len(words) - 1} more"
    return _assembled(choose(letters, "standard input" if name == "-" else name), "page" if "page" in kinds else "mail")


def _inputs(cwd: str, words: Sequence[str], stdin: BinaryIO | None) -> Iterator[tuple[str, bytes]]:
    """(name for messages, bytes) of every file, directories opened."""
    for word in words:
        if word == "-":
            yield "standard input", _bounded(_standard(stdin), "standard input")
            continue
        full = os.path.join(cwd, word)
        if os.path.isdir(full):
            for entry in _listed(full, word):
                name = shown(os.path.join(word, entry))
                yield name, _read(os.path.join(full, entry), name)
        else:
            if not os.path.lexists(full) and commit(cwd, word):
                raise InputError(word, "one revision, and no range a..b", f"what came after it is {word}.., that commit alone {word}~..{word}")
            yield word, _read(full, word)


def _standard(stdin: BinaryIO | None) -> BinaryIO:
    """Standard input, which whoever started us may have closed. Raises InputError."""
    if stdin is not None:
        return stdin
    if sys.stdin is None:
        raise InputError("standard input", "closed", "give a range a..b, patch files, or a mailbox")
    return sys.stdin.buffer


def _listed(full: str, word: str) -> list[str]:
    """The patch files in a directory, in the order of their names; all regular files where no name says patch."""
    try:
        entries = sorted(entry.name for entry in os.scandir(full) if entry.is_file() and not entry.name.startswith("."))
    except OSError as error:
        raise InputError(word, f"a directory that cannot be read ({(error.strerror or 'error').lower()})") from None
    named = [entry for entry in entries if entry.endswith(_SUFFIXES)] or entries
    if not named:
        raise InputError(word, "no patch files in this directory", "give a directory as git format-patch -o writes it")
    if len(named) > FILES:
        raise InputError(word, f"more than {FILES} files", "give the patches of one series")
    return named


def _read(full: str, name: str) -> bytes:
    try:
        # O_NONBLOCK: opening a FIFO must not hang. What a shell hands over as /dev/fd/N may be one, and is read.
        with open(os.open(full, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
                raise InputError(name, "not a file", "give a mailbox, patch files, or - for standard input")
            os.set_blocking(file.fileno(), True)  # with nobody at its other end a FIFO is just empty
            return _bounded(file, name)
    except FileNotFoundError:
        raise InputError(name, "no such file, and no range a..b either", "give a range a..b, patch files, a mailbox, or -") from None
    except OSError as error:
        raise InputError(name, f"cannot be read ({(error.strerror or 'error').lower()})") from None


def _bounded(file: BinaryIO, name: str) -> bytes:
    raw = file.read(LIMIT + 1) or b""
    if len(raw) > LIMIT:
        raise InputError(name, f"larger than {LIMIT >> 20} MB", "give the patches of one series")
    return raw


def _assembled(chosen: Chosen, origin: str) -> Series:
    patches = tuple(_patch(sent, place) for place, sent in enumerate(chosen.patches, 1))
    cover = _cover(chosen.cover) if chosen.cover else None
    title = cover.subject if cover else patches[0].subject
    version = max(patch.version for patch in patches)
    return Series(title, version, cover, patches, chosen.base_commit, (*chosen.notes, *_cut(patches)), origin)


def _cut(patches: Sequence[Patch]) -> Iterator[str]:
    """Patches whose own count of files is another one: what is cut off between two files shows in nothing else."""
    for patch in patches:
        says = STAT.search(patch.raw[: patch.raw.find(b"\ndiff --git ") + 1])
        if says and int(says[1]) != len(patch.files):
            yield f"patch {patch.index} says that it changes {int(says[1])} files, but holds {len(patch.files)}"


def _patch(sent: Sent, place: int) -> Patch:
    letter, prefix, sheet = sent.letter, sent.prefix, sent.sheet
    first = letter.line + sheet.skipped if letter.line is not None else None
    where = letter.source.rpartition(":")[0] if first is not None else letter.source
    files = parse_diff(sheet.diff, where, first)
    if not files:
        raise InputError(letter.source, f'"{prefix.subject}" holds no diff that can be read', "get the patch again, as its author sent it")
    body = readable(sheet.message, letter.charset).strip()
    index = prefix.number if prefix.number is not None else place
    subject = prefix.subject or os.path.basename(letter.source.rpartition(":")[0])
    return Patch(
        index, prefix.total, subject, sheet.author or letter.author, letter.message_id, prefix.version, prefix.rfc, trailers(body), body, files, sheet.diff,
        letter.source, None, prefix.words, sheet.date or letter.date,
    )  # fmt: skip


def _cover(sent: Sent) -> Cover:
    letter = sent.letter
    body = readable(sent.sheet.message, letter.charset).strip()
    return Cover(sent.title, sent.sheet.author or letter.author, letter.message_id, body, letter.source)
