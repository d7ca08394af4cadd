"""The one exception for what the user can put right."""

from __future__ import annotations


class InputError(Exception):
    """A usage, configuration or input error. Printed as ``tlblint: WHERE: WHAT; WHAT TO DO`` with exit status 2.

    ``where`` names the option, file or path; ``what`` is the fact; ``todo`` the way out ("" when there is none to give).
    """

    def __init__(self, where: str, what: str, todo: str = "") -> None:
        super().__init__(where, what, todo)
        self.where = where
        self.what = what
        self.todo = todo

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.todo}" if self.todo else "")


class Unreadable(Exception):
    """A file that was listed but whose bytes cannot be had. ``why`` is one short clause."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why
