"""How many processes are started when nobody says how many."""

from __future__ import annotations

from pathlib import Path

import pytest

from tlblint.app.collecting import workers
from tlblint.io import processors

ANY = 1 << 20


def groups(place: Path, own: str, **files: str) -> tuple[str, str]:
    """A directory of control groups and the file that says which is ours; ``a__b``: a file of group /a."""
    for name, text in files.items():
        path = place / "groups" / name.replace("__", "/").replace("cpu_", "cpu.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (place / "own").write_text(own)
    return str(place / "groups"), str(place / "own")


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("", {}, ANY),
        ("0::/\n", {"cpu_max": "max 100000\n"}, ANY),
        ("0::/\n", {"cpu_max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu_max": "50000 100000\n"}, 1),
        ("0::/\n", {"cpu_max": "250000 100000\n"}, 3),
        ("0::/\n", {"cpu_max": "what is this\n"}, ANY),
        ("0::/\n", {"cpu_max": "1000 0\n"}, ANY),
        ("0::/a/b\n", {"a__cpu_max": "300000 100000", "a__b__cpu_max": "max 100000"}, 3),
        ("0::/a/b\n", {"a__cpu_max": "300000 100000", "a__b__cpu_max": "100000 100000"}, 1),
        ("0::/not/here\n", {"cpu_max": "400000 100000\n"}, 4),
        ("0::/../../up\n", {"cpu_max": "400000 100000\n"}, 4),
        ("4:memory:/x\n3:cpu,cpuacct:/x\n0::/\n", {"cpu,cpuacct__x__cpu_cfs_quota_us": "150000\n", "cpu,cpuacct__x__cpu_cfs_period_us": "100000\n"}, 2),
        ("3:cpu,cpuacct:/x\n", {"cpu,cpuacct__x__cpu_cfs_quota_us": "-1\n", "cpu,cpuacct__x__cpu_cfs_period_us": "100000\n"}, ANY),
        ("3:cpuset:/x\n", {"cpuset__x__cpu_cfs_quota_us": "150000\n", "cpuset__x__cpu_cfs_period_us": "100000\n"}, ANY),
    ],
)
def test_the_time_of_a_container(tmp_path: Path, own: str, files: dict[str, str], expected: int) -> None:
    assert processors.quota(*groups(tmp_path, own, **files)) == expected


def test_this_machine() -> None:
    assert 1 <= processors.usual() <= processors.count()
    assert processors.quota() >= 1


@pytest.mark.parametrize(("cpus", "limit", "usual"), [(1, ANY, 1), (2, ANY, 2), (64, ANY, 32), (64, 3, 3), (4, 0, 1)])
def test_defaults_on_machines_small_and_large(monkeypatch: pytest.MonkeyPatch, cpus: int, limit: int, usual: int) -> None:
    monkeypatch.setattr(processors.os, "sched_getaffinity", lambda process: set(range(cpus)))
    monkeypatch.setattr(processors, "quota", lambda: limit)
    monkeypatch.setattr(processors, "available", lambda: 1 << 30)
    assert workers(0) == usual
    assert workers(1) == 1 and workers(1024) == 4 * processors.count()


@pytest.mark.parametrize(("text", "usual"), [("MemTotal: 9 kB\nMemAvailable:  400000 kB\n", 3), ("MemAvailable: 5 kB", 1), ("MemTotal: 5 kB\n", 16), ("", 16)])
def test_little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, usual: int) -> None:
    (tmp_path / "meminfo").write_text(text)
    whole = processors.available
    monkeypatch.setattr(processors, "count", lambda: 16)
    monkeypatch.setattr(processors, "available", lambda: whole(str(tmp_path / "meminfo")))
    assert workers(0) == usual
