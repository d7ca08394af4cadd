"""The page of real kernels: it keeps its sizes without losing anything. Wants TLBLINT_KERNELS, a directory with linux-source-VERSION trees."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.report.page_parser import Page
from tests.report.pages import STYLE
from tlblint.app.check import check
from tlblint.app.request import Request
from tlblint.report import html


@pytest.mark.parametrize("version", ["6.12", "7.3"])
def test_findings_of_a_kernel_fit(version: str) -> None:
    top = Path(os.environ.get("TLBLINT_KERNELS", "")) / f"linux-source-{version}"
    if "TLBLINT_KERNELS" not in os.environ or not top.is_dir():
        pytest.skip(f"no kernel {version} here")
    made = check(Request(cwd=str(top), tree=str(top), paths=("mm", "fs/proc"))).report
    text = html.render(made, STYLE)
    page = Page(text)
    articles = re.findall(r"<article.*?</article>", text, re.DOTALL)
    assert page.problems == [] and len(articles) == len(made.findings) > 3
    assert max(len(one.encode()) for one in articles) <= html.FINDING
    assert text.count("class=lanes") == sum(finding.witness is not None for finding in made.findings)  # no interleaving is left out
    assert text.count("data-tab=mail") == len(articles) and "without graph and mail" not in text and "places only" not in text
