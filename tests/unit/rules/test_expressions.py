"""Conditions: meaning against a slow interpreter, and messages for what is refused."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.profiles import examples

from rules.columns import Sheet, TableColumns
from rules.expressions import ExpressionError, compile_condition
from rules.feature_types import FeatureType

_spec = importlib.util.spec_from_file_location("oracle", Path(__file__).parent / "oracle.py")
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)

SCHEMA = {
    "a": FeatureType(),
    "b": FeatureType(),
    "signal.drop": FeatureType(),
    "flag": FeatureType("bool"),
    "value_class": FeatureType("category", values=("high", "mid", "low")),
    "region": FeatureType("category"),
}
PARAMS = {"p": 2.0, "on": True, "grade": "high"}

numbers = st.recursive(
    st.sampled_from(["a", "b", "signal.drop", "0", "1", "2.5", "params.p", "-1"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda x: f"abs({x})"),
        inner.map(lambda x: f"-({x})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
    ),
    max_leaves=4,
)
comparators = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
texts = st.sampled_from(["'high'", "'mid'", "params.grade"])
leaf_conditions = st.one_of(
    st.tuples(numbers, comparators, numbers).map(" ".join),
    st.tuples(numbers, comparators, numbers, comparators, numbers).map(" ".join),
    st.sampled_from(["flag", "not flag", "flag == True", "False != flag", "params.on", "params.on == params.on"][:5]),
    st.sampled_from(["has(a)", "has(flag)", "not has(region)", "has(value_class)"]),
    st.tuples(st.just("value_class"), st.sampled_from(["==", "!="]), texts).map(" ".join),
    st.sampled_from(["value_class in ['high', 'low']", "value_class not in ('mid', params.grade)", "a in [1, 2.5]"]),
    st.sampled_from(["region == 'north'", "region not in ['north', 'never seen']", "'north' != region"]),
)
conditions = st.recursive(
    leaf_conditions,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' and '.join(parts)})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({' or '.join(parts)})"),
        inner.map(lambda x: f"(not {x})"),
    ),
    max_leaves=6,
)
some_number = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.0, 2.5, -1.0]), st.floats(-5, 5, allow_nan=False))
rows = st.lists(
    st.fixed_dictionaries({
        "a": some_number,
        "b": some_number,
        "signal.drop": some_number,
        "flag": st.sampled_from([None, True, False]),
        "value_class": st.sampled_from([None, "high", "mid", "low"]),
        "region": st.sampled_from([None, "north", "south"]),
    }),
    min_size=1,
    max_size=5,
)  # fmt: skip


def compiled_or_constant(text):
    try:
        return compile_condition(text, SCHEMA, PARAMS)
    except ExpressionError as error:
        faults = error.faults
    assert all("is always" in fault.message or "division by zero" in fault.message for fault in faults), (text, faults)
    return None


@settings(max_examples=examples(80), deadline=None)
@given(conditions, rows)
def test_mask_and_clauses_agree_with_the_three_valued_interpreter(text, table):
    compiled = compiled_or_constant(text)
    if compiled is None:
        return
    columns = TableColumns(table, SCHEMA)
    expected = [oracle.holds(text, row, PARAMS) for row in table]
    assert compiled.evaluate(columns).tolist() == [state is True for state in expected]
    assert compiled.negated().evaluate(columns).tolist() == [state is False for state in expected]
    for i, row in enumerate(table):
        for clause in compiled.clauses(columns, i):
            assert clause.state == oracle.holds(clause.text, row, PARAMS), clause
        if expected[i]:
            assert all(row[name] is not None for name in compiled.known)


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(conditions, min_size=2, max_size=4), rows)
def test_rules_sharing_a_sheet_do_not_change_each_other(many, table):
    columns = TableColumns(table, SCHEMA)
    compiled = [one for text in many if (one := compiled_or_constant(text))]
    alone = [one.evaluate(columns).tolist() for one in compiled]
    sheet = Sheet(columns)
    assert [one.evaluate(sheet).tolist() for one in compiled] == alone
    assert [one.evaluate(sheet).tolist() for one in reversed(compiled)] == alone[::-1]


def test_a_shared_comparison_is_computed_once():
    class Counting(TableColumns):
        fetched = 0

        def __getitem__(self, name):
            Counting.fetched += 1
            return super().__getitem__(name)

    sheet = Sheet(Counting([{"a": 1.0}], SCHEMA))
    for text in ("a > 0 and b < 1", "0 < a", "not (a <= 0)"):
        compile_condition(text, SCHEMA).evaluate(sheet)
    assert list(sheet.masks) == ["(a > 0.0)", "(b < 1.0)", "((a > 0.0) and (b < 1.0))"]
    assert Counting.fetched == 2


def test_masks_are_read_only():
    mask = compile_condition("a > 0", SCHEMA).evaluate(TableColumns([{"a": 1.0}], SCHEMA))
    with pytest.raises(ValueError, match="read-only"):
        mask[0] = False


def test_division_by_a_zero_in_the_data_is_unknown():
    compiled = compile_condition("a / b > 1 or a / b <= 1", SCHEMA)
    assert compiled.evaluate(TableColumns([{"a": 1.0, "b": 0.0}], SCHEMA)).tolist() == [False]


def test_rows_do_not_depend_on_the_batch_they_are_in():
    table = [{"a": x, "b": y} for x, y in np.random.default_rng(1).normal(size=(257, 2))]
    compiled = compile_condition("a * 0.1 + b / 3 - a * b > 0.01 * a", SCHEMA)
    together = compiled.evaluate(TableColumns(table, SCHEMA)).tolist()
    assert together == [bool(compiled.evaluate(TableColumns([row], SCHEMA))[0]) for row in table]


def test_features_and_known():
    compiled = compile_condition("(a > 1 and not has(b)) or (a > 2 and flag)", SCHEMA)
    assert compiled.features == {"a", "b", "flag"}
    assert compiled.known == {"a"}


def test_line_breaks_are_blanks():
    assert compile_condition("\n  a > 1\n  and b > 2\n", SCHEMA).features == {"a", "b"}


REFUSED = {
    "": [(0, "the condition is empty")],
    "   ": [(0, "the condition is empty")],
    "aa > 1": [(0, "no feature `aa`; did you mean `a`?")],
    "a > 1 and signal.dorp >= 1 and x9 < 2": [
        (10, "no feature `signal.dorp`; did you mean `signal.drop`?"),
        (31, "no feature `x9`"),
    ],
    "a > params.q": [(4, "no parameter `params.q`; did you mean `params.p`?")],
    "a": [(0, "a yes or no is needed here, but `a` (a number) stands alone: compare it with something")],
    "not value_class": [(4, "a yes or no is needed here, but `value_class` (a category) stands alone")],
    "flag > 1": [(7, "`flag` (yes/no) has no order")],
    "flag == 1": [(8, "cannot compare `flag` (yes/no) with a number")],
    "a == True": [(0, "cannot compare `a` (a number) with True")],
    "a == 'high'": [(0, "cannot compare `a` (a number) with the text 'high'")],
    "value_class == 'hihg'": [(15, "`value_class` is never 'hihg'; did you mean `high`?")],
    "value_class in ['gold']": [(16, "`value_class` is never 'gold'; there are high, mid, low")],
    "value_class < 'mid'": [(14, "`value_class` (a category) has no order")],
    "value_class == region": [(15, "cannot compare `value_class` (a category) with `region` (a category)")],
    "a + flag > 1": [(4, "a number is needed here, not `flag` (yes/no)")],
    "a in 3": [(5, "`in` needs a list of values")],
    "a in []": [(5, "`in` needs a list of values")],
    "a in ['x']": [(5, "the list must hold only what `a` (a number) can be compared with")],
    "a > 1 & b > 2": [(4, "`1 & b` is not part of the condition language")],
    "a && b": [(2, "write `and` instead of `&&`")],
    "a > 1 || b > 2": [(6, "write `or` instead of `||`")],
    "!flag": [(0, "write `not` instead of `!`")],
    "a = 1": [(2, "write `==` to compare")],
    "a => 1": [(2, "write `<=` or `>=`, with the `=` last")],
    "a > 40%": [(4, "`40%` is a share, but a plain number is wanted here")],
    "a ＞ 1": [(2, "full-width `＞`: write `>`")],
    "value_class == “high”": [(15, 'full-width `“`: write `"`')],
    "a > １": [(4, "full-width `１`: write `1`")],
    "a ≥ 1": [(2, "write `>=` instead of `≥`")],
    "a≤1": [(1, "write `<=` instead of `≤`")],
    "a ≠ 1": [(2, "write `!=` instead of `≠`")],
    "a > 1 且 flag": [(6, "write `and` instead of `且`")],
    "a > 1且 flag": [(5, "write `and` instead of `且`")],
    "a > 1 或flag": [(6, "write `or` instead of `或`")],
    "非 flag": [(0, "write `not` instead of `非`")],
    "非flag": [(0, "no feature `非flag`; write `not` instead of `非`, with blanks around it")],
    "a > ¥30": [(4, "write the unit after the number, as in `30 元`, instead of `¥`")],
    "a > 30￥": [(6, "write the unit after the number, as in `30 元`, instead of `￥`")],
    "a\u00a0> 1": [(1, "a blank that is none (U+00A0) stands in it: write a plain one")],
    "a\u200b > 1": [(1, "an invisible character (U+200B) stands in it: delete it")],
    "a > 1 AND b > 1": [(6, "write `and`, `or`, `not` in small letters")],
    "a > 1 # note": [(6, "`#` is not part of the language")],
    "a is None": [(5, "write has(x) or not has(x)")],
    "a == None": [(5, "None is not a value here")],
    "flag == true": [(8, "write True")],
    "a ** 2 > 1": [(0, "`a ** 2` is not part of the condition language")],
    "a % 2 > 1": [(0, "`a % 2` is not part of the condition language")],
    "a.b.c > 1": [(0, "no feature `a.b.c`")],
    "a[0] > 1": [(0, "`a[0]` is not part of the condition language")],
    "(lambda: 1)() > a": [(0, "this is no function")],
    "__import__('os').system('x') > a": [(0, "this is no function")],
    "open('x') > a": [(0, "no function `open`")],
    "mx(a, 1) > 1": [(0, "no function `mx`; there are has, abs, min, max; did you mean `max`?")],
    "abs(a, b) > 1": [(0, "abs(..) takes one number")],
    "min(a) > 1": [(0, "min(..) takes 2 to 8 numbers")],
    "max(*[a, b]) > 1": [(0, "max(..) takes 2 to 8 numbers")],
    "has(a + 1)": [(0, "has(..) takes the name of one feature")],
    "has(params.p)": [(0, "has(..) takes the name of one feature")],
    "has(aa)": [(4, "no feature `aa`; did you mean `a`?")],
    "has(a) > 1": [(0, "has(..) is a yes or no and cannot be used as a value")],
    "(a > 1) + 1 > 2": [(1, "a yes or no cannot be used as a value")],
    "f'{a}' == region": [(0, "`f'{a}'` is not part of the condition language")],
    "a > 1 if flag else b > 1": [(0, "`a > 1 if flag else b > 1` is not part of the condition language")],
    "a > 1e999": [(4, "the number is too large")],
    "a > 1j": [(4, "only numbers, texts, True and False can be written here")],
    "a / 0 > 1": [(0, "division by zero")],
    "a > (1": [(4, "cannot be read here ('(' was never closed)")],
    "a > 1) or (b > 1": [(5, "cannot be read here (unmatched ')')")],
    "a >": [(2, "cannot be read here (invalid syntax)")],
    "a > 1; b": [(5, "cannot be read here (invalid syntax)")],
    "1 < 2": [(0, "the condition is always true: no feature can change it")],
    "a > 1 and not params.on": [(0, "the condition is always false: no feature can change it")],
    "a > '\0'": [(None, "null bytes")],
    "region == '北京' and aa > 1": [(19, "no feature `aa`")],
    "a > " + "9" * 400: [(4, "the number is too large")],
    "a > " + "9" * 3000: [(2000, "the condition is longer than 2,000 characters")],
    "(" * 300 + "a" + ")" * 300: [(None, "too many nested parentheses")],
    "a > " + "-" * 100 + "1": [(None, "nested more than 64 deep")],
    "not " * 490 + "flag": [(None, "nested more than 64 deep")],
    "+".join("a" * 90) + " > 1": [(None, "nested more than 64 deep")],
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:30]))
def test_refused_with_place_and_mend(text):
    with pytest.raises(ExpressionError) as caught:
        compile_condition(text, SCHEMA, PARAMS)
    faults = caught.value.faults
    assert len(faults) == len(REFUSED[text]), faults
    for fault, (offset, message) in zip(faults, REFUSED[text], strict=True):
        assert message in fault.message
        assert offset is None or fault.offset == offset, fault


@settings(max_examples=examples(100), deadline=None)
@given(st.text(alphabet=st.sampled_from("ab<>=!&|()[]'\".,+-*/ 0１，#\n\\xnotandrhs{}%:;lambda"), max_size=40))
def test_no_text_gives_anything_but_a_condition_or_its_faults(text):
    faults = ()
    try:
        compile_condition(text, SCHEMA, PARAMS)
    except ExpressionError as error:
        faults = error.faults
    assert all(0 <= fault.offset <= max(len(text), 1) for fault in faults)
