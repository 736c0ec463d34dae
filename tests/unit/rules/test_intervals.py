"""What intervals say of conditions, against trying all values."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from support.profiles import examples

from rules.columns import TableColumns
from rules.expressions import compile_condition
from rules.feature_types import FeatureType
from rules.intervals import impossible, overlap

SCHEMA = {
    "a": FeatureType(),
    "flag": FeatureType("bool"),
    "grade": FeatureType("category", values=("x", "y", "z")),
}
NUMBERS = [None, -1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0]
POINTS = [
    {"a": a, "flag": flag, "grade": grade}
    for a, flag, grade in product(NUMBERS, [None, True, False], [None, "x", "y", "z"])
]
TABLE = TableColumns(POINTS, SCHEMA)
leaves = st.one_of(
    st.tuples(st.just("a"), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), st.sampled_from(["0", "0.5", "1", "2"])).map(" ".join),
    st.sampled_from(["flag", "not flag", "has(a)", "not has(a)", "has(grade)", "not has(flag)", "a in [0, 1]", "a not in [0, 2]"]),
    st.sampled_from(["grade == 'x'", "grade != 'x'", "grade in ['x', 'y']", "grade not in ['y', 'z']"]),
)  # fmt: skip
conditions = st.recursive(
    leaves,
    lambda inner: st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(lambda t: f"({''.join(t)})"),
    max_leaves=4,
)


@settings(max_examples=examples(60), deadline=None)
@given(conditions, conditions)
def test_overlap_and_impossible_agree_with_trying(first, second):
    a, b = compile_condition(first, SCHEMA), compile_condition(second, SCHEMA)
    both = a.evaluate(TABLE) & b.evaluate(TABLE)
    found = overlap(a.condition, b.condition, SCHEMA)
    assert (found is not None) == both.any()
    assert impossible(a.condition, SCHEMA) == (not a.evaluate(TABLE).any())
    if found is not None:
        at = TableColumns([{"a": None, "flag": None, "grade": None} | found], SCHEMA)
        assert a.evaluate(at)[0]
        assert b.evaluate(at)[0]


@settings(max_examples=examples(50), deadline=None)
@given(conditions)
def test_the_default_clearing_condition_never_contradicts(text):
    compiled = compile_condition(text, SCHEMA)
    assert overlap(compiled.condition, compiled.negated().condition, SCHEMA) is None


def test_what_is_not_simple_is_left_unjudged():
    a = compile_condition("a * 2 > 1", SCHEMA)
    assert overlap(a.condition, a.condition, SCHEMA) is None
    assert not impossible(compile_condition("a * 2 > 1 and a * 2 < 1", SCHEMA).condition, SCHEMA)


def test_a_condition_of_very_many_alternatives_is_left_unjudged():
    text = " and ".join(f"(a > {i} or flag)" for i in range(20))
    assert not impossible(compile_condition(text, SCHEMA).condition, SCHEMA)
