"""Patches applied: the same files as git am makes, nothing of the user's touched, and one line for what does not apply."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import git
from tests.io.mini import Mini
from tlblint.io import apply_git, prefilter
from tlblint.io.apply import Applied, apply_series
from tlblint.io.errors import InputError
from tlblint.io.overlay import Overlay
from tlblint.io.series import read_series
from tlblint.io.tree import PlainDir, Revision, Tree, Worktree, read_all

PROTECT, ZAP = "mm/protect.c", "mm/zap.c"


@pytest.fixture
def mini(tmp_path: Path) -> Mini:
    return Mini(tmp_path / "linux")


def revision(mini: Mini, name: str) -> Revision:
    return Revision(str(mini.top), str(mini.top), name)


def applied(tree: Tree, mailbox: bytes, tmp_path: Path) -> list[Applied]:
    box = tmp_path / "series.mbox"
    box.write_bytes(mailbox)
    return list(apply_series(tree, read_series(str(tmp_path), ["series.mbox"])))


def changed(steps: list[Applied]) -> dict[str, bytes | None]:
    return {path: raw for step in steps for path, raw in step.changed.items()}


def refusal(tree: Tree, mailbox: bytes, tmp_path: Path) -> str:
    with pytest.raises(InputError) as caught:
        applied(tree, mailbox, tmp_path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def every_kind(mini: Mini) -> str:
    """Five commits: modify, create, rename with a change, delete, and one with no newline at the end; the last one's id."""
    mini.commit({PROTECT: mini.edit(PROTECT, b"long pages = 0;", b"long pages = 0, again;")}, "protect: one")
    mini.commit({"mm/new.c": b"int new;\n", "mm/empty.h": b"", ZAP: mini.edit(ZAP, b"#include", b"/* zap */\n#include")}, "zap: two")
    git(mini.top, "mv", "mm/move.c", "mm/moved.c")
    mini.commit({"mm/moved.c": mini.edit("mm/moved.c", b"#include", b"/* moved */\n#include")}, "move: three")
    mini.commit({"mm/new.c": None, "mm/last.c": b"int last;"}, "new: four")
    return mini.commit({"mm/last.c": b"int last;\nint more;", "mm/empty.h": None}, "last: five")


def test_the_files_are_those_of_git_am(mini: Mini, tmp_path: Path) -> None:
    last = every_kind(mini)
    steps = applied(revision(mini, mini.first), mini.mails(f"{mini.first}..{last}"), tmp_path)
    assert [step.fit for step in steps] == ["clean"] * 5
    after = changed(steps)
    assert after == mini.bytes_at(last, after)
    assert set(after) == {PROTECT, ZAP, "mm/new.c", "mm/empty.h", "mm/move.c", "mm/moved.c", "mm/last.c"}
    assert after["mm/new.c"] is None and after["mm/last.c"] == b"int last;\nint more;"


def test_every_step_is_the_commit_it_stands_for(mini: Mini, tmp_path: Path) -> None:
    last = every_kind(mini)
    commits = git(mini.top, "rev-list", "--reverse", f"{mini.first}..{last}").split()
    for commit, step in zip(commits, applied(revision(mini, mini.first), mini.mails(f"{mini.first}..{last}"), tmp_path), strict=True):
        names = git(mini.top, "diff", "--name-only", "--no-renames", f"{commit}^", commit).split()
        assert step.changed == mini.bytes_at(commit, names)


def test_a_range_applies_like_its_mails(mini: Mini, tmp_path: Path) -> None:
    last = every_kind(mini)
    series = read_series(str(mini.top), [f"{mini.first}..{last}"])
    tree = revision(mini, mini.first)
    from_range = [step.changed for step in apply_series(tree, series)]
    assert from_range == [step.changed for step in applied(tree, mini.mails(f"{mini.first}..{last}"), tmp_path)]
    assert series.base_commit == mini.first and series.origin == "range"


def test_a_plain_directory_needs_no_git(mini: Mini, tmp_path: Path) -> None:
    last = every_kind(mini)
    mails = mini.mails(f"{mini.first}..{last}")
    git(mini.top, "checkout", "-q", mini.first)
    (mini.top / ".git").rename(tmp_path / "away")
    steps = applied(PlainDir(str(mini.top)), mails, tmp_path)
    (tmp_path / "away").rename(mini.top / ".git")
    assert changed(steps) == mini.bytes_at(last, changed(steps))


def test_nothing_of_the_repository_changes(mini: Mini, tmp_path: Path) -> None:
    last = every_kind(mini)
    mails = mini.mails(f"{mini.first}..{last}")
    (mini.top / "mm/zap.c").write_bytes(b"dirty\n")
    before = mini.state()
    for tree in (revision(mini, mini.first), PlainDir(str(mini.top))):
        try:
            applied(tree, mails, tmp_path)
        except InputError:
            assert isinstance(tree, PlainDir)
    assert mini.state() == before


def test_an_offset_is_told(mini: Mini, tmp_path: Path) -> None:
    one = mini.commit({PROTECT: mini.edit(PROTECT, b"pages++;", b"pages += 1;")}, "protect: count")
    mails = mini.mails(f"{mini.first}..{one}")
    git(mini.top, "checkout", "-q", mini.first)
    moved = mini.commit({PROTECT: b"/* one */\n/* two */\n" + (mini.top / PROTECT).read_bytes()}, "protect: comments")
    (step,) = applied(revision(mini, moved), mails, tmp_path)
    clone = mini.am(mails, moved, tmp_path / "am")
    assert clone is not None
    assert step.fit == "offset 2" and step.changed == {PROTECT: (clone.top / PROTECT).read_bytes()}


def test_three_way_where_only_far_lines_differ(mini: Mini, tmp_path: Path) -> None:
    raw = (mini.top / PROTECT).read_bytes()
    one = mini.commit({PROTECT: mini.edit(PROTECT, b"if (!pte)\n\t\treturn -EAGAIN;", b"if (!pte)\n\t\treturn -ENOENT;")}, "protect: error")
    mails = mini.mails(f"{mini.first}..{one}", "-U8")
    git(mini.top, "checkout", "-q", mini.first)
    drift = mini.commit({PROTECT: raw.replace(b"long pages = 0;", b"long pages = 0, other;", 1)}, "protect: drift")
    assert mini.am(mails, drift, tmp_path / "plain") is None
    (step,) = applied(revision(mini, drift), mails, tmp_path)
    clone = mini.am(mails, drift, tmp_path / "three", "-3")
    assert clone is not None
    assert step.fit == "3-way" and step.changed == {PROTECT: (clone.top / PROTECT).read_bytes()}


def test_a_conflict_names_patch_file_hunk_line_and_base(mini: Mini, tmp_path: Path) -> None:
    raw = (mini.top / PROTECT).read_bytes()
    both = raw.replace(b"pages++;", b"pages += 1;").replace(b"Changing the rights", b"Changing rights")
    one = mini.commit({PROTECT: both}, "protect: count")
    mails = mini.mails(f"{mini.first}..{one}")
    git(mini.top, "checkout", "-q", mini.first)
    other = mini.commit({PROTECT: raw.replace(b"pages++;", b"pages--;", 1)}, "protect: conflict")
    assert mini.am(mails, other, tmp_path / "am", "-3") is None
    said = refusal(revision(mini, other), mails, tmp_path)
    assert said.startswith(f'patch 1 "protect: count": mm/protect.c: hunk 2 of 3, at line 25, does not apply to {other[:12]};')
    assert said.endswith("--base")


def test_a_later_patch_is_named_with_those_before_it(mini: Mini, tmp_path: Path) -> None:
    every_kind(mini)
    last = mini.commit({ZAP: mini.edit(ZAP, b"/* zap */", b"/* zapped */")}, "zap: six")
    mails = mini.mails(f"{mini.first}..{last}", "--no-numbered")
    without_two = b"From " + b"From ".join(part for part in mails.split(b"From ")[1:] if b"zap: two" not in part)
    said = refusal(revision(mini, mini.first), without_two, tmp_path)
    assert "mm/new.c is not there" in said and "with patches 1 to 2 applied" in said


def test_a_patch_that_is_in_the_tree_already(mini: Mini, tmp_path: Path) -> None:
    last = every_kind(mini)
    mails = mini.mails(f"{mini.first}..{last}")
    said = refusal(revision(mini, last), mails, tmp_path)
    assert 'patch 1/5 "protect: one"' in said and said.endswith("it is in there already: name the revision before it with --base")


def test_the_opposite_order_is_noticed(mini: Mini, tmp_path: Path) -> None:
    last = every_kind(mini)
    mails = mini.mails(f"{mini.first}..{last}", "--no-numbered")
    backwards = b"From " + b"From ".join(reversed(mails.split(b"From ")[1:]))
    assert "opposite order" in refusal(revision(mini, mini.first), backwards, tmp_path)


def test_a_missing_patch_is_named(mini: Mini, tmp_path: Path) -> None:
    last = every_kind(mini)
    parts = mini.mails(f"{mini.first}..{last}").split(b"From ")[1:]
    said = refusal(revision(mini, mini.first), b"From " + b"From ".join(parts[3:]), tmp_path)
    assert 'patch 4/5 "new: four"' in said and said.endswith("patches before it are missing")


def test_links_submodules_and_binaries_are_named(mini: Mini, tmp_path: Path) -> None:
    (mini.top / "mm/link.c").symlink_to("/etc/passwd")
    link = mini.commit({"logo.png": bytes(range(256)) * 4, PROTECT: mini.edit(PROTECT, b"pages++;", b"pages += 1;")}, "all sorts")
    (step,) = applied(revision(mini, mini.first), mini.mails(f"{mini.first}..{link}"), tmp_path)
    assert set(step.changed) == {PROTECT}
    assert step.notes == ("patch 1: logo.png is a binary file: not applied", "patch 1: mm/link.c is a symbolic link: not applied")


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_nothing_goes_below_a_link_of_the_series(mini: Mini, tmp_path: Path, mode: str) -> None:
    mails = b"".join(
        f"From x Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH {number}/2] p\n\n---\ndiff --git a/{path} b/{path}\nnew file mode {kind}\n"
        f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+int x;\n-- \n2.39\n\n".encode()
        for number, path, kind in ((1, "mm/link", mode), (2, "mm/link/below.c", "100644"))
    )  # fmt: skip
    assert 'patch 2/2 "p": mm/link/below.c would lie below mm/link, which is no directory' in refusal(revision(mini, mini.first), mails, tmp_path)


def test_a_file_takes_the_place_of_a_link(mini: Mini, tmp_path: Path) -> None:
    (mini.top / "mm/link.c").symlink_to("zap.c")
    base = mini.commit({}, "a link")
    (mini.top / "mm/link.c").unlink()
    last = mini.commit({"mm/link.c": b"int file;\n"}, "a file")
    for tree in (revision(mini, base), PlainDir(str(mini.top))):
        if isinstance(tree, PlainDir):
            git(mini.top, "checkout", "-q", base)
        (step,) = applied(tree, mini.mails(f"{base}..{last}"), tmp_path)
        assert step.changed == {"mm/link.c": b"int file;\n"} and step.notes == ("patch 1: mm/link.c is a symbolic link: not applied",)


def test_two_files_change_places(mini: Mini, tmp_path: Path) -> None:
    old = {name: (mini.top / name).read_bytes() for name in (PROTECT, ZAP)}
    last = mini.commit({PROTECT: old[ZAP], ZAP: old[PROTECT]}, "swap")
    mails = mini.mails(f"{mini.first}..{last}", "-M", "-B")
    assert b"rename from mm/zap.c" in mails and b"rename from mm/protect.c" in mails
    (step,) = applied(revision(mini, mini.first), mails, tmp_path)
    assert step.changed == {PROTECT: old[ZAP], ZAP: old[PROTECT]}


def test_one_patch_may_touch_a_file_twice(mini: Mini, tmp_path: Path) -> None:
    one = mini.commit({"mm/new.c": b"int a;\n"}, "create")
    two = mini.commit({"mm/new.c": b"int b;\n", PROTECT: mini.edit(PROTECT, b"pages++;", b"pages += 1;")}, "modify")
    three = mini.commit({PROTECT: mini.edit(PROTECT, b"pages += 1;", b"pages += 2;")}, "modify again")
    diffs = [git(mini.top, "diff", f"{a}..{b}").encode() + b"\n" for a, b in ((mini.first, one), (one, two), (two, three))]
    (step,) = applied(revision(mini, mini.first), b"From: A <a@b>\nSubject: [PATCH] all\n\nText.\n---\n" + b"".join(diffs), tmp_path)
    assert step.changed == mini.bytes_at(three, ["mm/new.c", PROTECT])


def test_a_mode_alone_changes_no_bytes(mini: Mini, tmp_path: Path) -> None:
    (mini.top / ZAP).chmod(0o755)
    last = mini.commit({}, "zap: executable")
    (step,) = applied(revision(mini, mini.first), mini.mails(f"{mini.first}..{last}"), tmp_path)
    assert step.changed == {} and step.fit == "clean" and step.patch.files[0].kind == "mode"


def test_a_file_is_not_created_over_another(mini: Mini, tmp_path: Path) -> None:
    last = mini.commit({"mm/new.c": b"int new;\n"}, "new")
    mails = mini.mails(f"{mini.first}..{last}")
    git(mini.top, "checkout", "-q", mini.first)
    for name in ("mm/new.c", "mm/new.c/below.c"):
        here = mini.commit({name: b"int other;\n"}, "other")
        assert "mm/new.c is there already" in refusal(revision(mini, here), mails, tmp_path)
        git(mini.top, "checkout", "-q", mini.first)
    file_in_place_of_folder = mini.commit({"mm/sub": b"file\n"}, "sub")
    below = mails.replace(b"mm/new.c", b"mm/sub/new.c")
    assert "below the file mm/sub" in refusal(revision(mini, file_in_place_of_folder), below, tmp_path)


def test_a_directory_that_is_a_link_is_not_followed(mini: Mini, tmp_path: Path) -> None:
    last = mini.commit({ZAP: mini.edit(ZAP, b"#include", b"/* zap */\n#include")}, "zap")
    mails = mini.mails(f"{mini.first}..{last}")
    git(mini.top, "checkout", "-q", mini.first)
    (mini.top / "mm").rename(mini.top / "really")
    (mini.top / "mm").symlink_to("really")
    assert "behind a symbolic link" in refusal(PlainDir(str(mini.top)), mails, tmp_path)
    (mini.top / "mm").unlink()
    (tmp_path / "outside").mkdir()
    (mini.top / "really" / "zap.c").rename(tmp_path / "outside" / "zap.c")
    (mini.top / "mm").symlink_to(tmp_path / "outside")
    assert "behind a symbolic link" in refusal(PlainDir(str(mini.top)), mails, tmp_path)


def test_git_settings_of_the_user_count_for_nothing(mini: Mini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text("[apply]\n\twhitespace = fix\n[core]\n\tautocrlf = true\n[diff]\n\tnoprefix = true\n\tmnemonicPrefix = true\n\trenames = copies\n")
    last = mini.commit({"mm/new.c": b"int new; \t\n", PROTECT: mini.edit(PROTECT, b"pages++;", b"pages += 1; ")}, "blanks at the end")
    mails = mini.mails(f"{mini.first}..{last}")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    (step,) = applied(revision(mini, mini.first), mails, tmp_path)
    (again,) = apply_series(revision(mini, mini.first), read_series(str(mini.top), [f"{mini.first}..{last}"]))
    assert step.changed == again.changed == mini.bytes_at(last, ["mm/new.c", PROTECT])


def test_a_temporary_directory_inside_the_repository(mini: Mini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = mini.commit({"mm/new.c": b"int new;\n", ".gitattributes": b"* text eol=crlf\n"}, "attributes")
    monkeypatch.setattr(tempfile, "tempdir", str(mini.top))
    before = mini.state()
    (step,) = applied(revision(mini, mini.first), mini.mails(f"{mini.first}..{last}"), tmp_path)
    assert step.changed["mm/new.c"] == b"int new;\n" and mini.state() == before


def test_no_room_for_temporary_files(mini: Mini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = every_kind(mini)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    said = refusal(revision(mini, mini.first), mini.mails(f"{mini.first}..{last}"), tmp_path)
    assert said.startswith("temporary files: cannot be written (no such file or directory)")


def test_a_patch_that_takes_too_long_is_given_up(mini: Mini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = every_kind(mini)
    monkeypatch.setattr(apply_git, "SECONDS", 0)
    said = refusal(revision(mini, mini.first), mini.mails(f"{mini.first}..{last}"), tmp_path)
    assert said.startswith("patch ") and said.endswith(": takes git apply more than 0 s; leave it out")


def test_nothing_stays_behind(mini: Mini, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = every_kind(mini)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    series = read_series(str(mini.top), [f"{mini.first}..{last}"])
    steps = apply_series(revision(mini, mini.first), series)
    next(steps)
    assert list((tmp_path / "tmp").iterdir()) == []
    assert "does not apply" in refusal(revision(mini, last), mini.mails(f"{mini.first}..{last}"), tmp_path) and list((tmp_path / "tmp").iterdir()) == []


def test_attributes_in_a_patch_do_nothing(mini: Mini, tmp_path: Path) -> None:
    last = mini.commit({"attributes": b"*.c text eol=crlf\n* working-tree-encoding=UTF-16\n", "mm/new.c": b"int new;\n"}, "attributes")
    mails = mini.mails(f"{mini.first}..{last}").replace(b"/attributes", b"/.gitattributes")
    (step,) = applied(revision(mini, mini.first), mails, tmp_path)
    assert set(step.changed) == {".gitattributes", "mm/new.c"}
    assert step.changed["mm/new.c"] == b"int new;\n"


def test_an_overlay_is_a_tree(mini: Mini, tmp_path: Path) -> None:
    last = every_kind(mini)
    base, end = revision(mini, mini.first), revision(mini, last)
    after = Overlay(base, {})
    for step in applied(base, mini.mails(f"{mini.first}..{last}"), tmp_path):
        after = Overlay(after, step.changed)
    assert after.list() == end.list() and after.list(("mm",)) == end.list(("mm",))
    assert {path: after.read(path) for path in after.list().paths} == {path: end.read(path) for path in end.list().paths}
    asked = ("mm", "mm/new.c", "mm/moved.c", "mm/move.c", "", "nope", "mm/empty.h")
    assert [after.holds(path) for path in asked] == [end.holds(path) for path in asked]
    assert isinstance(after.base, Revision) and after.kind == "series"


@pytest.mark.parametrize(
    "options",
    [
        "--attach", "--inline", "--no-prefix", "--src-prefix=old/ --dst-prefix=new/", "--full-index --binary", "--no-renames", "-M -C --find-copies-harder",
        "-v3 --rfc --thread=deep", "--no-stat --signoff", "--pretty=mboxrd", "--interdiff=HEAD~2 --cover-letter", "--range-diff=OLD --cover-letter",
        "-U1", "-U25", "--subject-prefix= -N", "-k -N", "--zero-commit --signature=", "--minimal --patience --function-context", "--base=HEAD~5",
    ],
)  # fmt: skip
def test_whatever_format_patch_is_told(mini: Mini, tmp_path: Path, options: str) -> None:
    last = every_kind(mini)
    words = options.replace("HEAD~5", mini.first).replace("OLD", f"{mini.first}..{last}~2").split()
    steps = applied(revision(mini, mini.first), mini.mails(f"{mini.first}..{last}", *words), tmp_path)
    after = changed(steps)
    assert [step.patch.subject for step in steps] == ["protect: one", "zap: two", "move: three", "new: four", "last: five"]
    assert after == mini.bytes_at(last, after) and len(after) == 7


def test_no_context_is_refused_as_by_git(mini: Mini, tmp_path: Path) -> None:
    last = every_kind(mini)
    assert "does not apply" in refusal(revision(mini, mini.first), mini.mails(f"{mini.first}..{last}", "-U0"), tmp_path)


LINES = [b"\tpages++;", b"\treturn 0;", b"", b"\t}", b"/* one */"]


def edited(raw: bytes, edits: list[tuple[int, str, bytes]]) -> bytes:
    lines = raw.split(b"\n")
    for place, how, line in edits:
        place %= len(lines)
        lines[place : place + (how != "put")] = [] if how == "cut" else [line]
    return b"\n".join(lines)


EDITS = st.lists(st.tuples(st.integers(0, 200), st.sampled_from(["cut", "put", "swap"]), st.sampled_from(LINES)), min_size=1, max_size=3)


@given(st.lists(st.tuples(st.sampled_from([PROTECT, ZAP]), EDITS), min_size=1, max_size=3), EDITS)
@settings(max_examples=5, deadline=None)
def test_git_am_agrees_on_a_base_that_moved(changes: list[tuple[str, list[tuple[int, str, bytes]]]], drift: list[tuple[int, str, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        mini, scratch = Mini(Path(place) / "linux"), Path(place)
        last = mini.first
        for number, (name, edits) in enumerate(changes):
            last = mini.commit({name: edited((mini.top / name).read_bytes(), edits)}, f"{name}: change {number}")
        mails = mini.mails(f"{mini.first}..{last}")
        if not mails:  # the edits came to nothing
            return
        git(mini.top, "checkout", "-q", mini.first)
        base = mini.commit({PROTECT: edited((mini.top / PROTECT).read_bytes(), drift)}, "drift")
        clone = mini.am(mails, base, scratch / "am", "-3")
        tree = revision(mini, base)
        try:
            after = changed(applied(tree, mails, scratch))
        except InputError as error:
            # git am passes over what is there already and takes empty commits.
            assert clone is None or "already" in str(error) or "no patch in" in str(error) or "holds no diff" in str(error)
            return
        finally:
            tree.close()
        assert clone is not None
        assert {name: (clone.top / name).read_bytes() for name in after} == after


@pytest.mark.parametrize("search", ["all", "git grep", "python"])
def test_the_prefilter_sees_what_a_series_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, search: str) -> None:
    top = tmp_path / "tree"
    for number in range(prefilter.FEW + 10):
        path = top / f"d{number % 7}" / f"f{number}.c"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"int ptep_get;\n" if number % 50 == 0 else b"int other;\n")
    git(top, "init", "-q")
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "one")
    if search == "git grep":
        monkeypatch.setattr(prefilter, "ripgrep", lambda *_: None)
    elif search == "python":
        monkeypatch.setattr(prefilter, "searchers", lambda *_: [])
    gone, cleaned, gained, new = "d0/f0.c", "d1/f50.c", "d1/f1.c", "d9/new.c"
    changes = {gone: None, cleaned: b"int other;\n", gained: b"ptep_get(x);\n", new: b"ptep_get(x);\n", "d9/no.c": b"int ptep_gets;\n"}
    expected = {f"d{number % 7}/f{number}.c" for number in range(0, prefilter.FEW + 10, 50)} - {gone, cleaned} | {gained, new}
    for base in (Worktree(str(top)), PlainDir(str(top)), Revision(str(top), str(top), "HEAD")):
        after = Overlay(base, changes)
        paths = after.list().paths
        assert new in paths and gone not in paths
        assert set(prefilter.survivors(after, paths, [b"ptep_get"])) == expected
        contents, refused = read_all(after, sorted(expected))
        assert refused == () and contents[gained] == b"ptep_get(x);\n" and set(contents) == expected
        base.close()
