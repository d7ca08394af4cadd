"""Errors in data files: found, and where they are."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlblint.roles import RoleError, load_roles
from tlblint.roles.kinds import KINDS, OPERAND

GOOD = '[[role]]\nnames = ["set_it"]\narity = [2]\nlevel = "pte"\neffects = [{ kind = "entry.install", pte = "0", value = "1" }]\n'
NONE: frozenset[str] = frozenset()


def wrong(text: str, features: frozenset[str] = NONE) -> RoleError:
    with pytest.raises(RoleError) as caught:
        load_roles({"a.toml": text}, features)
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "points_at", "message"),
    [
        ("entry.install", "entry.instal", 'entry.instal"', "unknown effect kind 'entry.instal'"),
        ('value = "1"', 'value = "x"', '"x"', "bad operand 'x' for value"),
        ('value = "1"', 'value = "*ret"', '"*ret"', "bad operand '*ret' for value"),
        ('value = "1"', 'value = "2"', '"2"', "operand '2' for value is past the last of 2 arguments"),
        ('value = "1"', 'value = "*2"', '"*2"', "operand '*2' for value is past the last of 2 arguments"),
        ('value = "1"', 'value = "3.mm"', '"3.mm"', "operand '3.mm' for value is past the last of 2 arguments"),
        ('pte = "0", ', "", "entry.install", "entry.install must bind pte"),
        ('value = "1"', 'tlb = "1"', "tlb =", "entry.install does not bind tlb"),
        ('value = "1"', 'colour = "1"', "colour", "Object contains unknown field `colour`"),
        ('value = "1"', "value = 1", "value = 1", "Expected `str | null`, got `int`"),
        ('value = "1"', 'attrs = ["atomic"]', "atomic", "entry.install does not take the attribute 'atomic'"),
        ('value = "1"', 'when = "ret>0"', "ret>0", "unknown outcome 'ret>0', known are always, ret!=0, ret==0"),
        ('level = "pte"', 'level = "p4d"', "p4d", "unknown level 'p4d'"),
        ("arity = [2]", "arity = [16]", "arity", "an argument count is 0 to 15"),
        ("arity = [2]", "arity = 2", "arity", "Expected `array`, got `int`"),
        ("arity = [2]", 'requirs = "a"', "requirs", "Object contains unknown field `requirs`"),
        ('"other"', '"set it"', "names", "'set it' is not a C identifier"),
        ('"other"', "", "names", "a role needs at least one name"),
        ("arity = [2]", "arity = [2", "level", "Unclosed array"),
    ],
)
def test_where_it_is_wrong(old: str, new: str, points_at: str, message: str) -> None:
    """The second of two roles is wrong, so a place in the first would be too."""
    second = GOOD.replace("set_it", "other")
    assert old in second
    text = GOOD + "\n" + second.replace(old, new)
    error = wrong(text)
    assert error.message == message
    assert error.line > GOOD.count("\n") + 1
    assert text.splitlines()[error.line - 1][error.column - 1 :].startswith(points_at)


def test_a_comment_is_not_the_place() -> None:
    error = wrong("# entry.instal\n" + GOOD.replace("entry.install", "entry.instal").replace("level", "# entry.instal\nlevel"))
    assert error.line == 7


def test_twice_is_an_error_across_files() -> None:
    with pytest.raises(RoleError, match=r"^b\.toml:2:11: set_it with 2 arguments is described twice$"):
        load_roles({"a.toml": GOOD, "b.toml": GOOD}, NONE)


def test_twice_in_a_role_is_an_error() -> None:
    assert wrong(GOOD.replace('["set_it"]', '["set_it", "set_it"]')).message == "set_it with 2 arguments is described twice"


def test_a_feature_may_choose() -> None:
    text = GOOD + 'requires = "f"\n' + GOOD.replace("install", "promote") + 'unless = "f"\n'
    for features, kind in ((frozenset({"f"}), "entry.install"), (NONE, "entry.promote")):
        role = load_roles({"a.toml": text}, features).resolve("set_it", 2)
        assert role is not None and [effect.kind for effect in role.effects] == [kind]


@pytest.mark.parametrize("second", ['requires = "f"', 'unless = "g"', ""])
def test_only_the_opposite_feature_tells_two_apart(second: str) -> None:
    assert "described twice" in wrong(GOOD + 'requires = "f"\n' + GOOD + second + "\n").message


def test_an_error_in_a_role_that_is_off_is_still_one() -> None:
    assert "unknown effect kind" in wrong(GOOD.replace("entry.install", "x") + 'requires = "f"\n').message


def test_nothing_needs_a_reason() -> None:
    text = '[[role]]\nnames = ["f"]\neffects = []\n'
    assert wrong(text).message == "a role without effects needs a note that says why"
    table = load_roles({"a.toml": text + 'note = "because"\n'}, NONE)
    role = table.resolve("f", 7)
    assert role is not None and role.effects == () and table.relevant() == frozenset()


def test_an_exact_count_wins_over_any() -> None:
    table = load_roles({"a.toml": GOOD + '[[role]]\nnames = ["set_it"]\neffects = [{ kind = "sleep" }]\n'}, NONE)
    found = [table.resolve("set_it", count) for count in (1, 2)]
    assert [role.effects[0].kind for role in found if role] == ["sleep", "entry.install"]


def test_other_files_are_passed_over_but_not_nearly_right_ones() -> None:
    assert load_roles({"pure.toml": 'names = ["f"]\n', "a.toml": GOOD}, NONE).names() == {"set_it"}
    assert str(wrong(GOOD.replace("[[role]]", "[[roles]]"))) == "a.toml:1:3: [[roles]] should be [[role]]"


def test_effects_keep_order_operands_and_words() -> None:
    text = '[[role]]\nnames = ["f"]\neffects = [{ kind = "value.derive", from = "*3", value = "ret", attrs = ["keep"] }, { kind = "sleep", when = "ret==0" }]\n'
    role = load_roles({"a.toml": text}, NONE).resolve("f", 4)
    assert role is not None
    assert [(e.kind, dict(e.bind), e.attrs, e.when) for e in role.effects] == [
        ("value.derive", {"from": "*3", "value": "ret"}, {"keep"}, "always"),
        ("sleep", {}, frozenset(), "ret==0"),
    ]


def test_errors_and_tables_cross_processes() -> None:
    error = wrong(GOOD.replace("entry.install", "x"))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.line, again.column) == (str(error), error.line, error.column)
    table = load_roles({"a.toml": GOOD}, NONE)
    assert pickle.loads(pickle.dumps(table)) == table


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_an_error_with_a_place(text: str) -> None:
    try:
        load_roles({"a.toml": text}, NONE)
    except RoleError as error:
        assert 1 <= error.line <= text.count("\n") + 1
        assert error.column >= 1


@given(st.integers(0, len(GOOD)), st.sampled_from(['"', "[", "}", "\n", "=", "#", "[[role]]", "x", "", ",", '"""']), st.integers(0, 5))
def test_a_damaged_role_is_an_error_with_a_place_or_still_a_role(at: int, put: str, drop: int) -> None:
    text = GOOD[:at] + put + GOOD[at + drop :]
    try:
        load_roles({"a.toml": text}, NONE)
    except RoleError as error:
        assert 1 <= error.line <= text.count("\n") + 1
        assert error.file == "a.toml" and error.message


@given(st.integers(0, 15), st.lists(st.from_regex(r"[a-z_]\w{0,5}", fullmatch=True), max_size=3))
def test_operands(index: int, fields: list[str]) -> None:
    for good in (f"{index}", f"*{index}", "ret", ".".join([str(index), *fields])):
        assert OPERAND.fullmatch(good)
    for bad in (f"{index + 16}", f"-{index}", f"**{index}", f"{index}.", f"&{index}", "retx", f"{index}->ptl", f"*{index}.ptl"):
        assert OPERAND.fullmatch(bad) is None


def test_kinds_do_not_contradict_themselves() -> None:
    for kind, what in KINDS.items():
        assert not what.needs & what.may, kind
