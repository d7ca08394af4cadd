"""Groups of commands that help those who mistype one."""

from __future__ import annotations

import os

import click


class Suggesting(click.Group):
    """A group that, asked for a command that it does not have, names the nearest, or ``check`` for what looks like a path."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that ``args`` begin with. Raises UsageError, with ``possibilities`` when there is something to suggest."""
        name = args[0]
        if name.startswith("-") or ctx.resilient_parsing or self.get_command(ctx, name) is not None:
            return super().resolve_command(ctx, args)
        error = click.UsageError(f"No such command {name!r}", ctx)
        known = self.list_commands(ctx)
        import difflib

        near = difflib.get_close_matches(name.lower(), known, 1)
        if not near and "check" in known and (os.sep in name or name.endswith((".c", ".h"))):
            near = [f"check {name}"]
        if near:
            error.possibilities = near  # type: ignore[attr-defined]
        raise error
