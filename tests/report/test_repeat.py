"""The command line on a finding of a page judges that finding again: on the same tree, by the same rules."""

from __future__ import annotations

import shlex

import pytest
from msgspec.structs import replace

from tests.report.make import finding, report
from tlblint.report.repeat import repeat


@pytest.mark.parametrize(
    ("command", "again"),
    [
        ("tlblint check", "tlblint check --select TLB003 mm/a.c"),
        ("", "tlblint check --select TLB003 mm/a.c"),
        ("tlblint check --tree '/a b/linux' mm -f html=out.html -j 4", "tlblint check --tree '/a b/linux' --select TLB003 mm/a.c"),
        ("tlblint check --tree=t --rev v6.12 --select TLB001", "tlblint check --tree=t --rev v6.12 --select TLB003 mm/a.c"),
        ("tlblint check --preview --rules my.md --rules=b.md", "tlblint check --preview --rules my.md --rules=b.md --select TLB003 mm/a.c"),
        ("tlblint report a.json --tree t -f html=out.html", "tlblint check --tree t --select TLB003 mm/a.c"),
        ("tlblint series a.mbox --tree t --base v6.12 -f html=o.html -fjson --format sarif", "tlblint series a.mbox --tree t --base v6.12 --select TLB003"),
        ("tlblint demo -o out.html", "tlblint check --select TLB003 mm/a.c"),
        ("tlblint check --tree 'unfinished", "tlblint check --select TLB003 mm/a.c"),
    ],
)
def test_what_it_takes_over(command: str, again: str) -> None:
    made = report(finding(), command=command)
    assert repeat(made, made.findings[0]) == again


def test_no_path_and_no_command_gets_out_of_its_word() -> None:
    evil = replace(finding(), path="mm/$(x) '\n.c")
    line = repeat(report(evil, command=shlex.join(["tlblint", "check", "--tree", "$(reboot)\x1b; x"])), evil)
    assert "\n" not in line and "\x1b" not in line
    assert shlex.split(line)[:3] == ["tlblint", "check", "--tree"] and len(shlex.split(line)) == 7
