"""Settings: who wins, and what a tree may not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Write, git
from tlblint.io.config import Settings, load
from tlblint.io.errors import InputError
from tlblint.io.tree import Worktree, open_tree


def settings(top: Path, **flags: object) -> Settings:
    tree = Worktree(str(top))
    return load(tree, tree.top, {name.replace("_", "-"): value for name, value in flags.items()})


def test_each_layer_beats_the_one_before(repository: Write) -> None:
    top = repository({"tlblint.toml": b'fail-on = "note"\nprofile = ["x86-64"]\nselect = "TLB003"\njobs = 3\n'})
    git(top, "config", "tlblint.failOn", "warning")
    git(top, "config", "--add", "tlblint.profile", "sparc64")
    git(top, "config", "--add", "tlblint.profile", "arm64,s390")
    found = settings(top, fail_on="never", profile=(), jobs=None)
    assert (found["fail-on"].value, found["fail-on"].origin) == ("never", "--fail-on")
    assert (found["profile"].value, found["profile"].origin) == (("sparc64", "arm64", "s390"), "git config (local)")
    assert (found["select"].value, found["select"].origin) == (("TLB003",), "tlblint.toml")
    assert found["jobs"].value == 3
    assert (found["color"].value, found["color"].origin) == ("auto", "default")


def test_a_narrower_git_scope_replaces_a_list(repository: Write) -> None:
    top = repository({"a.c": b""})
    git(top, "config", "--global", "tlblint.profile", "everywhere")
    git(top, "config", "tlblint.profile", "here")
    assert settings(top)["profile"].value == ("here",)


def test_pyproject_table_and_precedence(repository: Write) -> None:
    top = repository({"pyproject.toml": b"[tool.tlblint]\njobs = 7\n[tool.other]\n"})
    assert (settings(top)["jobs"].value, settings(top)["jobs"].origin) == (7, "pyproject.toml")
    (top / "tlblint.toml").write_bytes(b"jobs = 2\n")
    assert settings(top)["jobs"].value == 2


@pytest.mark.parametrize("raw", [b"[tool.x]\n", b"[tool]\n", b"not toml = = \n", b"\xff"])
def test_a_pyproject_that_says_nothing_of_us_is_not_our_business(repository: Write, raw: bytes) -> None:
    assert settings(repository({"pyproject.toml": raw}))["jobs"].origin == "default"


def test_a_revision_has_its_own_configuration(repository: Write) -> None:
    top = repository({"tlblint.toml": b"jobs = 2\n"})
    (top / "tlblint.toml").write_bytes(b"jobs = 9\n")
    tree = open_tree(str(top), None, "HEAD")
    assert load(tree, tree.top, {})["jobs"].value == 2
    tree.close()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"a = 1\nfail-on = \n", "tlblint.toml:2:11: not valid TOML"),
        (b"x = '''", "tlblint.toml:1: not valid TOML"),
        (b"\n\xff", "tlblint.toml:2: not UTF-8"),
        (b"nope = 1", "unknown setting 'nope'; known ones: baseline"),
        (b"jobs = -1", "jobs must be a whole number from 0 to 1024"),
        (b"jobs = true", "jobs must be a whole number"),
        (b"fail-on = 'bad'", "fail-on is 'bad'; choose from error, warning, note, never"),
        (b"profile = [1]", "profile must be a list of strings"),
        (b"fail-on-incomplete = 1", "must be true or false"),
        (b"color = []", "color must be a string"),
        (b"format = ['json=/etc/passwd']", "format must not name an output file"),
        (b"baseline = '../other'", r"\.\./other lies outside of the tree"),
        (b"baseline = '/etc/passwd'", "/etc/passwd lies outside of the tree"),
        (b"baseline = '.git/config'", "lies outside of the tree"),
        (b"baseline = 'link/x'", "link/x lies outside of the tree"),
        (b"rules = ['ok.md', '../r.md']", r"\.\./r\.md lies outside of the tree"),
        (b"jobs = " + b"[" * 5000, "^tlblint.toml: lists or tables are nested too deeply; "),
        (b"jobs = " + b"{a=" * 5000, "^tlblint.toml: lists or tables are nested too deeply; "),
        (b"color = 'auto'\njobs = " + b"9" * 5000, "^tlblint.toml:2: a number is too long; "),
        (b"jobs = 0x" + b"f" * 5000, "^tlblint.toml: jobs must be a whole number"),
        (b'baseline = "a\\u0000b"', r"^tlblint.toml: 'a\\x00b' cannot be a file name; "),
        (b'rules = ["a\\u0000b"]', r"^tlblint.toml: 'a\\x00b' cannot be a file name; "),
        (b'select = [""]', "^tlblint.toml: select holds an empty string; name something there"),
        (b'profile = " "', "^tlblint.toml: profile holds an empty string; "),
        (b'baseline = ""', "^tlblint.toml: baseline is empty; "),
    ],
)
def test_a_broken_or_greedy_file_is_refused_in_one_line(repository: Write, raw: bytes, message: str) -> None:
    top = repository({"tlblint.toml": raw})
    (top / "link").symlink_to("..")
    with pytest.raises(InputError, match=message) as caught:
        settings(top)
    assert "\n" not in str(caught.value)


def test_pyproject_is_read_with_the_same_care(repository: Write) -> None:
    with pytest.raises(InputError, match=r"^pyproject\.toml: lists or tables are nested too deeply"):
        settings(repository({"pyproject.toml": b"[tool.tlblint]\njobs = " + b"[" * 5000}))


def test_files_of_the_tree_are_found_from_its_top(repository: Write) -> None:
    top = repository({"tlblint.toml": b"baseline = 'tools/known.txt'\nrules = ['r.md']\n"})
    assert settings(top)["baseline"].value == str(top / "tools/known.txt")
    assert settings(top)["rules"].value == (str(top / "r.md"),)


def test_the_repository_configuration_may_not_name_files_outside_but_the_user_may(repository: Write, tmp_path: Path) -> None:
    top = repository({"a.c": b""})
    git(top, "config", "--global", "tlblint.baseline", str(tmp_path / "mine"))
    assert settings(top)["baseline"].value == str(tmp_path / "mine")
    git(top, "config", "tlblint.baseline", "../other")
    with pytest.raises(InputError, match="lies outside of the tree"):
        settings(top)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("jobs", "x", "'x' is not a number"), ("failOnIncomplete", "maybe", "not a boolean"), ("color", "red", "color is 'red'")],
)
def test_broken_git_settings(repository: Write, key: str, value: str, message: str) -> None:
    top = repository({"a.c": b""})
    git(top, "config", f"tlblint.{key}", value)
    with pytest.raises(InputError, match=message):
        settings(top)


def test_git_booleans_and_foreign_keys(repository: Write) -> None:
    top = repository({"a.c": b""})
    git(top, "config", "tlblint.fail-on-incomplete", "yes")
    git(top, "config", "tlblint.somethingElse", "x")
    assert settings(top)["fail-on-incomplete"].value is True
