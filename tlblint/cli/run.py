"""Dispatch, and the one place where errors become lines and exit statuses."""

from __future__ import annotations

import errno
import importlib
import os
from collections.abc import Sequence

import click

from tlblint import __version__
from tlblint.app.console import InputError, ReaderGone, clean, write_stderr, write_stdout
from tlblint.cli.groups import Suggesting

COMMANDS = {
    "cache": "Show or clear what earlier runs have left.",
    "check": "Check a tree for TLB-flush mistakes.",
    "config": "Show settings and where they come from.",
    "demo": "Check the shipped miniature tree.",
    "explain": "Print the manual of a rule.",
    "graph": "Show who calls the functions that change page table entries.",
    "hook": "Have git ask tlblint before it sends or pushes.",
    "predicates": "Execute a tree's own flush predicates for all entries.",
    "report": "Render a stored result, or compare two.",
    "merge": "Make one report of the shards of a check.",
    "rule": "Work on rules.",
    "rules": "List the rules.",
    "simulate": "Explore TLB protocols, broken and mended.",
    "series": "Judge a patch series, patch by patch.",
}
"""Subcommand -> short help. The modules are imported when they run; tests keep both texts equal."""


GONE = "standard output: its reader went away before all was written"


class Lazy(Suggesting):
    """A group whose subcommands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import ``tlblint.cli.NAME`` and take its ``command``."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"tlblint.cli.{cmd_name}_cmd").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="tlblint %(version)s")
def root() -> None:
    """Find TLB-flush mistakes in Linux kernel C.

    Exit status: 0 nothing found at or above --fail-on, 1 findings, 2 usage, configuration or input error, 3 incomplete
    with --fail-on-incomplete, 130 interrupted.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the exit status."""
    debug = "--debug" in arguments
    try:
        result = root.main(args=list(arguments), prog_name="tlblint", standalone_mode=False)
        write_stdout(b"")  # flushes what click printed
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        write_stderr(f"{error.format_message()}\n")
        return 2
    except click.ClickException as error:
        return _fail(_usage(error))
    except InputError as error:
        return _fail(str(error))
    except (ReaderGone, BrokenPipeError):
        return _fail(GONE)
    except (KeyboardInterrupt, click.Abort):
        return _interrupted()
    except SystemExit:  # click's own answer to a reader of its help that went away
        return _fail(GONE)
    except MemoryError:
        return _fail("out of memory: narrow the run with PATHs or use fewer --jobs")
    except Exception as error:
        if isinstance(error.__cause__, KeyboardInterrupt):  # Python tells so of one in the middle of a class statement
            return _interrupted()
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return _fail("too many open files: allow this process more of them, see 'ulimit -n'")
        if isinstance(error, OSError) and _printing(error):
            return _fail(f"standard output: cannot write: {(error.strerror or str(error)).lower()}")
        if debug:
            import traceback

            write_stderr(traceback.format_exc())
        return _fail(f"internal error: {type(error).__name__}: {error}" + ("" if debug else "; run again with --debug and report what it prints"))


def _printing(error: OSError) -> bool:
    """Whether this is what became of a text that click printed itself: help, or the version."""
    import traceback  # slow to load

    return any(frame.f_globals.get("__name__") == click.echo.__module__ for frame, _ in traceback.walk_tb(error.__traceback__))


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None) or click.get_current_context(silent=True)
    where = context.command_path.removeprefix("tlblint").strip() if context else ""
    near = getattr(error, "possibilities", None)
    text = (error.message if near is not None else error.format_message()).rstrip(".")
    todo = f"did you mean {near[0]}?" if near else f"see 'tlblint {where + ' ' if where else ''}--help'"
    return (f"{where}: " if where else "") + f"{text}; {todo}"


def _interrupted() -> int:
    write_stderr("tlblint: interrupted\n")
    return 130


def _fail(text: str) -> int:
    write_stderr(f"tlblint: {clean(text)}\n")
    return 2


def current_directory() -> str:
    """The current directory with symbolic links resolved. Raises InputError when it is gone."""
    try:
        return os.path.realpath(os.getcwd())
    except OSError:
        raise InputError("current directory", "it no longer exists", "change to another one") from None

