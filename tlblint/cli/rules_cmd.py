"""``tlblint rules``."""

from __future__ import annotations

import click


@click.command("rules", short_help="List the rules.")
@click.option("-f", "--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format.")
@click.option("--rules", "rule_files", metavar="FILE", multiple=True, help="One more rule file; repeatable.")
def command(format_: str, rule_files: tuple[str, ...]) -> int:
    """List the rules: code, severity, confidence, name and what each says."""
    from tlblint.app.console import write_stdout
    from tlblint.app.rules import as_json, as_text, catalogue

    rules = catalogue(rule_files)
    write_stdout((as_json(rules) if format_ == "json" else as_text(rules)).encode())
    return 0
