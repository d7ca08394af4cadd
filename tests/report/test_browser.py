"""The page in a browser: every tab and key, filters, links, light and dark, without script, and what axe-core says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.browser import Page, axe, chromium
from tests.report.make import report
from tests.report.pages import STYLE, hostile, many, rich, series
from tlblint.report import html
from tlblint.report.view import Report

FIRST, SECOND, LAST = f"f-{'0a' * 8}", f"f-{'0b' * 8}", f"f-{'0c' * 8}"
TABS = ["source", "timeline", "graph", "rule", "mail"]


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    with chromium() as one:
        yield one


Open = Callable[..., Page]


@pytest.fixture
def page(driver: Any, tmp_path: Path) -> Open:
    """Open a report; at the end nobody may have complained and nothing may have been asked for."""

    def opened(made: Report, hash: str = "", **how: Any) -> Page:
        path = tmp_path / "page.html"
        path.write_text(html.render(made, STYLE))
        one = Page(driver, path)
        one.open(hash, **how)
        return one

    return opened


def quiet(one: Page) -> None:
    assert one.complaints() == [] and one.requests() == []


@pytest.mark.parametrize("make", [rich, series, hostile, report, lambda: many(30)])
def test_it_opens_without_a_word_and_asks_for_nothing(page: Open, make: Callable[[], Report]) -> None:
    one = page(make())
    assert one.js("document.documentElement.classList.contains('ready')") is True
    quiet(one)


def test_hostile_text_runs_nothing(page: Open) -> None:
    one = page(hostile())
    assert one.js("document.querySelectorAll('script').length") == 1 and one.js("document.images.length") == 0
    for number in range(1, 6):
        one.key(str(number))
    quiet(one)


def test_keys_for_findings(page: Open) -> None:
    one = page(rich())
    seen = [one.finding()]
    for key in "jjjjjjk":
        one.key(key)
        seen.append(one.finding())
    order = one.js("[...document.querySelectorAll('#list a')].map(a => a.hash.slice(1))")
    assert seen == [*order, order[-1], order[-2]] and seen[0] == FIRST
    assert one.js("document.querySelectorAll('#list a[aria-current]').length") == 1
    quiet(one)


def test_keys_for_tabs(page: Open) -> None:
    one = page(rich())
    for number, name in enumerate(TABS, 1):
        one.key(str(number))
        assert one.tab() == name
    one.key("4")
    assert "What it finds" in one.seen(".finding.on .rule h3")
    one.key("2")
    assert one.js("document.querySelector('.finding.on .lanes').getBoundingClientRect().height > 100")
    quiet(one)


def test_every_step_shows_the_state_of_the_automaton(page: Open) -> None:
    one = page(rich())
    assert one.seen(".finding.on .s var") == ["clean → obligation starts", "open", "open", "open → violated"]


def test_a_tab_that_a_finding_does_not_have_is_off(page: Open) -> None:
    one = page(rich(), f"f={LAST}&tab=timeline")
    assert one.tab() == "source" and one.js("document.querySelector('#tab-timeline').disabled") is True
    one.key("2")
    assert one.tab() == "source"


def test_keys_for_steps_in_source_and_timeline(page: Open) -> None:
    one = page(rich())
    for key, number in (("n", 1), ("n", 2), ("n", 3), ("p", 2), ("n", 3), ("n", 4), ("n", 4)):
        one.key(key)
        marked = one.js("[...document.querySelectorAll('.finding.on .panel.on .sel')].map(e => Number(e.dataset.n))")
        assert marked == [number]
    one.key("2", "n", "n", "n")
    marked = one.js("[...document.querySelectorAll('.finding.on .panel.on .sel')].map(e => [e.tagName, Number(e.dataset.n)])")
    assert marked == [["TR", 3]]
    same = one.js("[...document.querySelectorAll('.finding.on .panel[data-tab=source] .sel')].map(e => e.dataset.p)")
    assert same == ["mm/a.c:4"]  # the step's line in the other view
    quiet(one)


def test_the_marked_step_is_told_thing_by_thing(page: Open) -> None:
    one = page(rich(), "tab=timeline&step=3")
    rows = "[...document.querySelectorAll('.finding.on .state tr')].map(r => [r.className, ...[...r.cells].map(c => c.textContent)])"
    assert one.js(rows) == [
        ["", "", "before", "after"], ["", "TLB of CPU1", "a: page 1, write", "a: page 1, write"], ["now", "PTE a", "page 1, write", "none"],
        ["", "batch", "empty", "empty"], ["", "promise", "none", "none"], ["", "page 1", "clean", "clean"],
    ]  # fmt: skip
    one.key("n")
    assert one.js(rows)[3] == ["now", "batch", "empty", "CPU1 pending"] and one.js(rows)[2] == ["", "PTE a", "none", "none"]
    one.key("p", "p", "p", "1")
    assert one.seen(".state") == []
    quiet(one)


def test_clicking_a_row_of_the_timeline_selects_it(page: Open) -> None:
    one = page(rich(), "tab=timeline")
    one.js("document.querySelector('.finding.on .lanes [data-n=\"5\"]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    assert "step=5" in one.hash()


def test_keys_for_patches(page: Open) -> None:
    one = page(series())
    counts = []
    for key in ("]", "]", "]", "[", "[", "["):
        one.key(key)
        counts.append((one.seen(".strip button[aria-pressed=true] b"), len(one.seen("#list li"))))
    assert counts == [(["1"], 1), (["2"], 1), (["3"], 3), (["2"], 1), (["1"], 1), ([], 4)]
    one.click(".strip button[data-patch='3']")
    assert "patch=3" in one.hash() and len(one.seen("#list li")) == 3
    quiet(one)


def test_the_filter_takes_words_and_says_how_many(page: Open) -> None:
    one = page(rich())
    one.key("/")
    assert one.js("document.activeElement.id") == "q"
    one.type("batched n")
    assert one.seen("#list li a") and len(one.seen("#list li")) == 1 and one.finding() == FIRST
    assert one.js("document.querySelector('#count').textContent") == "1 of 6 findings."
    one.type("zzz")
    assert one.seen("#list li") == [] and one.seen("#none") == ["No finding passes the filter."] and one.seen(".finding") == []
    from selenium.webdriver.common.keys import Keys

    one.key(Keys.ESCAPE)
    assert len(one.seen("#list li")) == 6 and one.js("document.activeElement.tagName") == "BODY"
    quiet(one)


def test_toggles_hide_and_count(page: Open) -> None:
    one = page(rich())
    one.click("[data-key=sev] [data-value=error]")
    assert len(one.seen("#list li")) == 2 and "off=sev.error" in one.hash()
    assert one.js("document.querySelector('[data-key=sev] [data-value=error]').getAttribute('aria-pressed')") == "false"
    assert one.seen("[data-key=sev] .count") == ["4", "1", "1"]  # how many each would show
    assert one.seen("[data-key=state] .count") == ["2", "0", "0"]
    one.click("[data-key=verdict] [data-value=conditional]")
    assert len(one.seen("#list li")) == 1
    one.click("#clear")
    assert len(one.seen("#list li")) == 6 and "off" not in one.hash()


def test_grouping_by_rule_and_back(page: Open) -> None:
    one = page(rich())
    assert one.seen("#list h2") == ["mm/a.c", "mm/b.c"]
    one.js("(() => { const by = document.querySelector('#by'); by.value = 'rule'; by.dispatchEvent(new Event('change')); })()")
    assert one.seen("#list h2") == ["TLB001", "TLB003", "TLB902"] and len(one.seen("#list li")) == 6
    one.key("j")
    assert one.finding() == SECOND and "by=rule" in one.hash()
    one.js("(() => { const by = document.querySelector('#by'); by.value = 'file'; by.dispatchEvent(new Event('change')); })()")
    assert one.seen("#list h2") == ["mm/a.c", "mm/b.c"] and len(one.seen("#list li")) == 6


def test_a_link_opens_the_same_view(page: Open) -> None:
    one = page(rich())
    one.key("j", "2", "n", "n", "t", "/")
    one.type("lazy")
    hash = one.hash()
    before = (one.finding(), one.tab(), one.seen("#list li"), one.js("document.documentElement.dataset.theme"))
    assert before[0] == SECOND and before[1] == "timeline" and before[3] == "dark"
    one.open(hash.lstrip("#"))
    assert (one.finding(), one.tab(), one.seen("#list li"), one.js("document.documentElement.dataset.theme")) == before
    assert one.hash() == hash and one.js("document.querySelector('#q').value") == "lazy"
    assert one.js("document.querySelectorAll('.finding.on .panel.on .sel').length") > 0


def test_a_plain_anchor_works_and_a_wrong_hash_does_no_harm(page: Open) -> None:
    one = page(rich(), SECOND)
    assert one.finding() == SECOND
    for odd in ("nothing", "f=nothing&tab=x&step=-4&by=z&off=a.b,c", "%", "rule-TLB001", "f=%3Cscript%3E&q=%22"):
        one.open(odd)
        assert one.js("document.documentElement.classList.contains('ready')") is True
        quiet(one)
    one.open("rule-TLB001")
    assert one.js("document.querySelector('#rule-TLB001').open") is True


def test_the_address_can_be_changed_by_hand(page: Open) -> None:
    one = page(rich())
    one.js("(() => { location.hash = arguments[0]; })()".replace("arguments[0]", f"'f={LAST}'"))
    assert one.js("new Promise(done => setTimeout(() => done(document.querySelector('.finding.on').id), 50))") == LAST


def test_light_and_dark_follow_the_system_until_told(page: Open) -> None:
    one = page(rich(), dark=True)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = one.js(ground)
    one.key("t")
    light = one.js(ground)
    assert (dark, light) == ("rgb(20, 22, 26)", "rgb(255, 255, 255)") and "theme=light" in one.hash()
    one.open()
    assert one.js(ground) == light
    one.click("#theme")
    assert one.js(ground) == dark and one.js("document.querySelector('#theme').textContent") == "Light"


def test_help_opens_and_closes(page: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    one = page(rich())
    one.key("?")
    assert one.js("document.querySelector('#keys').open") is True
    one.key("j")
    assert one.finding() == FIRST  # keys rest while the dialog is open
    one.key(Keys.ESCAPE)
    assert one.js("document.querySelector('#keys').open") is False


def test_expand_all_shows_everything_and_escape_ends_it(page: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    one = page(rich())
    one.key("x")
    assert len(one.js("[...document.querySelectorAll('.finding')].filter(e => e.checkVisibility())")) == 6
    ends = "[...document.querySelectorAll('.finding .use')]"
    for number in range(6):  # what comes into view is filled
        one.js(f"(() => {{ document.querySelectorAll('.finding')[{number}].scrollIntoView(); }})()")
        one.js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))")
    assert one.js(f"{ends}.filter(e => e.checkVisibility()).length") == 6
    assert one.js("document.querySelectorAll('.finding details.rule').length") == 0
    one.key(Keys.ESCAPE)
    assert one.finding() == FIRST


def test_copying_the_link(page: Open) -> None:
    one = page(rich())
    one.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    one.key("j", "y")
    assert one.js("navigator.clipboard.readText()") == one.js("location.href")
    one.click(".finding.on .use .copy button")
    assert one.js("navigator.clipboard.readText()") == "tlblint check --tree demo --select TLB003 mm/a.c"
    quiet(one)


def test_keys_are_letters_while_somebody_types(page: Open) -> None:
    one = page(rich())
    one.key("/")
    one.type("jx2")
    assert one.js("document.querySelector('#q').value") == "jx2" and "all" not in one.hash() and "tab" not in one.hash()


def test_one_link_and_one_tab_are_in_the_order_of_tab(page: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    one = page(rich())
    for place in ("#list a", "[role=tab]"):
        assert one.js(f"[...document.querySelectorAll('{place}')].filter(e => e.tabIndex === 0).length") == 1
    one.js("document.querySelector('#list a[tabindex=\"0\"]').focus()")
    one.key(Keys.ARROW_DOWN)
    assert one.finding() == SECOND and one.js("document.activeElement.hash") == f"#{SECOND}"
    one.js("document.querySelector('[role=tab][tabindex=\"0\"]').focus()")
    one.key(Keys.ARROW_RIGHT)
    assert one.tab() == "timeline" and one.js("document.activeElement.id") == "tab-timeline"


def test_the_first_thing_in_the_order_of_tab_skips_to_the_findings(page: Open) -> None:
    from selenium.webdriver.common.keys import Keys

    one = page(rich())
    one.key(Keys.TAB)
    assert one.js("document.activeElement.textContent") == "Skip to the findings"
    one.key(Keys.ENTER)
    assert one.js("document.activeElement.id") == "findings"


@pytest.mark.parametrize("tab", TABS)
@pytest.mark.parametrize(("width", "dark"), [(1300, False), (380, True)])
def test_nothing_is_wider_than_the_window(page: Open, tab: str, width: int, dark: bool) -> None:
    one = page(rich(), f"tab={tab}", width=width, dark=dark)
    assert one.js("document.documentElement.scrollWidth") <= width


def test_hostile_names_do_not_widen_the_page(page: Open) -> None:
    one = page(hostile(), width=380)
    assert one.js("document.documentElement.scrollWidth") <= 380


def test_it_reads_without_script(page: Open) -> None:
    one = page(rich())
    one.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        one.open()
        quiet(one)
        one.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        assert one.js("document.documentElement.className") == ""
        assert len(one.seen(".finding h3")) == 6 and one.seen(".js") == []
        one.click(f"#{FIRST} .body > summary")
        assert one.seen(f"#{FIRST} .panel h4") == ["Source", "Timeline", "Graph", "Rule", "Mail"]
        assert len(one.seen(f"#{FIRST} .s")) == 4
        one.click(f"#list a[href='#{LAST}']")
        assert one.hash() == f"#{LAST}"
    finally:
        one.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_many_findings_read_without_script_and_by_link(page: Open) -> None:
    """What is behind them is text for a browser that runs scripts, until it is asked for."""
    one = page(many(100), f"f=f-{99:016x}&step=2")
    assert one.finding() == f"f-{99:016x}" and one.js("document.querySelectorAll('.sel').length") == 1
    one.key("k")
    assert one.finding() == f"f-{98:016x}" and one.tab() == "source" and one.js("document.querySelectorAll('.finding noscript').length") == 98
    quiet(one)
    one.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        one.open()
        quiet(one)
        one.click(".finding:last-of-type .body > summary")
        one.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
        assert one.seen(".finding:last-of-type .panel h4") == ["Source", "Graph", "Rule", "Mail"]
    finally:
        one.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_a_timeline_has_arrows_where_its_columns_are(page: Open) -> None:
    one = page(rich(), "tab=timeline")
    ends = "[...document.querySelectorAll('.finding.on .arrows path')].map(e => e.getBoundingClientRect()).map(r => [r.left, r.right])"
    boxes = "[...document.querySelectorAll('.finding.on .lanes .c')].map(e => e.getBoundingClientRect()).map(r => [r.left, r.right])"
    assert len(one.js(ends)) == 2 and len(one.js(boxes)) == 10
    for left, right in one.js(ends):
        assert any(abs(left - edge) < 20 for box in one.js(boxes) for edge in box) and any(abs(right - edge) < 20 for box in one.js(boxes) for edge in box)
    one.key("1")
    one.key("2")
    assert len(one.js(ends)) == 2


def test_print_shows_every_finding(page: Open) -> None:
    one = page(rich())
    one.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        one.js("dispatchEvent(new Event('beforeprint'))")
        assert len(one.seen(".finding h3")) == 6 and one.seen("nav") == [] and len(one.seen(f"#{FIRST} .panel h4")) == 5
    finally:
        one.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_a_thousand_findings_filter(page: Open) -> None:
    one = page(many(1000))
    assert one.js("document.querySelectorAll('main *').length") < 20_000  # what is behind all but one is text
    assert one.js("document.querySelectorAll('.panel').length") == 4 and len(one.seen(".panel .s")) == 4
    one.key("/")
    one.type("fn_99")
    assert len(one.seen("#list li")) == 11
    one.open("q=fn_7&off=sev.error,sev.note")
    assert 0 < len(one.seen("#list li")) < 111
    quiet(one)


@pytest.mark.parametrize(
    ("make", "hash", "dark", "width"),
    [
        *((rich, f"tab={tab}&step=1", dark, width) for tab in TABS for dark, width in ((False, 1300), (True, 380))),
        (rich, "all=1", False, 1300), (series, "patch=1", True, 1300), (report, "", False, 380), (hostile, "", False, 1300),
    ],
)  # fmt: skip
def test_axe_finds_nothing_serious(page: Open, make: Callable[[], Report], hash: str, dark: bool, width: int) -> None:
    source = axe()
    one = page(make(), hash, dark=dark, width=width)
    one.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": source})
    found = one.js("axe.run(document, {resultTypes: ['violations']})")["violations"]
    grave = [(rule["id"], rule["impact"], [node["html"][:160] for node in rule["nodes"]][:3]) for rule in found if rule["impact"] in ("serious", "critical")]
    assert grave == []
