"""``tlblint simulate``."""

from __future__ import annotations

import click


@click.command("simulate", short_help="Explore TLB protocols, broken and mended.")
@click.argument("names", metavar="[NAME|FILE.scn]...", nargs=-1)
@click.option("--list", "list_", is_flag=True, help="List the scenarios that ship: machine, verdict, what goes wrong.")
@click.option("--variant", type=click.Choice(["buggy", "fixed"]), default=None, help="This variant only.")
@click.option("--profile", metavar="NAME", default=None, help="On this machine instead of the scenario's own: then nothing is expected.")
@click.option("-f", "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format.")
def command(names: tuple[str, ...], list_: bool, variant: str | None, profile: str | None, format_: str) -> int:
    """Explore every interleaving of scenarios: small programs around page table entries and TLBs, each with a bug and mended.

    Without NAME: all that ship, in a table. One NAME shows the shortest way to the violation, a column for each thread; several are a table.
    With --profile and no NAME, scenarios that need what that machine lacks are left out.
    Exit status: 0 all verdicts as expected, 1 some not, 2 bad input.
    """
    from tlblint.app.console import note, write_stdout

    if list_ and (names or variant or profile or format_ != "text"):
        raise click.UsageError("--list stands alone")
    if list_:
        from tlblint.app.simulate_list import listed

        write_stdout(listed().encode())
        return 0
    from tlblint.app.simulate import Wanted, as_json, simulate
    from tlblint.app.simulate_text import shown

    misfits: list[str] = []
    runs = simulate(Wanted(names, variant, profile), misfits.append)
    text = as_json(runs) if format_ == "json" else shown(runs, in_full=len(set(names)) == 1)
    write_stdout(text.encode())
    if misfits:
        note(f"left out for what {profile} does not have: {', '.join(misfits)}")
    return 0 if all(run.ok for run in runs) else 1
