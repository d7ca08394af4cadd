"""Where the time of a run goes."""

from __future__ import annotations

import time


class Stages:
    """A stopwatch with names. Calling it ends one stage and starts the next."""

    def __init__(self) -> None:
        self._since = time.perf_counter()
        self._name = "starting"
        self._spent: dict[str, float] = {}

    def __call__(self, name: str) -> None:
        """From now on the time is that of ``name``; a name may come again."""
        now = time.perf_counter()
        self._spent[self._name] = self._spent.get(self._name, 0.0) + now - self._since
        self._since, self._name = now, name

    def text(self) -> str:
        """A line for each stage, in seconds, and their sum."""
        self("")
        spent = {name: seconds for name, seconds in self._spent.items() if name}
        rows = [*spent.items(), ("together", sum(spent.values()))]
        return "".join(f"{name:<12} {seconds:8.3f} s\n" for name, seconds in rows)
