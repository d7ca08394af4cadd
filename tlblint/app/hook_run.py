"""``tlblint hook run``: what the installed hooks call. 0 lets a send or a push go on, 1 stops it.

Only an error that the series brings in stops anything. What tlblint cannot judge it says in one line, and goes out of the way, unless
``git config tlblint.hook.strict`` is true.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from tlblint.app import b4
from tlblint.app.hook_text import NAMES
from tlblint.app.judging import Judge, Verdict, judge_series
from tlblint.io import git, pushes, sending
from tlblint.io.errors import InputError
from tlblint.io.output import write_stderr, write_stdout
from tlblint.io.tree import LIMIT
from tlblint.report.text import clean

BYPASS = {"sendemail-validate": "git send-email --no-validate", "pre-push": "git push --no-verify"}


def run(cwd: str, name: str, arguments: Sequence[str], judge: Judge = judge_series, debug: bool = False) -> int:
    """The exit status of a hook; pre-push and b4's commands read standard input. Raises InputError for unknown names only."""
    if name in b4.NAMES:
        write_stdout(b4.answer(cwd, name, pushes.read(), os.environ.get("B4_TRACKING_FILE")).encode())
        return 0
    if name not in NAMES:
        raise InputError(name, "tlblint has no such hook", "choose from " + ", ".join((*NAMES, *b4.NAMES)))
    try:
        top = git.toplevel(cwd)
        if top is None:
            raise InputError(cwd, "not in a git work tree", "")
        verdicts = _sent(top, arguments, judge) if name == "sendemail-validate" else _pushed(top, pushes.read(), judge)
        return _answer(name, list(verdicts))
    except InputError as error:
        return _unchecked(cwd, str(error))
    except Exception as error:
        if debug:
            raise
        return _unchecked(cwd, f"internal error: {type(error).__name__}: {error}")


def _answer(name: str, verdicts: Sequence[Verdict]) -> int:
    write_stderr("".join(verdict.text for verdict in verdicts))
    errors = sum(verdict.errors for verdict in verdicts)
    if errors:
        what = "an error" if errors == 1 else f"{errors} errors"
        write_stderr(f"tlblint hook: stopped because of {what}; to go on all the same: {BYPASS[name]}\n")
    return 1 if errors else 0


def _unchecked(cwd: str, why: str) -> int:
    strict = is_strict(cwd)
    after = "stopped, because tlblint.hook.strict is set" if strict else "nothing was checked"
    write_stderr(f"tlblint hook: {clean(' '.join(why.split()))}; {after}\n")
    return 1 if strict else 0


def is_strict(cwd: str) -> bool:
    """Whether what cannot be judged stops a send or push, by ``git config tlblint.hook.strict``."""
    values = [value for _, _, key, value in git.settings(cwd) if key.lower() == "tlblint.hook.strict"]
    return bool(values) and values[-1].lower() in ("", "true", "yes", "on", "1")


def _sent(top: str, arguments: Sequence[str], judge: Judge) -> Iterable[Verdict]:
    """Judges when the last mail of a series is there; where that cannot be told, each mail with those before it."""
    if not arguments:
        raise InputError("sendemail-validate", "git named no mail", "")
    mail = os.path.realpath(os.path.join(top, arguments[0]))
    who = sending.sender()
    number = sending.numbered() or sending.counted(who, mail)
    session = sending.Session(top, who)
    mails = session.add(mail, first=number is not None and number[0] == 1)
    if number is not None and number[0] < number[1]:
        return
    if number is not None:
        session.end()
        if len(mails) != number[1]:
            raise InputError("sendemail-validate", f"saw {len(mails)} of {number[1]} mails", "")
    mails = sending.without_backups(mails)  # newer git asks about those, too, before it passes over them
    if any(_has_diff(path) for path in mails):
        yield judge(top, mails, None)


def _has_diff(path: str) -> bool:
    """Whether a mail holds a patch at all: a cover letter or an announcement does not."""
    try:
        with open(path, "rb") as file:
            raw = file.read(LIMIT)
    except OSError as error:
        raise InputError(path, f"cannot be read: {(error.strerror or str(error)).lower()}", "") from None
    return b"\n+++ " in raw or b"\ndiff --git " in raw or b"ransfer-Encoding: base64" in raw


def _pushed(top: str, refs: bytes, judge: Judge) -> Iterable[Verdict]:
    for update in pushes.updates(refs):
        for ranged in pushes.ranges(top, update):
            yield judge(top, [ranged], None)
