"""A saved model and a saved state come together in any order of their making."""

from __future__ import annotations

from support.engines import EAGER, batch, copied, engine
from support.small_streams import lines, random_moments

from engine.model_inputs import model_inputs
from models.champion import Champion


def test_a_state_from_before_the_first_event_takes_a_model_that_knows_attributes() -> None:
    teacher = engine()
    teacher.step(batch(lines(random_moments(4, 800, customers=8))), 0)
    teacher.advance(teacher.partition.clock + 5 * 86_400_000_000, 0)
    saved = teacher.save_model()
    assert teacher.model.scorer.features > teacher.evaluation.attributes > 0

    def taught() -> Champion:
        return Champion.load(saved, *model_inputs({}), EAGER)[0]

    model = taught()
    state = engine(model=taught()).snapshot()
    parts = copied(state)
    fresh = engine(model=model)
    fresh.restore(parts | {f"model.{name}": part for name, part in model.snapshot().items()})
    assert fresh.step(batch(lines(random_moments(4, 50, customers=5))), 0).applied
