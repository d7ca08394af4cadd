"""Which revision a series is meant for."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tlblint.io import git, series_blobs
from tlblint.io.errors import InputError
from tlblint.io.tree import PlainDir, Revision, Tree
from tlblint.model.series import Base, Series


def open_base(cwd: str, tree: str | None, base: str | None, series: Series) -> tuple[Tree, Base]:
    """The tree that ``series`` is applied to, and why that one: ``--base``, the start of the range, the ``base-commit:`` trailer when the
    repository has it, the revision whose blobs the ``index`` lines name, else HEAD. Outside of git: the directory as it is.

    ``tree`` is what --tree says (None: the git top above ``cwd``). The caller closes the tree. Raises InputError.
    """
    start = _start(cwd, tree)
    top = git.toplevel(start)
    repository = top is not None or git.is_repository(start)
    if base is not None and not repository:
        raise InputError(f"--base {base}", f"{tree or cwd} is not in a git repository", "name one with --tree DIR, or leave --base out")
    # --tree names the top of what is looked at. A directory below a git top is a plain directory of its own, as for other commands.
    apart = tree is not None and top is not None and top != os.path.realpath(start)
    if not repository or (apart and base is None and series.origin != "range"):
        if tree is None:
            raise InputError(cwd, "not in a git repository", "name a source tree with --tree DIR")
        return _directory(start, series)
    revision, how, name, note = _chosen(start, base, series)
    if revision is None:
        if not _anything_there(top or start, series):
            what = "HEAD names no commit, and the files that the series changes are not there"
            raise InputError(tree or cwd, what, "commit the tree that the series is for, name a revision with --base, or another tree with --tree DIR")
        return _directory(top or start, series)
    blobs = series_blobs.wanted(series)
    equal = series_blobs.equal(start, [revision], blobs)[0]
    text = _sentence(f"{name} ({revision[:12]})" if name else revision[:12], how, equal, len(blobs)) + note
    return Revision(start, top or os.path.realpath(start), revision), Base(revision, how, equal, len(blobs), text)


def _start(cwd: str, tree: str | None) -> str:
    if tree is None:
        return cwd
    if tree == "":
        raise InputError("--tree", "no directory given", "name a kernel source tree, or leave --tree out for the one above the current directory")
    start = os.path.join(cwd, tree)
    if not os.path.isdir(start):
        raise InputError(f"--tree {tree}", "no such directory" if not os.path.lexists(start) else "not a directory", "name a kernel source tree")
    return start


def _directory(start: str, series: Series) -> tuple[Tree, Base]:
    plain = PlainDir(start)
    blobs = series_blobs.wanted(series)
    equal = series_blobs.equal_on_disk(plain, blobs)
    return plain, Base(None, "directory", equal, len(blobs), _sentence(f"the directory {plain.top}", "directory", equal, len(blobs)))


def _anything_there(start: str, series: Series) -> bool:
    """Whether a directory holds one of the files that the series changes, or it changes none."""
    old = {one.old_path for patch in series.patches for one in patch.files if one.old_path is not None}
    tree = PlainDir(start)
    return not old or any(tree.holds(path) == "file" for path in old)


def _chosen(start: str, base: str | None, series: Series) -> tuple[str | None, str, str, str]:
    """(commit id, how, name for it, what else to say); None as the id in a repository without a commit."""
    if base is not None:
        try:
            return git.resolve(start, base), "option", base, ""
        except InputError as error:
            raise InputError(f"--base {base}", error.what, error.todo) from None
    if series.origin == "range" and series.base_commit is not None:
        return series.base_commit, "range", "", ""
    note = ""
    if series.base_commit is not None:
        found = _commit(start, series.base_commit)
        if found is not None:
            return found, "trailer", "", ""
        note = f"; the base-commit {series.base_commit[:12]} that the series names is not in this repository"
    head = _commit(start, "HEAD")
    if head is None:
        return None, "head", "", ""
    revision, how, name = _fitting(start, head, series_blobs.wanted(series))
    return revision, how, name, note


def _commit(start: str, name: str) -> str | None:
    status, out, _ = git.attempt(start, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"])
    return out.decode("ascii").strip() if status == 0 and out.strip() else None


def _fitting(start: str, head: str, blobs: dict[str, str]) -> tuple[str, str, str]:
    """(commit id, how, name): the revision with most of the blobs, the earlier of HEAD, tips and history among equals; HEAD when none has
    half of them."""
    asked = series_blobs.sample(start, blobs)
    if not asked:
        return head, "head", "HEAD"
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    best = head
    for found in _places(start, head, asked):
        new = {oid: name for oid, name in found if oid not in names}
        names.update(new)
        counts.update(zip(new, series_blobs.equal(start, list(new), asked), strict=True))
        best = max(counts, key=lambda oid: counts[oid])
        if counts[best] == len(asked):
            break
    if 2 * counts[best] < min(len(blobs), series_blobs.SAMPLE):
        return head, "head", "HEAD"
    return best, "blobs", names[best]


def _places(start: str, head: str, asked: dict[str, str]) -> Iterator[list[tuple[str, str]]]:
    """(commit id, name) of HEAD, of tips, of commits in the history: each only when the ones before it do not do."""
    yield [(head, "HEAD")]
    yield series_blobs.tips(start)
    yield [(oid, "") for oid in series_blobs.history(start, asked)]


def _sentence(what: str, how: str, equal: int, known: int) -> str:
    why = {
        "option": "as --base says",
        "range": "the start of the range",
        "trailer": "the base-commit of the series",
        "blobs": "by the index lines of the patches",
        "head": "for want of a better one",
        "directory": "as it is",
    }[how]
    return f"base: {what}, {why}; {_fit(equal, known)}"


def _fit(equal: int, known: int) -> str:
    if not known:
        return "the patches do not say which files they were made for"
    if known == 1:
        return f"the file is {'' if equal else 'not '}the one that the patches were made for"
    return f"{equal} of {known} files {'is the one' if equal == 1 else 'are the ones'} that the patches were made for"
