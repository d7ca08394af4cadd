"""Colour and progress."""

from __future__ import annotations

import io

import pytest

from tlblint.io import term


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "environment", "terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, True, False),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_color(choice: str, environment: dict[str, str], terminal: bool, expected: bool) -> None:
    assert term.wants_color(choice, Terminal() if terminal else io.StringIO(), environment) is expected


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(term.time, "monotonic", lambda: now[0])
    return now


def test_progress_waits_a_second_and_cleans_up(clock: list[float]) -> None:
    stream = Terminal()
    progress = term.Progress(stream=stream)
    clock[0] = 0.9
    progress("reading", 1, 2)
    assert stream.getvalue() == ""
    clock[0] = 1.1
    progress("reading", 1, 2)
    assert stream.getvalue() == "\r\x1b[Kreading 50 %"
    progress.close()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_an_estimate_is_made_from_the_work_of_its_own_stage(clock: list[float]) -> None:
    stream = Terminal()
    progress = term.Progress(stream=stream)
    said = []
    for now, what, done in (
        (2, "searching", 0), (2, "reading", 0), (3, "reading", 4), (4, "reading", 5), (7, "reading", 25), (21, "reading", 95), (22, "reading", 100),
        (22, "judging", 0), (23, "judging", 50), (24, "reading", 0), (24.5, "reading", 50), (25, "reading", 60), (625, "reading", 61),
    ):  # fmt: skip
        clock[0] = now
        progress(what, done, 0 if done == 0 and what != "reading" else 100)
        said.append(stream.getvalue().rpartition("\x1b[K")[2])
        stream.truncate(0)
    assert said == [
        "searching", "", "reading 4 %", "reading 5 %, about 38 s left", "reading 25 %, about 15 s left", "reading 95 %, about 1 s left", "reading 100 %",
        "", "judging 50 %", "reading 0 %", "reading 50 %", "reading 60 %, about 1 s left", "reading 61 %, about 6 min left",
    ]  # fmt: skip


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_no_progress_off_a_terminal_or_when_dumb(clock: list[float], monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> None:
    monkeypatch.setenv("TERM", "dumb")
    progress = term.Progress(stream=stream)
    clock[0] = 5.0
    progress("reading")
    progress.close()
    assert stream.getvalue() == ""
