"""What others report has its turn by its date, whoever is heard first and whoever takes the partition over."""

from __future__ import annotations

import json
from itertools import permutations
from types import SimpleNamespace

import msgspec
from support.engines import engine, frozen
from support.lanes import Cluster, records_of

from customers.partition import Told
from events.contract import NetworkIncident
from events.times import rfc3339, time_of
from population.judge import Judge
from population.reports import NOTHING, facts_of, report_of
from streams.live.exchange import Statement
from streams.live.journal import Covered
from streams.live.lane import Lane, LaneSettings

EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"


def report(cell: str, at: str) -> str:
    return report_of(
        NetworkIncident(event_id=cell, customer_id=f"cell:{cell}", occurred_at=at, cell_id=cell, status="opened")
    )


REPORTS = [report("a", LATE), report("b", EARLY), report("c", EARLY)]
IN_TURN = [(time_of(at, ""), report(cell, at)) for cell, at in (("b", EARLY), ("c", EARLY), ("a", LATE))]


def lane_of(covered: Covered) -> Lane:
    engine = SimpleNamespace(share=lambda *_: None, hear=lambda _: None)
    return Lane(0, 4, engine, covered, [], LaneSettings(0.0, 0))  # type: ignore[arg-type]


def test_reports_have_their_turn_by_date_whichever_partition_is_heard_first() -> None:
    statements = [
        Statement(lane=1 + number, since=0, before=0, frontier=0, told=Told([], []), reports=[one])
        for number, one in enumerate(REPORTS)
    ]
    for order in permutations(statements):
        lane = lane_of(Covered({}, {}))
        for statement in order:
            lane.hear(statement, 0.0)
        assert lane.exchange.to_apply == IN_TURN


def test_a_checkpoint_holds_reports_alone_and_whoever_loads_it_knows_their_turns() -> None:
    older = msgspec.json.decode(msgspec.json.encode({"positions": {}, "turns": {}, "to_apply": REPORTS}), type=Covered)
    lane = lane_of(older)
    assert lane.exchange.to_apply == IN_TURN
    covered = lane.covered({}, 0)
    assert covered.to_apply == [one for _, one in IN_TURN]
    assert lane_of(covered).exchange.to_apply == IN_TURN


def test_what_is_refused_for_its_date_takes_effect_in_no_other_partition_either() -> None:
    came = time_of("2026-01-02T00:00:00Z", "")
    uses = [
        {"type": "usage.recorded", "customer_id": f"c{k % 20}", "occurred_at": rfc3339(came - 60_000_000 * (2000 - k))}
        for k in range(2000)
    ]
    events = [*({**one, "event_id": str(k), "service": "voice"} for k, one in enumerate(uses))]
    stream = [json.dumps(one).encode() for one in events]
    stream[1000:1000] = [report("false", "2026-01-04T00:00:00Z").encode(), report("true", LATE).encode()]
    cluster = Cluster(records_of(stream, 4, came // 1_000), lambda _: engine(model=frozen()))
    cluster.run()
    told = [one for statement in cluster.statements for one in statement.reports]
    assert sorted(told) == [NOTHING, report("true", LATE)]
    assert facts_of(NOTHING) == []
    assert [letter.reason for letter in cluster.dead] == ["in_future"]
    assert not any(lane.exchange.to_apply for lane in cluster.lanes.values())
    judge = cluster.lanes[0].engine.judge
    assert isinstance(judge, Judge)
    assert judge.waiting == []
