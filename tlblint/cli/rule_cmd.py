"""``tlblint rule``: for those who write rules."""

from __future__ import annotations

import click

from tlblint.cli.groups import Suggesting


@click.group("rule", cls=Suggesting, short_help="Work on rules.")
def command() -> None:
    """Work on rules."""


@command.command("test")
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@click.option("--rules", "rule_files", metavar="FILE", multiple=True, help="One more rule file; repeatable.")
def test(codes: tuple[str, ...], rule_files: tuple[str, ...]) -> int:
    """Run the examples of the rules CODE, or of all. Exit status 1 when one does not give what its lines expect."""
    from tlblint.app.console import write_stdout
    from tlblint.app.ruletest import run

    results = run(codes, rule_files)
    lines = []
    for result in results:
        lines += [f"{result.path}:{line}: {text}" for line, text in result.problems]
        state = f"{len(result.problems)} wrong" if result.problems else "ok"
        lines.append(f"{result.code}: {result.examples} examples, {state}")
    write_stdout("".join(f"{line}\n" for line in lines).encode())
    return 1 if any(result.problems for result in results) else 0
