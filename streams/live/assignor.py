"""Which worker gets which partitions: whole lanes (one partition of every topic), evenly, and each to who had it before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

import msgspec
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata


class LaneAssignor(AbstractPartitionAssignor):  # type: ignore[misc, unused-ignore]
    """Sticky and co-partitioned. A client's assignor is a class, so each consumer has one of its own (`new_assignor`)."""

    name = "churn-lanes"
    version = 0
    owned: ClassVar[list[int]] = []

    @classmethod
    def assign(
        cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """The leader's decision for all members."""
        topics = sorted({topic for member in members.values() for topic in member.subscription})
        lanes = sorted({lane for topic in topics for lane in cluster.partitions_for_topic(topic) or ()})
        shares = shared(lanes, {name: had_by(member.user_data) for name, member in members.items()})
        return {
            name: ConsumerProtocolMemberAssignment(
                cls.version,
                [
                    (topic, [lane for lane in shares[name] if lane in (cluster.partitions_for_topic(topic) or ())])
                    for topic in topics
                ],
                b"",
            )
            for name in members
        }

    @classmethod
    def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        return ConsumerProtocolMemberMetadata(cls.version, list(topics), msgspec.json.encode(cls.owned))

    @classmethod
    def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
        cls.owned = sorted({lane for _, lanes in assignment.assignment for lane in lanes})


def new_assignor() -> type[LaneAssignor]:
    """An assignor that remembers what one consumer had."""
    return type("LaneAssignor", (LaneAssignor,), {"owned": []})


def had_by(user_data: bytes) -> list[int]:
    """The lanes that a member says it had; none for one that says nothing we understand."""
    try:
        return msgspec.json.decode(user_data, type=list[int])
    except msgspec.MsgspecError:
        return []


def shared(lanes: list[int], had: Mapping[str, list[int]]) -> dict[str, list[int]]:
    """Each member's lanes: numbers differ by one at most, and a lane stays where it was if it can."""
    members = sorted(had, key=lambda name: (-len(had[name]), name))  # who had more may keep the one that is over
    each, over = divmod(len(lanes), max(1, len(members)))
    room = {name: each + (index < over) for index, name in enumerate(members)}
    free = set(lanes)
    shares: dict[str, list[int]] = {}
    for name in members:
        kept = [lane for lane in dict.fromkeys(had[name]) if lane in free][: room[name]]
        free.difference_update(kept)
        shares[name] = kept
    left = iter(sorted(free))
    for name in members:
        shares[name] = sorted([*shares[name], *(next(left) for _ in range(room[name] - len(shares[name])))])
    return shares
