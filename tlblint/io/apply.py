"""A series applied patch by patch, in memory and a private temporary directory. The user's repository is only read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from tlblint.io import apply_exact, apply_git
from tlblint.io.apply_files import Files, Missing
from tlblint.io.errors import InputError
from tlblint.io.git import NOT_HELD
from tlblint.io.series_paths import shown
from tlblint.io.tree import Tree, is_c
from tlblint.model.series import FilePatch, Patch, Series


class Applied(msgspec.Struct, frozen=True):
    """The state after one patch. ``changed``: full new content of the files that this patch touches, None for deleted ones.

    ``fit`` is "clean", "offset N" (the largest distance in lines, signed), or "3-way". ``notes``: what was named but not applied
    (symbolic links, submodules, binary files).
    """

    patch: Patch
    changed: Mapping[str, bytes | None]
    fit: str
    notes: tuple[str, ...] = ()


def apply_series(tree: Tree, series: Series) -> Iterator[Applied]:
    """One Applied a patch, in order; each patch sees the ones before it. ``tree`` is the base and is only read.

    Raises InputError, one line: which patch, file, hunk and line does not apply, against what base.
    """
    files = Files(tree)
    for place, patch in enumerate(series.patches):
        try:
            applied = _applied(files, patch)
        except _Refused as refused:
            raise InputError(_name(patch), f"{refused.what} {_against(tree, series, place)}", _advice(tree, series, place, refused)) from None
        except apply_git.TooLong as error:
            raise InputError(_name(patch), str(error), "leave it out") from None
        files.take(applied.changed)
        yield applied


class _Refused(Exception):
    """A patch that does not apply. ``already``: its change is there; ``final``: another base does not help."""

    def __init__(self, what: str, already: bool = False, final: bool = False) -> None:
        super().__init__(what)
        self.what, self.already, self.final = what, already, final


def _applied(files: Files, patch: Patch) -> Applied:
    sections, notes = _text_only(patch)
    files.links.update(one.new_path for one in patch.files if one.new_path is not None and (one.new_mode or "100644") in ("120000", "160000"))
    contents = _contents(files, patch, sections)
    work = [one for one in sections if one.hunks or one.kind in ("create", "delete", "rename", "copy")]
    if not work:
        return Applied(patch, {}, "clean", notes)
    if (exact := apply_exact.apply(contents, work)) is not None:
        return Applied(patch, _changed(contents, exact), "clean", notes)
    outcome = apply_git.apply(contents, work)
    if outcome.files is not None:
        return Applied(patch, _changed(contents, outcome.files), f"offset {outcome.offset}" if outcome.offset else "clean", notes)
    after, threeway = _one_by_one(files, contents, work)
    return Applied(patch, _changed(contents, after), threeway, notes)


def _changed(before: Mapping[str, bytes | None], after: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
    return {path: raw for path, raw in after.items() if raw != before[path]}


def _text_only(patch: Patch) -> tuple[list[FilePatch], tuple[str, ...]]:
    """The sections that change text files, and a note on each of the others."""
    kept: list[FilePatch] = []
    notes: list[str] = []
    for one in patch.files:
        modes = {mode for mode in (one.old_mode, one.new_mode) if mode is not None}
        what = "a submodule" if "160000" in modes else "a symbolic link" if "120000" in modes else None
        if what is None and not all(mode.startswith("100") for mode in modes):
            raise _Refused(f"{shown(one.path)} has a mode that no file has:", final=True)
        if what is None and one.binary and one.kind != "delete":
            if is_c(one.path):
                raise _Refused(f"{shown(one.path)} is a binary change, which cannot be applied", final=True)
            what = "a binary file"
        if what:
            notes.append(f"patch {patch.index}: {shown(one.path)} is {what}: not applied")
        else:
            kept.append(one)
    return kept, tuple(notes)


def _contents(files: Files, patch: Patch, sections: Sequence[FilePatch]) -> dict[str, bytes | None]:
    """What the files of a patch hold before it. Raises _Refused for what is missing or in the way."""
    dropped = {one.old_path for one in patch.files if one.kind in ("delete", "rename")}
    moved = {one.old_path for one in sections if one.kind == "rename"}  # two files may change places
    contents: dict[str, bytes | None] = {}
    try:
        for one in sections:
            if one.old_path is not None and one.old_path not in contents:
                contents[one.old_path] = files.read(one.old_path)
            if one.new_path is not None and one.new_path not in contents:
                files.free(one.new_path, one.new_path in dropped)
                contents[one.new_path] = files.now(one.new_path) if one.new_path in moved else None
            elif one.kind == "create" and one.new_path is not None and one.new_path not in dropped and contents[one.new_path] is not None:
                files.free(one.new_path, False)
    except Missing as missing:
        raise _Refused(f"{shown(missing.path)} {missing.why}", missing.there and _is_there(files, patch)) from None
    return contents


def _is_there(files: Files, patch: Patch) -> bool:
    """Whether a patch that creates files is in the tree already: taking it back would work."""
    sections = [one for one in patch.files if one.hunks]
    try:
        now = {path: files.now(path) for one in sections for path in (one.old_path, one.new_path) if path is not None}
    except Missing:
        return False
    return apply_git.apply(now, sections, reverse=True).files is not None if sections else False


def _one_by_one(files: Files, contents: Mapping[str, bytes | None], work: Sequence[FilePatch]) -> tuple[dict[str, bytes | None], str]:
    """The files after ``work``, each section by itself, those that do not apply merged with the blob that they were made for."""
    after = dict(contents)
    merged = False
    offset = 0
    for one in work:
        own = {path: after[path] for path in (one.old_path, one.new_path) if path is not None}
        outcome = apply_git.apply(own, [one])
        if outcome.files is None:
            result = _merged(files, own, one)
            if result is None:
                raise _Refused(_complaint(one, outcome), _taken_back(own, one))
            after.update(result)
            merged = True
        else:
            after.update(outcome.files)
            offset = max(offset, outcome.offset, key=abs)
    return after, "3-way" if merged else f"offset {offset}" if offset else "clean"


def _merged(files: Files, own: Mapping[str, bytes | None], one: FilePatch) -> Mapping[str, bytes | None] | None:
    """What a three-way merge makes of the files of one section; None when it cannot."""
    if one.kind not in ("modify", "rename") or one.old_path is None or one.new_path is None or one.old_blob is None:
        return None
    ours, base = own[one.old_path], files.blob(one.old_blob, one.old_path)
    if ours is None or base is None:
        return None
    theirs = apply_git.apply({one.old_path: base}, [replace(one, kind="modify", new_path=one.old_path)]).files
    wanted = theirs[one.old_path] if theirs is not None else None
    result = apply_git.merge(ours, base, wanted) if wanted is not None else None
    if result is None or result == ours:
        return None
    return {**({one.old_path: None} if one.kind == "rename" else {}), one.new_path: result}


def _taken_back(own: Mapping[str, bytes | None], one: FilePatch) -> bool:
    """Whether a section is applied already: its reverse applies."""
    if one.kind != "modify":
        return False
    return apply_git.apply(own, [one], reverse=True).files is not None


def _complaint(one: FilePatch, outcome: apply_git.Outcome) -> str:
    path = shown(one.path)
    if outcome.failed:
        line = outcome.failed[0][1]
        number = next((number for number, hunk in enumerate(one.hunks, 1) if hunk.old_start == line), None)
        return f"{path}: hunk {number} of {len(one.hunks)}, at line {line}, does not apply" if number else f"{path}: line {line} does not apply"
    return f"{path} does not apply ({outcome.said})"


def _name(patch: Patch) -> str:
    number = f"patch {patch.index}/{patch.total}" if patch.total is not None else f"patch {patch.index}"
    return f'{number} "{shown(patch.subject)}"'


def _against(tree: Tree, series: Series, place: int) -> str:
    base = tree.revision[:12] if tree.revision else tree.top
    if place == 0:
        return f"to {base}"
    before = series.patches[place - 1].index
    return f"to {base} with {'patch' if place == 1 else 'patches'} {series.patches[0].index}{'' if place == 1 else f' to {before}'} applied"


def _advice(tree: Tree, series: Series, place: int, refused: _Refused) -> str:
    if refused.final:
        return ""
    if refused.already:
        return "it is in there already: name the revision before it with --base" if tree.revision else "it is in there already"
    if NOT_HELD in refused.what:
        return "fetch it first: a partial clone holds what was checked out, and 'git show REVISION:PATH' fetches the rest"
    index, earlier = series.patches[place].index, {patch.index for patch in series.patches[:place]}
    if series.patches[place].total is not None and len(earlier) < index - 1:
        return "patches before it are missing"
    if series.patches[place].total is None and series.origin != "range" and len(series.patches) > 1 and _applies_backwards(tree, series):
        return "the patches apply in the opposite order: give them so"
    return "name the revision it was made for with --base" if tree.revision else "give the tree that it was made for"


def _applies_backwards(tree: Tree, series: Series) -> bool:
    """Whether all patches apply from the last to the first, as git log lists them."""
    files = Files(tree)
    try:
        for patch in reversed(series.patches):
            files.take(_applied(files, patch).changed)
    except (_Refused, InputError, apply_git.TooLong):
        return False
    return True
