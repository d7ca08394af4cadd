"""A patch series as it was read: what each patch changes, who says so, and what was chosen on the way."""

from __future__ import annotations

import msgspec


class Hunk(msgspec.Struct, frozen=True):
    """One ``@@`` section: 1-based first lines and line counts before and after, as its header says. ``line`` is the 1-based line of the
    header within ``FilePatch.raw``."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    line: int


class FilePatch(msgspec.Struct, frozen=True):
    """What a patch does to one file. Paths are relative to the top, without ``a/`` and ``b/``; ``old_path`` is None for a new file,
    ``new_path`` for a deleted one.

    ``kind`` is "modify", "create", "delete", "rename", "copy" or "mode". ``old_blob`` and ``new_blob`` are object ids of the ``index`` line,
    often abbreviated; None where the line is missing or they are all zeros. Modes are octal strings ("100644") where the diff names them.
    ``raw`` is the section of the diff, headers included. ``binary``: a change of bytes that are not text, with or without its data.
    """

    old_path: str | None
    new_path: str | None
    kind: str
    raw: bytes
    hunks: tuple[Hunk, ...] = ()
    old_blob: str | None = None
    new_blob: str | None = None
    old_mode: str | None = None
    new_mode: str | None = None
    binary: bool = False

    @property
    def path(self) -> str:
        """The path that a reader knows the file by: the new one, the old one of a deleted file."""
        path = self.new_path if self.new_path is not None else self.old_path
        assert path is not None
        return path


class Patch(msgspec.Struct, frozen=True):
    """One patch. ``index`` is 1-based; ``total`` is what its subject says, or None. ``subject`` has no [PATCH ...] prefix.

    ``version`` is 1 without a vN. ``prefixes`` are the other words of the prefix ("net-next"). ``trailers`` are (name, value) from the end of
    the message; ``body`` is the message without subject, in-body headers and diff. ``raw`` is the diff. ``source`` says where the patch came
    from: "file:line" (1-based) of its first line, or a commit id. ``commit`` is that id for a patch from a range, else None.
    """

    index: int
    total: int | None
    subject: str
    author: str
    message_id: str
    version: int
    rfc: bool
    trailers: tuple[tuple[str, str], ...]
    body: str
    files: tuple[FilePatch, ...]
    raw: bytes
    source: str
    commit: str | None = None
    prefixes: tuple[str, ...] = ()
    date: str = ""


class Cover(msgspec.Struct, frozen=True):
    """The letter before the patches (0/N). ``subject`` has no prefix."""

    subject: str
    author: str
    message_id: str
    body: str
    source: str


class Series(msgspec.Struct, frozen=True):
    """Patches in the order in which they apply. ``title`` is the subject of the cover letter, else of the first patch.

    ``origin`` is "range", "mail" or "page" (an archived thread). ``base_commit`` is what the series says it applies to: the trailer, or the
    start of the range. ``notes`` are sentences for the user: what was chosen, what was passed over and why.
    """

    title: str
    version: int
    cover: Cover | None
    patches: tuple[Patch, ...]
    base_commit: str | None
    notes: tuple[str, ...]
    origin: str = "mail"


class Base(msgspec.Struct, frozen=True):
    """What a series is applied to. ``revision`` is a full commit id, None for a plain directory.

    ``how`` is "option", "range", "trailer", "blobs", "head" or "directory". ``equal`` of ``known`` files that the series changes and that
    its ``index`` lines name are the very blobs of the base. ``text`` says it all in one sentence.
    """

    revision: str | None
    how: str
    equal: int
    known: int
    text: str
