"""``tlblint explain``."""

from __future__ import annotations

import click


@click.command("explain", short_help="Print the manual of a rule.")
@click.argument("code", metavar="CODE")
@click.option("--rules", "rule_files", metavar="FILE", multiple=True, help="One more rule file; repeatable.")
def command(code: str, rule_files: tuple[str, ...]) -> int:
    """Print the manual of the rule CODE (TLB003 or its name, lazy-mode-unpaired)."""
    from tlblint.app.console import write_stdout
    from tlblint.app.named import find
    from tlblint.app.rules import catalogue, manual

    write_stdout(manual(find(catalogue(rule_files), code)).encode())
    return 0
