"""``tlblint hook``."""

from __future__ import annotations

import click

from tlblint.cli.groups import Suggesting

NAMES = "[NAME]..."


@click.group("hook", cls=Suggesting, short_help="Have git ask tlblint before it sends or pushes.")
def command() -> None:
    """Have git ask tlblint before it sends mails (sendemail-validate) or pushes (pre-push).

    A series is judged as a whole. Only an error that it brings in stops it; what tlblint cannot judge goes on with one line of
    warning, unless 'git config tlblint.hook.strict true'.
    """


@command.command("install")
@click.argument("names", metavar=NAMES, nargs=-1)
@click.option("--dry-run", "-n", is_flag=True, help="Only say what would be done.")
@click.option("--shared", is_flag=True, help="Also into a directory that core.hooksPath makes other repositories use.")
def install(names: tuple[str, ...], dry_run: bool, shared: bool) -> int:
    """Install the hooks NAME, or all. A hook that is there is moved aside and run first."""
    from tlblint.app.console import clean, write_stdout
    from tlblint.app.hook import install as go
    from tlblint.cli.run import current_directory

    write_stdout("".join(f"{clean(line)}\n" for line in go(current_directory(), names, dry_run, shared)).encode())
    return 0


@command.command("uninstall")
@click.argument("names", metavar=NAMES, nargs=-1)
@click.option("--dry-run", "-n", is_flag=True, help="Only say what would be done.")
def uninstall(names: tuple[str, ...], dry_run: bool) -> int:
    """Take the hooks NAME away, or all. What was there before comes back."""
    from tlblint.app.console import clean, write_stdout
    from tlblint.app.hook import uninstall as go
    from tlblint.cli.run import current_directory

    write_stdout("".join(f"{clean(line)}\n" for line in go(current_directory(), names, dry_run)).encode())
    return 0


@command.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--debug", is_flag=True, help="A traceback on internal errors.")
@click.argument("name")
@click.argument("arguments", nargs=-1)
def run(debug: bool, name: str, arguments: tuple[str, ...]) -> int:
    """Do what the hook NAME does, with git's ARGUMENTS. Exit status 1 stops the send or push.

    b4-patch and b4-series are commands for b4 review: they read a message and print the JSON that b4 wants.
    """
    from tlblint.app.hook_run import run as go
    from tlblint.cli.run import current_directory

    return go(current_directory(), name, arguments, debug=debug)
