"""What answers on satisfaction say: high is content, whatever the survey."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("survey", "most"), [("csat", 5), ("nps", 10), ("ces", 7)])
def test_the_best_answer_is_content_and_the_worst_is_not(fact, state, survey, most):
    best = state([fact(1, "survey.answered", survey=survey, score=most)])
    worst = state([fact(1, "survey.answered", survey=survey, score=1)])
    assert best["survey_last"] == 1.0
    assert "days_since_dissatisfied" not in best
    assert worst["survey_last"] < 0.4
    assert worst["days_since_dissatisfied"] == 0.0
