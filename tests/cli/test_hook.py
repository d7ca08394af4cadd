"""``tlblint hook``: files of hooks, sends seen through git's two protocols, pushes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.conftest import ROOT, Write, git
from tlblint.app import hook_run
from tlblint.app.hook_text import NAMES, script
from tlblint.app.judging import Verdict
from tlblint.io import hooks, pushes, sending
from tlblint.io.errors import InputError

Run = Callable[..., subprocess.CompletedProcess[bytes]]
FOREIGN = b"#!/bin/sh\necho foreign: \"$@\" >&2\ncat >&2\nexit ${FOREIGN_STATUS:-0}\n"


@pytest.fixture
def top(repository: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of three commits; sessions are kept below tmp_path."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = repository({"mm/a.c": b"int x;\n"})
    for word in ("two", "three"):
        (made / "mm/a.c").write_text(f"int {word};\n")
        git(made, "commit", "-qam", word)
    return made


def put(path: Path, raw: bytes, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    path.chmod(mode)
    return path


def state(directory: Path) -> dict[str, tuple[bytes, int]]:
    """Names, bytes and modes, samples of git aside."""
    return {p.name: (p.read_bytes(), p.stat().st_mode) for p in sorted(directory.iterdir()) if not p.name.endswith(".sample")}


def test_install_twice_and_uninstall(top: Path, tlblint: Run) -> None:
    where = top / ".git/hooks"
    before = state(where)
    assert tlblint(top / "mm", "hook", "install", "--dry-run").stdout.decode().splitlines() == [f"would do: {where}/{name}: write" for name in NAMES]
    assert state(where) == before
    done = tlblint(top / "mm", "hook", "install")
    assert (done.returncode, done.stderr) == (0, b"")
    assert {name: raw for name, (raw, _) in state(where).items()} == {name: script(name) for name in NAMES}
    assert all(os.access(where / name, os.X_OK) for name in NAMES)
    once = state(where)
    assert tlblint(top, "hook", "install").stdout.count(b"is there already") == 2 and state(where) == once
    assert b"remove" in tlblint(top, "hook", "uninstall", "-n").stdout and state(where) == once
    assert tlblint(top, "hook", "uninstall").returncode == 0 and state(where) == before
    assert b"there is none" in tlblint(top, "hook", "uninstall").stdout


@pytest.mark.parametrize("mode", [0o755, 0o644, 0o700])
def test_a_foreign_hook_comes_back_byte_for_byte(top: Path, tlblint: Run, mode: int) -> None:
    where = top / ".git/hooks"
    put(where / "pre-push", FOREIGN, mode)
    os.utime(where / "pre-push", (1e9, 1e9))
    before = state(where)
    tlblint(top, "hook", "install", "pre-push")
    assert (where / "pre-push.tlblint-chained").read_bytes() == FOREIGN and hooks.owner(str(where / "pre-push")) == "ours"
    assert b"is there already" in tlblint(top, "hook", "install", "pre-push").stdout
    tlblint(top, "hook", "uninstall")
    assert state(where) == before and (where / "pre-push").stat().st_mtime == 1e9


def test_a_symbolic_link_is_moved_as_one(top: Path, tlblint: Run) -> None:
    put(top / "tools/push", FOREIGN)
    link = top / ".git/hooks/pre-push"
    link.symlink_to("../../tools/push")
    tlblint(top, "hook", "install", "pre-push")
    assert os.readlink(f"{link}.tlblint-chained") == "../../tools/push" and (top / "tools/push").read_bytes() == FOREIGN
    tlblint(top, "hook", "uninstall", "pre-push")
    assert os.readlink(link) == "../../tools/push" and not os.path.lexists(f"{link}.tlblint-chained")


def test_an_interrupted_installation_is_finished(top: Path, tlblint: Run) -> None:
    path = put(top / ".git/hooks/pre-push", FOREIGN)
    hooks.aside(str(path))
    assert tlblint(top, "hook", "install", "pre-push").returncode == 0
    assert hooks.owner(str(path)) == "ours" and (top / ".git/hooks/pre-push.tlblint-chained").read_bytes() == FOREIGN


def test_what_somebody_changed_is_left_alone(top: Path, tlblint: Run) -> None:
    path = top / ".git/hooks/pre-push"
    tlblint(top, "hook", "install", "pre-push")
    path.write_bytes(path.read_bytes() + b"# mine\n")
    for word in ("install", "uninstall"):
        done = tlblint(top, "hook", word)
        assert done.returncode == 2 and b"changes by someone else" in done.stderr and path.read_bytes().endswith(b"# mine\n")
    assert not (top / ".git/hooks/sendemail-validate").exists()  # all or nothing


def test_two_foreign_hooks_are_none_of_our_business(top: Path, tlblint: Run) -> None:
    tlblint(top, "hook", "install", "pre-push")
    path = put(top / ".git/hooks/pre-push", FOREIGN)
    put(top / ".git/hooks/pre-push.tlblint-chained", b"#!/bin/sh\n")
    before = state(top / ".git/hooks")
    done = tlblint(top, "hook", "install", "pre-push")
    assert done.returncode == 2 and b"neither this hook nor" in done.stderr
    assert b"not tlblint's; pre-push.tlblint-chained is left as it is" in tlblint(top, "hook", "uninstall", "pre-push").stdout
    assert state(top / ".git/hooks") == before and path.read_bytes() == FOREIGN


def test_the_hook_of_an_older_tlblint_is_replaced(top: Path, tlblint: Run) -> None:
    path = put(top / ".git/hooks/pre-push", hooks.sealed("#!/bin/sh\nexit 0\n"))
    assert b"replace the hook of another tlblint" in tlblint(top, "hook", "install", "pre-push").stdout
    assert path.read_bytes() == script("pre-push")


def test_a_hook_that_looks_at_its_name_is_told_of(top: Path, tlblint: Run) -> None:
    put(top / ".git/hooks/pre-push", b'#!/bin/sh\nexec run-hook "$(basename "$0")"\n')
    assert b"seems to look at its own name" in tlblint(top, "hook", "install", "pre-push", "-n").stdout


def test_core_hooks_path_is_honoured(top: Path, tlblint: Run, tmp_path: Path) -> None:
    git(top, "config", "core.hooksPath", "tools/hooks")
    done = tlblint(top / "mm", "hook", "install", "pre-push")
    assert (top / "tools/hooks/pre-push").read_bytes() == script("pre-push") and b"lies in the work tree" in done.stdout
    git(top, "config", "--unset", "core.hooksPath")
    git(top, "config", "--global", "core.hooksPath", str(tmp_path / "all"))
    done = tlblint(top, "hook", "install")
    assert done.returncode == 2 and b"core.hooksPath (global)" in done.stderr and b"add --shared" in done.stderr and not (tmp_path / "all").exists()
    assert tlblint(top, "hook", "install", "--shared").returncode == 0 and (tmp_path / "all/pre-push").exists()
    assert tlblint(top, "hook", "uninstall").returncode == 0 and not (tmp_path / "all/pre-push").exists()


def test_a_second_work_tree_shares_the_hooks(top: Path, tlblint: Run, tmp_path: Path) -> None:
    git(top, "worktree", "add", "-q", str(tmp_path / "other"), "-b", "other")
    tlblint(tmp_path / "other", "hook", "install", "pre-push")
    assert (top / ".git/hooks/pre-push").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("install", "pre-pusch"), "pre-pusch: tlblint has no such hook; choose from sendemail-validate, pre-push"),
        (("run", "commit-msg", "x"), "commit-msg: tlblint has no such hook; choose from sendemail-validate, pre-push, b4-patch, b4-series"),
    ],
)
def test_mistakes(top: Path, tlblint: Run, arguments: tuple[str, ...], line: str) -> None:
    done = tlblint(top, "hook", *arguments)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", f"tlblint: {line}\n")


def test_outside_of_git(tmp_path: Path, tlblint: Run) -> None:
    done = tlblint(tmp_path, "hook", "install", GIT_CEILING_DIRECTORIES=str(tmp_path.parent))
    assert done.returncode == 2 and b"not in a git work tree" in done.stderr


# The script, with a program in the place of tlblint.


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tlblint that writes down what it gets and ends with $FAKE_STATUS; ``hook --help`` with $FAKE_HELP."""
    log = tmp_path / "log"
    text = f'#!/bin/sh\n[ "$*" = "hook --help" ] && exit ${{FAKE_HELP:-0}}\necho "$@" >>{log}\ncat >>{log}\nexit ${{FAKE_STATUS:-0}}\n'
    put(tmp_path / "bin/tlblint", text.encode())
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return log


def call(top: Path, name: str, *arguments: str, refs: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(top / ".git/hooks" / name), *arguments]
    return subprocess.run(command, cwd=top, env={**os.environ, **environment}, input=refs, capture_output=True, text=True, check=False)


REFS = "refs/heads/x 11 refs/heads/x 22\nrefs/heads/y 33 refs/heads/y 44\n"


def test_both_hooks_get_arguments_and_input(top: Path, tlblint: Run, fake: Path) -> None:
    put(top / ".git/hooks/pre-push", FOREIGN)
    tlblint(top, "hook", "install")
    done = call(top, "pre-push", "origin", "a b", refs=REFS)
    assert (done.returncode, done.stderr) == (0, f"foreign: origin a b\n{REFS}") and fake.read_text() == f"hook run pre-push origin a b\n{REFS}"
    assert call(top, "pre-push", "origin", "u", refs="").stderr == "foreign: origin u\n"
    assert call(top, "sendemail-validate", "m.eml", "h", refs="not ours").returncode == 0
    assert fake.read_text().endswith("hook run pre-push origin u\nhook run sendemail-validate m.eml h\n")


def test_the_first_refusal_counts(top: Path, tlblint: Run, fake: Path) -> None:
    put(top / ".git/hooks/pre-push", FOREIGN)
    tlblint(top, "hook", "install", "pre-push")
    assert call(top, "pre-push", "o", "u", refs=REFS, FOREIGN_STATUS="7").returncode == 7 and not fake.exists()
    assert call(top, "pre-push", "o", "u", refs=REFS, FAKE_STATUS="1").returncode == 1


@pytest.mark.parametrize(("status", "help_"), [("2", "0"), ("137", "0"), ("1", "1"), ("127", "0")])
def test_a_broken_tlblint_lets_work_go_on(top: Path, tlblint: Run, fake: Path, status: str, help_: str) -> None:
    tlblint(top, "hook", "install")
    for name in NAMES:
        done = call(top, name, "m", FAKE_STATUS=status, FAKE_HELP=help_)
        assert (done.returncode, done.stderr) == (0, f"tlblint hook: tlblint ended with status {status}; nothing was checked\n")
    git(top, "config", "tlblint.hook.strict", "yes")
    assert call(top, "pre-push", "m", FAKE_STATUS=status, FAKE_HELP=help_).returncode == 1


def test_no_tlblint_lets_work_go_on(top: Path, tlblint: Run, tmp_path: Path) -> None:
    tlblint(top, "hook", "install")
    for word in ("git", "cat", "sh"):
        (tmp_path / "few").mkdir(exist_ok=True)
        (tmp_path / "few" / word).symlink_to(shutil.which(word) or "/nowhere")
    done = call(top, "pre-push", "o", "u", refs=REFS, PATH=str(tmp_path / "few"))
    assert (done.returncode, done.stderr) == (0, "tlblint hook: there is no tlblint in PATH; nothing was checked\n")


# What is judged, with a recorder in the place of the judge.


class Recorder:
    """Takes down what it is asked, answers with ``errors`` or raises."""

    def __init__(self, errors: int = 0, raises: Exception | None = None) -> None:
        self.asked: list[list[str]] = []
        self.errors, self.raises = errors, raises

    def __call__(self, top: str, words: Sequence[str], base: str | None, /) -> Verdict:
        self.asked.append(list(words))
        if self.raises:
            raise self.raises
        return Verdict("said\n", self.errors, len(words))


MAIL = b"From 1 Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH %d/3] x\n\n---\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n"
COVER = b"From 1 Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH 0/3] x\n\nWhat it is about.\n"


@pytest.fixture
def mails(tmp_path: Path) -> list[Path]:
    texts = [COVER, *(MAIL % number for number in (1, 2, 3))]
    return [put(tmp_path / f"out/{number:04}-x.patch", text, 0o644) for number, text in enumerate(texts)]


def send(top: Path, mails: Sequence[Path], judge: Recorder, monkeypatch: pytest.MonkeyPatch, new: bool) -> list[int]:
    statuses = []
    for number, mail in enumerate(mails, 1):
        if new:
            monkeypatch.setenv("GIT_SENDEMAIL_FILE_COUNTER", str(number))
            monkeypatch.setenv("GIT_SENDEMAIL_FILE_TOTAL", str(len(mails)))
        statuses.append(hook_run.run(str(top), "sendemail-validate", [str(mail), *(["headers"] if new else [])], judge))
    return statuses


def as_sender(monkeypatch: pytest.MonkeyPatch, *arguments: object, cwd: Path) -> None:
    words = ("/usr/bin/perl", "/usr/lib/git-core/git-send-email", *map(str, arguments))
    monkeypatch.setattr(sending, "sender", lambda: sending.Sender(f"test {words}", words, str(cwd)))


def test_newer_git_counts_the_mails(top: Path, mails: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    judge = Recorder()
    assert send(top, mails, judge, monkeypatch, new=True) == [0] * 4
    assert judge.asked == [[str(mail) for mail in mails]]
    assert [path.name for path in (tmp_path / f"tlblint-{os.getuid()}").iterdir()] == []
    assert send(top, mails[:2], Recorder(errors=1), monkeypatch, new=True) == [0, 1]


def test_newer_git_counts_copies_that_an_editor_left(top: Path, mails: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    copy = put(mails[0].parent / "0003-x.patch~", MAIL % 3)
    judge = Recorder()
    assert send(top, [*mails, copy], judge, monkeypatch, new=True) == [0] * 5
    assert judge.asked == [[str(mail) for mail in mails]]


def test_a_send_that_was_given_up_leaves_nothing_for_the_next(top: Path, mails: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Recorder()
    monkeypatch.setenv("GIT_SENDEMAIL_FILE_COUNTER", "1")
    monkeypatch.setenv("GIT_SENDEMAIL_FILE_TOTAL", "9")
    hook_run.run(str(top), "sendemail-validate", [str(mails[3])], judge)
    assert send(top, mails[1:3], judge, monkeypatch, new=True) == [0, 0]
    assert judge.asked == [[str(mail) for mail in mails[1:3]]]


@pytest.mark.parametrize("form", ["files", "directory", "range"])
def test_older_git_is_counted_by_its_arguments(top: Path, mails: list[Path], monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    put(mails[0].parent / "0003-x.patch~", MAIL % 3)  # an editor's copy, which git passes over
    options = ("--to", "a@b", "--cc-cmd", put(top / "who", b"#!/bin/sh\n"))
    given = {"files": mails, "directory": [mails[0].parent], "range": ["HEAD~3"]}[form]
    as_sender(monkeypatch, *options, *given, cwd=top)
    judge = Recorder()
    assert send(top, mails, judge, monkeypatch, new=False) == [0] * 4
    assert judge.asked == [[str(mail) for mail in mails]]


def test_older_git_with_a_part_of_a_series(top: Path, mails: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    as_sender(monkeypatch, "out/0001-x.patch", "out/0002-x.patch", cwd=mails[0].parent.parent)
    judge = Recorder()
    send(top, mails[1:3], judge, monkeypatch, new=False)
    assert judge.asked == [[str(mail) for mail in mails[1:3]]]


def test_a_sender_that_cannot_be_seen_has_each_patch_judged_with_those_before(top: Path, mails: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "sender", lambda: sending.Sender("session 1"))
    judge = Recorder()
    send(top, mails, judge, monkeypatch, new=False)
    names = [str(mail) for mail in mails]
    assert judge.asked == [names[:2], names[:3], names]
    judge.asked.clear()
    send(top, mails[1:2], judge, monkeypatch, new=False)  # once more after an edit
    assert judge.asked == [names[:2]]


def test_a_mail_without_a_patch_is_not_judged(top: Path, mails: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    judge = Recorder()
    assert send(top, mails[:1], judge, monkeypatch, new=True) == [0] and judge.asked == []


@pytest.mark.parametrize("problem", [InputError("x", "does not apply", "give --base"), RuntimeError("\x1b[2Jboom\nbang")])
def test_what_cannot_be_judged_goes_on_unless_strict(
    top: Path, mails: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], problem: Exception
) -> None:
    assert send(top, mails[1:2], Recorder(raises=problem), monkeypatch, new=True) == [0]
    said = capsys.readouterr().err
    assert said.startswith("tlblint hook: ") and said.endswith("; nothing was checked\n") and said.count("\n") == 1 and "\x1b" not in said
    git(top, "config", "tlblint.hook.strict", "true")
    assert send(top, mails[1:2], Recorder(raises=problem), monkeypatch, new=True) == [1]
    assert "stopped, because tlblint.hook.strict is set" in capsys.readouterr().err


@pytest.mark.parametrize("numbers", [("x", "3"), ("4", "3"), ("0", "3"), ("1", "")])
def test_nonsense_numbers_are_named(
    top: Path, mails: list[Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], numbers: tuple[str, str]
) -> None:
    for name, value in zip(("COUNTER", "TOTAL"), numbers, strict=True):
        monkeypatch.setenv(f"GIT_SENDEMAIL_FILE_{name}", value)
    judge = Recorder()
    assert hook_run.run(str(top), "sendemail-validate", [str(mails[1])], judge) == 0 and judge.asked == []
    assert "is no number of a mail" in capsys.readouterr().err


def test_a_directory_of_somebody_else_is_not_trusted(
    top: Path, mails: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"tlblint-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    assert send(top, mails[1:2], Recorder(), monkeypatch, new=True) == [0]
    assert "not a private directory" in capsys.readouterr().err and list((tmp_path / "elsewhere").iterdir()) == []


ZERO = "0" * 40


@pytest.fixture
def pushed(top: Path, tmp_path: Path) -> Path:
    """The repository with a remote that has its second commit, and a work branch of two more."""
    git(tmp_path, "init", "-q", "--bare", "there.git")
    git(top, "remote", "add", "origin", str(tmp_path / "there.git"))
    git(top, "push", "-q", "origin", "HEAD~1:refs/heads/main")
    return top


def ranges(top: Path, *lines: str) -> list[str | None]:
    return [pushes.new_range(str(top), update) for update in pushes.updates("".join(f"{line}\n" for line in lines).encode())]


def test_pushes_become_ranges(pushed: Path) -> None:
    head, two, one = (git(pushed, "rev-parse", f"HEAD~{back}") for back in range(3))
    assert ranges(pushed, f"refs/heads/main {head} refs/heads/main {two}") == [f"{two}..{head}"]
    assert ranges(pushed, f"refs/heads/new {head} refs/heads/new {ZERO}") == [f"{two}..{head}"]
    assert ranges(pushed, f"(delete) {ZERO} refs/heads/main {two}") == []
    assert ranges(pushed, f"refs/heads/main {two} refs/heads/main {two}") == [None]
    assert ranges(pushed, f"refs/heads/main {one} refs/heads/main {two}") == [None]  # only takes back
    assert ranges(pushed, f"HEAD {head} refs/heads/a {two}", f"HEAD {head} refs/heads/b {two}") == [f"{two}..{head}"]
    unknown = "ab" * 20  # somebody else pushed meanwhile
    assert ranges(pushed, f"HEAD {head} refs/heads/main {unknown}") == [f"{two}..{head}"]
    blob = git(pushed, "rev-parse", "HEAD:mm/a.c")
    assert ranges(pushed, f"refs/tags/b {blob} refs/tags/b {ZERO}") == [None]
    git(pushed, "tag", "-a", "-m", "t", "v1")
    assert ranges(pushed, f"refs/tags/v1 {git(pushed, 'rev-parse', 'v1')} refs/tags/v1 {ZERO}") == [f"{two}..{head}"]


def test_a_forced_push_after_a_rebase_brings_only_its_own_commits(pushed: Path) -> None:
    git(pushed, "push", "-q", "origin", "HEAD:refs/heads/topic")
    old = git(pushed, "rev-parse", "HEAD")
    git(pushed, "checkout", "-q", "-b", "up", "HEAD~1")
    git(pushed, "commit", "-q", "--allow-empty", "-m", "upstream")
    git(pushed, "push", "-q", "origin", "up:main")
    git(pushed, "commit", "-q", "--allow-empty", "-m", "mine again")
    assert ranges(pushed, f"refs/heads/topic {git(pushed, 'rev-parse', 'HEAD')} refs/heads/topic {old}") == [
        f"{git(pushed, 'rev-parse', 'HEAD~1')}..{git(pushed, 'rev-parse', 'HEAD')}"
    ]


def test_a_history_that_starts_with_the_push_is_no_series(pushed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(pushed, "checkout", "-q", "--orphan", "fresh")
    git(pushed, "commit", "-q", "-m", "root")
    line = f"refs/heads/fresh {git(pushed, 'rev-parse', 'HEAD')} refs/heads/fresh {ZERO}"
    with pytest.raises(InputError, match="starts with what is pushed"):
        ranges(pushed, line)
    monkeypatch.setattr(pushes, "MOST", 0)
    with pytest.raises(InputError, match="more than 0 commits"):
        ranges(pushed, line)


def test_lines_that_git_never_wrote() -> None:
    with pytest.raises(InputError, match="line 2"):
        pushes.updates(f"refs/heads/x {ZERO} refs/heads/x {ZERO}\n--upload-pack=x y z w\n".encode())


def test_a_real_push_runs_the_hook(pushed: Path, tlblint: Run, fake: Path) -> None:
    tlblint(pushed, "hook", "install", "pre-push")
    git(pushed, "push", "-q", "origin", "HEAD:refs/heads/topic")
    head = git(pushed, "rev-parse", "HEAD")
    assert fake.read_text().splitlines()[1:] == [f"HEAD {head} refs/heads/topic {ZERO}"]


SEND_EMAIL = Path(subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=False).stdout.strip()) / "git-send-email"


@pytest.mark.skipif(not SEND_EMAIL.exists(), reason="git send-email is not installed")
@pytest.mark.parametrize("given", [["-2"], ["HEAD~2.."]])
def test_a_real_send_has_the_series_judged_once(top: Path, tlblint: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str]) -> None:
    tlblint(top, "hook", "install", "sendemail-validate")
    program = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
from tlblint.app import judging
def judge(top, words, base):
    open({str(tmp_path / "judged")!r}, "a").write(f"{{len(words)}} mails\\n")
    return judging.Verdict("a finding\\n", 1, len(words))
from tlblint.app import hook_run
hook_run.run.__defaults__ = (judge, *hook_run.run.__defaults__[1:])
from tlblint.cli.main import main
main()
"""
    put(tmp_path / "bin/tlblint", program.encode())
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    words = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "send-email", "--dry-run", "--quiet", "--to", "x@example.org", "--confirm=never"]
    done = subprocess.run([*words, *given], cwd=top, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode != 0 and "rejected by sendemail-validate hook" in done.stderr and "a finding\n" in done.stderr
    assert (tmp_path / "judged").read_text() == "2 mails\n"
    assert "stopped because of an error; to go on all the same: git send-email --no-validate" in done.stderr
