"""The lists of rules and of scenarios: what is read in a hurry is what the full readers find, and no more is imported than they take."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.sim.catalogue import NAMES, scenario
from tlblint.app import rules
from tlblint.app import spine as spines
from tlblint.app.simulate_list import columns, listed
from tlblint.findings import own
from tlblint.findings.heads import head
from tlblint.io.errors import InputError

FIELDS = ("code", "slug", "severity", "confidence", "status", "title", "text", "path")


def test_heads_are_those_of_the_rules() -> None:
    full = own.by_code(spines.load(spines.Wanted(preview=True)).rules)
    quick = rules.catalogue()
    assert {code: [getattr(rule, field) for field in FIELDS] for code, rule in quick.items()} == {
        code: [getattr(rule, field) for field in FIELDS] for code, rule in full.items()
    }


def test_every_shipped_rule_has_a_head() -> None:
    files = sorted((ROOT / "rules").glob("TLB*.md"))
    assert files and all(head(path.name, path.read_text()) is not None for path in files)


GOOD = '# TLB777 of-a-kind\n```toml\ntitle = "t"\nseverity = "note"\nconfidence = "low"\nstatus = "stable"\n```\n'


def test_a_head() -> None:
    found = head("x.md", GOOD)
    assert found is not None and (found.code, found.slug, found.title, found.severity) == ("TLB777", "of-a-kind", "t", "note")


@pytest.mark.parametrize(
    ("old", "new"),
    [("# TLB777", "#TLB777"), ('title = "t"', r'title = "\u0074"'), ('title = "t"', "title = 't'"), ('status = "stable"\n', ""), ("```toml", "```"),
     ('title = "t"', 'title = "t"\ntitle = "u"'), ('"stable"\n```', '"stable"\n')],
)  # fmt: skip
def test_what_is_written_otherwise_is_left_to_the_full_reader(old: str, new: str) -> None:
    text = GOOD.replace(old, new)
    assert text != GOOD and head("x.md", text) is None


def test_a_broken_rule_of_the_user_is_told(tmp_path: Path) -> None:
    (tmp_path / "r.md").write_text(GOOD)
    with pytest.raises(InputError, match="missing heading"):
        rules.catalogue((str(tmp_path / "r.md"),))


def test_the_list_of_scenarios_is_what_the_full_reader_says() -> None:
    rows = [(name, one.variants[0].model.profile.name, one.variants[0].expected.verdict, one.about) for name in NAMES for one in [scenario(name)]]
    assert listed() == columns(rows)


@pytest.mark.parametrize("arguments", [["rules"], ["explain", "TLB003"], ["simulate", "--list"], ["rules", "--help"], ["hook", "--help"], ["cache", "info"]])
def test_what_only_shows_something_imports_no_analysis(arguments: list[str]) -> None:
    script = f"import sys; sys.argv[1:] = {arguments!r}\nfrom tlblint.cli.main import main\ntry: main()\nfinally: print(*sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.splitlines()[-1].split())
    slow = {"tree_sitter", "jinja2", "subprocess", "tempfile", "traceback", "tlblint.engine", "tlblint.syntax", "tlblint.sim", "tlblint.roles"}
    assert done.stdout and not slow & loaded
