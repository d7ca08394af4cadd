"""How many processors there are for this process: of those that it may use, as many as its control group has time for."""

from __future__ import annotations

import os

MOST = 32
"""Processes when nobody says how many: the parts of a run that one process does itself outweigh what more would save."""
EACH = 128 << 10
"""KB of memory to have for each: a worker shares most of what it knows with its parent, and needs less than that of its own."""
GROUPS = "/sys/fs/cgroup"


def count() -> int:
    """At least 1. A container on a large machine is often given the time of a few processors, not the processors."""
    ours = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(ours, quota()))


def usual() -> int:
    """How many processes to start when nobody says how many."""
    return max(1, min(count(), MOST, available() // EACH))


def available(place: str = "/proc/meminfo") -> int:
    """KB of memory that could be had now; much when nobody says."""
    return next((int(words[1]) for line in _lines(place) if (words := line.split())[:1] == ["MemAvailable:"]), 1 << 40)


def quota(groups: str = GROUPS, own: str = "/proc/self/cgroup") -> int:
    """The least that this process's control group or one above it allows, in processors, rounded up; many when none says anything."""
    least = 1 << 20
    for line in _lines(own):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            place, limit = groups, _second
        elif "cpu" in controllers.split(","):
            place, limit = os.path.join(groups, controllers), _first
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for depth in range(len(parts) + 1):  # in a container the path may be that of outside; its top is what is mounted
            least = min(least, limit(os.path.join(place, *parts[:depth])))
    return least


def _second(folder: str) -> int:
    return _up(" ".join(_lines(os.path.join(folder, "cpu.max"))[:1]).split())


def _first(folder: str) -> int:
    """The same in the first version of control groups."""
    return _up([line for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us") for line in _lines(os.path.join(folder, name))[:1]])


def _up(words: list[str]) -> int:
    if len(words) != 2 or not all(word.isdigit() for word in words) or not int(words[0]) or not int(words[1]):
        return 1 << 20  # "max", -1, or no file
    return -(-int(words[0]) // int(words[1]))


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []
