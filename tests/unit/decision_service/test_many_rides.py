"""100,000 rides whose predictions are shuffled, duplicated, missing and late."""

import json
import random
from collections.abc import Iterator
from itertools import batched
from typing import Any

from decision_service.cases import MAX_CASE_BYTES
from decision_service.policy import WORTH_DOLLARS_AN_HOUR
from streams.fakes import accept, fail
from tests.unit.decision_service.world import WINDOW_SECONDS, World, duration, tip

RIDES = 100_000
RIDES_A_SECOND = 100
BATCH = 1000
TICK_SECONDS = 60.0


def values(ride_id: int) -> tuple[float, float]:
    """Minutes and dollars: of their own for each ride."""
    return 1.0 + ride_id % 97, (ride_id % 89) / 4


def fates(chance: random.Random) -> tuple[bool, bool]:
    """Whether a ride's second prediction is missing, and whether it is late."""
    draw = chance.random()
    return draw < 0.02, 0.02 <= draw < 0.04


def arrivals(chance: random.Random) -> tuple[list[tuple[float, bytes]], dict[int, str]]:
    """When each prediction comes, in disorder, and what is to become of each ride."""
    found: list[tuple[float, bytes]] = []
    wanted: dict[int, str] = {}
    for ride_id in range(RIDES):
        put_at = ride_id / RIDES_A_SECOND
        minutes, dollars = values(ride_id)
        is_missing, is_late = fates(chance)
        wanted[ride_id] = "missing" if is_missing else "late" if is_late else "in time"
        first, second = sorted(
            (duration(minutes, ride_id), tip(dollars, ride_id)), key=lambda _: chance.random()
        )
        events = [(put_at + chance.uniform(0, 20), first)]
        if not is_missing:
            delay = chance.uniform(100, 400) if is_late else chance.uniform(0, 20)
            events.append((put_at + delay, second))
        # One in ten comes again, up to ten minutes later.
        events += [(at + chance.uniform(0, 600), e) for at, e in events if chance.random() < 0.1]
        found += events
    return sorted(found), wanted


def invocations(found: list[tuple[float, bytes]]) -> Iterator[tuple[float, list[bytes]]]:
    """Batches as they come, with those of the schedule, which are empty, between."""
    next_tick = TICK_SECONDS
    for batch in batched(found, BATCH, strict=False):
        while next_tick <= batch[-1][0]:
            yield next_tick, []
            next_tick += TICK_SECONDS
        yield batch[-1][0], [event for _, event in batch]
    for tick in range(3):
        yield next_tick + tick * TICK_SECONDS, []


def run(world: World, chance: random.Random) -> tuple[dict[int, str], list[int]]:
    """Live through it all, failures and retries included; answers with the sizes of the state."""
    found, wanted = arrivals(chance)
    open_cases = []
    for now, batch in invocations(found):
        world.clock.now = now
        if not batch:
            world.sweep()
        elif world.take(*batch) != {"batchItemFailures": []} or chance.random() < 0.05:
            world.take(*batch)
        open_cases.append(len(world.memory.open))
    return wanted, open_cases


def test_hundred_thousand_rides_are_decided_once_each_and_rightly() -> None:
    """Each ride has one decision, on its own values, and names what was missing or late.

    Every thirtieth call to the stream fails, one batch in twenty comes again, and so does one
    prediction in ten. The state stays within its bounds: open cases are those of the last window
    and of what comes between two ticks, and none is larger than it may be.
    """
    chance = random.Random(7)
    no_stream = fail(OSError("no stream"))
    world = World(answers=(no_stream if chance.random() < 1 / 30 else accept for _ in range(2000)))

    wanted, open_cases = run(world, chance)

    decisions: dict[int, dict[str, Any]] = {}
    for record in world.kinesis.records:
        event = json.loads(record["Data"])
        ride_id = event["decision"]["ride_id"]
        assert decisions.setdefault(ride_id, event) == event, "two decisions on one ride"
    assert decisions.keys() == wanted.keys()
    wrong = [
        ride_id
        for ride_id, fate in wanted.items()
        if not is_right(decisions[ride_id], ride_id, fate)
    ]
    assert wrong == []
    assert len(world.kinesis.records) == RIDES
    assert world.memory.open == {}
    assert max(open_cases) <= RIDES_A_SECOND * (WINDOW_SECONDS + TICK_SECONDS + 20)
    assert max(map(len, world.memory.bodies.values())) <= MAX_CASE_BYTES


def is_right(event: dict[str, Any], ride_id: int, fate: str) -> bool:
    """Whether a decision is on this ride's own values, and says what was missing or late."""
    minutes, dollars = values(ride_id)
    expected = {
        "ride_duration": {"value": minutes, "event_id": f"ride_duration:{ride_id}"},
        "ride_tip": {"value": dollars, "event_id": f"ride_tip:{ride_id}"},
    }
    for name in event["missing"]:
        del expected[name]
    # What is late may come before the sweep of its window: then it is in the decision, and marked.
    marked = len(event["missing"]), len(event["late"])
    allowed = {"in time": {(0, 0)}, "missing": {(1, 0)}, "late": {(1, 0), (0, 1)}}[fate]
    take = None if event["missing"] else dollars / (minutes / 60) >= WORTH_DOLLARS_AN_HOUR
    return (
        event["predictions"] == expected
        and marked in allowed
        and event["decision"]["take"] is take
        and event["event_id"] == f"ride_decision:1:{ride_id}"
    )
