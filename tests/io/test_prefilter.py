"""The same survivors from every search."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Write, git
from tlblint.app import generation
from tlblint.app.spine import Wanted, load
from tlblint.findings import suppress
from tlblint.io import prefilter
from tlblint.io.prefilter import EVERYWHERE, Where
from tlblint.io.tree import PlainDir, Revision, Tree, Worktree, read_all
from tlblint.io.words import Words, stems

FILES = {
    "mm/word.c": b"x = ptep_clear(y);",
    "mm/inside.c": b"xptep_clear_flushy ptep_clearly huge_ptep_clear xptep_clear ptep_clear2",
    "mm/after.c": b"xptep_clear(ptep_clear_) + ptep_clear_flush",
    "mm/letter.c": "öptep_clearö".encode(),
    "mm/mark.h": b"/*tlblint:allow*/",
    "mm/marked.h": b"/*xtlblint:allow*/",
    "mm/none.c": b"PTEP_CLEAR ptep clear",
    "mm/nul.c": b"\0\0\0ptep_clear",
    "mm/late.h": b"\0" * 3_000_000 + b"ptep_clear",
    "mm/edge.h": b"-" * ((1 << 20) - 4) + b"ptep_clear",
    "mm/end.h": b"-" * ((1 << 20) - 10) + b"ptep_clear",
    "mm/goes_on.h": b"-" * ((1 << 20) - 10) + b"ptep_clearly",
    "mm/came.h": b"-" * ((1 << 20) - 18) + b"xptep_clear-",
    "mm/before.h": b"-" * ((1 << 20) - 1) + b"xptep_clear-",
    "mm/odd_edge.h": b"-" * ((1 << 20) - 8) + b"tlblint:",
    "tools/t.c": b"ptep_clear",
    "tools2/t.c": b"ptep_clear",
    "mm/tools/t.c": b"ptep_clear",
    "mm/debug.c": b"ptep_clear",
    "mm/debug_more.c": b"ptep_clear",
    "mm/[a]{b}*?/x.c": b"ptep_clear",
    "mm/utf16.c": "ptep_clear".encode("utf-16"),
    "mm/latin.c": b"\xff\xfe ptep_clear",
    "mm/cr.c": b"a\rptep_clear\r\n",
    "mm/dash.c": b"--files",
    ".hidden/h.c": b"ptep_clear",
    "mm/not.S": b"ptep_clear",
    "mm/empty.c": b"",
    "mm/sp ace.c": b"ptep_clear",
}
WORDS = [b"ptep_clear", b"ptep_clear_flush", b"--files", b"tlblint:"]
EXPECTED = {
    ".hidden/h.c", "mm/word.c", "mm/after.c", "mm/letter.c", "mm/mark.h", "mm/nul.c", "mm/late.h", "mm/edge.h", "mm/end.h", "mm/odd_edge.h", "mm/latin.c",
    "mm/cr.c", "mm/dash.c", "mm/sp ace.c", "tools/t.c", "tools2/t.c", "mm/tools/t.c", "mm/debug.c", "mm/debug_more.c", "mm/[a]{b}*?/x.c",
}  # fmt: skip
PLACES = [
    (Where((), ("tools/",)), EXPECTED - {"tools/t.c"}),
    (Where((), ("mm/debug.c", "mm/[a]{b}*?/")), EXPECTED - {"mm/debug.c", "mm/[a]{b}*?/x.c"}),
    (Where(("mm/tools", "mm/word.c"), ()), {"mm/tools/t.c", "mm/word.c"}),
    (Where(("mm/[a]{b}*?", "mm/sp ace.c", "tools"), ("tools/",)), {"mm/[a]{b}*?/x.c", "mm/sp ace.c"}),
]
HINTS = [b"ptep", b"never", b""]


def trees(repository: Write) -> list[Tree]:
    top = str(repository({**FILES, ".ignore": b"mm/word.c\n", ".rgignore": b"mm/nul.c\n"}))
    return [Worktree(top), PlainDir(top), Revision(top, top, "HEAD")]


def found(search: prefilter.Searcher, tree: Tree) -> set[str]:
    result = search(tree, tree.list().paths, Words(WORDS, HINTS), EVERYWHERE)
    assert result is not None
    return result & set(tree.list().paths)


def test_python_scan(repository: Write) -> None:
    for tree in trees(repository):
        assert found(prefilter.scan, tree) == EXPECTED
        tree.close()


def test_git_grep(repository: Write) -> None:
    worktree, _, revision = trees(repository)
    for tree in (worktree, revision):
        assert found(prefilter.git_grep, tree) == EXPECTED
        tree.close()


def test_git_grep_from_a_subdirectory(repository: Write) -> None:
    top = str(repository(FILES))
    tree = Revision(os.path.join(top, "mm"), top, "HEAD")
    assert found(prefilter.git_grep, tree) == EXPECTED
    tree.close()


@pytest.mark.parametrize("processes", [1, 3])
def test_python_scan_in_parts(repository: Write, monkeypatch: pytest.MonkeyPatch, processes: int) -> None:
    monkeypatch.setattr(prefilter, "SLICE", 2)
    monkeypatch.setattr(prefilter.processors, "usual", lambda: processes)
    _, plain, _ = trees(repository)
    assert found(prefilter.scan, plain) == EXPECTED


def test_what_a_scan_dies_of_survives(repository: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    main, whole = os.getpid(), prefilter._file_holds

    def holds(path: str, needles: Words) -> bool:
        if path.endswith("none.c") and os.getpid() != main:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(path, needles)

    monkeypatch.setattr(prefilter, "_file_holds", holds)
    monkeypatch.setattr(prefilter, "SLICE", 1)
    monkeypatch.setattr(prefilter.processors, "usual", lambda: 2)
    _, plain, _ = trees(repository)
    assert found(prefilter.scan, plain) == EXPECTED | {"mm/none.c"}


@pytest.mark.skipif(shutil.which("rg") is None, reason="ripgrep is not installed")
@pytest.mark.parametrize(("stems", "line"), [(0, 1), (48, 1), (48, 40), (48, 500_000)])
def test_ripgrep(repository: Write, monkeypatch: pytest.MonkeyPatch, stems: int, line: int) -> None:
    monkeypatch.setattr(prefilter, "STEMS", stems)
    monkeypatch.setattr(prefilter, "LINE", line)
    worktree, plain, _ = trees(repository)
    config = os.path.join(worktree.top, "..", "rc")
    with open(config, "w") as file:
        file.write("--max-count=0\n--invert-match\n")
    monkeypatch.setenv("RIPGREP_CONFIG_PATH", config)
    assert found(prefilter.ripgrep, worktree) == found(prefilter.ripgrep, plain) == EXPECTED


def test_survivors_do_not_depend_on_the_search(repository: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    for tree in trees(repository):
        paths = tree.list().paths
        for few in (0, 10_000):
            monkeypatch.setattr(prefilter, "FEW", few)
            assert prefilter.survivors(tree, paths, WORDS) == tuple(path for path in paths if path in EXPECTED)
        tree.close()


def test_without_ripgrep(repository: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefilter, "FEW", 0)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    for tree in trees(repository):
        assert set(prefilter.survivors(tree, tree.list().paths, WORDS)) == EXPECTED
        tree.close()


def test_only_asked_paths_survive(repository: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefilter, "FEW", 0)
    for tree in trees(repository):
        assert prefilter.survivors(tree, ("mm/none.c", "mm/word.c"), WORDS) == ("mm/word.c",)
        assert prefilter.survivors(tree, (), WORDS) == prefilter.survivors(tree, ("mm/word.c",), []) == ()
        tree.close()


def test_what_cannot_be_searched_survives(write: Write) -> None:
    top = write({"a.c": b""})
    (top / "b.c").symlink_to("a.c")
    (top / "d.c").mkdir()
    assert prefilter.scan(PlainDir(str(top)), ["a.c", "b.c", "gone.c"], Words([b"x"])) == {"b.c"}


@pytest.mark.parametrize("search", ["ripgrep", "git grep", "scan"])
def test_no_search_passes_over_what_took_the_place_of_a_file(
    repository: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, search: str
) -> None:
    names = ("fifo.c", "socket.c", "outbound.c", "inbound.c", "folder.c", "gone.c", "left/a.c", "moved/a.c", "mm/boring.c", "mm/a.c")
    top = repository(dict.fromkeys(names, b"nothing"))
    (top / "mm/a.c").write_bytes(b"ptep_clear")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/a.c").write_bytes(b"nothing")
    for name in names[:6]:
        (top / name).unlink()
    os.mkfifo(top / "fifo.c")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(top / "socket.c"))
    (top / "outbound.c").symlink_to("/dev/zero")
    (top / "inbound.c").symlink_to("mm/a.c")
    (top / "folder.c").mkdir()
    for name, target in (("left", "../outside"), ("moved", "mm")):
        shutil.rmtree(top / name)
        (top / name).symlink_to(target)
    monkeypatch.setattr(prefilter, "FEW", 10_000 if search == "scan" else 0)
    if search == "git grep":
        monkeypatch.setattr(shutil, "which", lambda name: None)
    elif search == "ripgrep" and shutil.which("rg") is None:
        pytest.skip("no ripgrep here")
    tree = Worktree(str(top))
    contents, refused = read_all(tree, prefilter.survivors(tree, tree.list().paths, WORDS))
    assert contents == {"mm/a.c": b"ptep_clear", "moved/a.c": b"ptep_clear"}
    assert dict(refused) == {
        "fifo.c": "not a regular file",
        "socket.c": "not a regular file",
        "outbound.c": "a symbolic link",
        "inbound.c": "a symbolic link",
        "folder.c": "not a regular file",
        "left/a.c": "reached through a symbolic link that leaves the tree",
    }


@pytest.mark.parametrize("setting", ["color.ui", "color.grep"])
def test_a_user_who_always_wants_colour(repository: Write, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    monkeypatch.setattr(prefilter, "FEW", 0)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    for tree in trees(repository):
        if isinstance(tree, PlainDir):
            continue
        git(Path(tree.top), "config", setting, "always")
        assert found(prefilter.git_grep, tree) == EXPECTED
        tree.close()


@pytest.mark.parametrize(("where", "expected"), PLACES)
def test_every_search_keeps_to_the_places(repository: Write, monkeypatch: pytest.MonkeyPatch, where: Where, expected: set[str]) -> None:
    for tree in trees(repository):
        paths = tree.list(where.roots).paths
        for hide, few in ((False, 0), (True, 0), (True, 10_000)):
            with monkeypatch.context() as patch:
                patch.setattr(prefilter, "FEW", few)
                if hide:
                    patch.setattr(shutil, "which", lambda name: None)
                assert set(prefilter.survivors(tree, paths, WORDS, where, HINTS)) == expected
        tree.close()


def whole(words: list[bytes], text: bytes) -> bool:
    """The plain meaning of "stands whole"."""
    edge = [rb"(?<![A-Za-z0-9_])", rb"(?![A-Za-z0-9_])"]
    arms = [(edge[0] if word[:1].isalnum() else b"") + re.escape(word) + (edge[1] if word[-1:].isalnum() else b"") for word in words if word]
    return bool(arms) and re.search(b"|".join(arms), text) is not None


SHORT = st.lists(st.text("ab:", max_size=3).map(str.encode), max_size=4)


@given(SHORT, SHORT, st.text("ab:_", max_size=12).map(str.encode), st.integers(1, 12))
def test_words_in_one_piece_and_in_parts(words: list[bytes], hints: list[bytes], text: bytes, size: int) -> None:
    needles = Words(words, hints)
    assert needles.within(text) == whole(words, text)
    seen, data, first = False, b"", True
    for at in range(0, len(text), size):
        data += text[at : at + size]
        seen |= needles.within(data, first, last=False)
        if len(data) > needles.overlap:
            data, first = data[-needles.overlap :], False
    assert (seen or needles.within(data, first)) == whole(words, text)


@given(SHORT, SHORT, st.text("ab:", max_size=8).map(str.encode))
def test_stems_miss_nothing(words: list[bytes], hints: list[bytes], text: bytes) -> None:
    kept = stems([word for word in words if word], hints)
    assert any(word in text for word in words if word) <= any(stem in text for stem in kept)
    assert set(kept) <= {*words, *hints}


@pytest.mark.skipif(shutil.which("rg") is None, reason="ripgrep is not installed")
@pytest.mark.parametrize("version", ["6.1", "6.12", "7.3"])
def test_real_trees(tmp_path: Path, version: str) -> None:
    """The whole tree by ripgrep and by Python; for git, what a repository can be made of in little time."""
    kernel = Path(os.environ.get("TLBLINT_KERNELS") or "none", f"linux-source-{version}")
    if not kernel.is_dir():
        pytest.skip("TLBLINT_KERNELS names no directory with this kernel")
    whole = PlainDir(str(kernel))
    spine = load(Wanted(headers=generation.headers(whole)))
    needles, where = Words(spine.words | {suppress.MARK}, spine.hints), Where((), spine.skipped)
    paths = where.cut(whole.list().paths)
    expected = prefilter.scan(whole, paths, needles, where)
    by_ripgrep = prefilter.ripgrep(whole, paths, needles, where)
    assert by_ripgrep is not None and by_ripgrep & set(paths) == expected and len(expected) > 200

    for folder in ("mm", "arch/x86/mm", "arch/x86/include", "include/linux"):
        shutil.copytree(Path(whole.top) / folder, tmp_path / "part" / folder, symlinks=True)
    git(tmp_path / "part", "init", "-q")
    git(tmp_path / "part", "add", "-A")
    git(tmp_path / "part", "commit", "-q", "-m", "one")
    part = {path for path in expected if (tmp_path / "part" / path).exists()}
    for tree in (Worktree(str(tmp_path / "part")), Revision(str(tmp_path / "part"), str(tmp_path / "part"), "HEAD")):
        paths = where.cut(tree.list().paths)
        for search in (prefilter.git_grep, prefilter.scan, *([prefilter.ripgrep] if isinstance(tree, Worktree) else [])):
            found = search(tree, paths, needles, where)
            assert found is not None and found & set(paths) == part and len(part) > 50
        tree.close()
