import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from decision_service.cases import Case, decode_case
from decision_service.memory_store import MemoryStore
from decision_service.service import CASES_AT_A_TIME
from streams.deadline import Deadline
from streams.fakes import FIRST_SEQUENCE_NUMBER, fail, refuse
from streams.records import BatchResponse
from tests.kpl import aggregate
from tests.unit.decision_service.world import WINDOW_SECONDS, World, duration, tip

DONE: BatchResponse = {"batchItemFailures": []}


def failed(place: int) -> BatchResponse:
    return {"batchItemFailures": [{"itemIdentifier": str(FIRST_SEQUENCE_NUMBER + place)}]}


def broken(values: Mapping[str, float], missing: Sequence[str]) -> Mapping[str, Any]:
    raise ValueError("ride of Jane Doe")


def test_handle_ride_with_all_its_predictions_is_decided() -> None:
    """A decision event says what was decided, on what, and has an ID made of policy and ride."""
    world = World()

    assert world.take(duration(20.0), tip(5.0)) == DONE

    assert world.decisions == [
        {
            "policy": "ride_decision",
            "version": "1",
            "decision": {"take": True, "tip_an_hour": 15.0, "ride_id": 256},
            "predictions": {
                "ride_duration": {"value": 20.0, "event_id": "ride_duration:256"},
                "ride_tip": {"value": 5.0, "event_id": "ride_tip:256"},
            },
            "missing": [],
            "late": [],
            "event_id": "ride_decision:1:256",
        }
    ]
    assert world.kinesis.records[0]["PartitionKey"] == "256"


def test_handle_predictions_in_two_batches_are_decided_with_the_second() -> None:
    """A ride waits for what is missing, and no longer."""
    world = World()

    world.take(tip())
    assert world.decisions == []
    world.take(duration())

    assert len(world.decisions) == 1
    assert world.decisions[0]["missing"] == []


def test_handle_batch_that_comes_again_changes_nothing() -> None:
    """A retry of a batch whose answer got lost puts no second decision."""
    world = World()
    world.take(duration(), tip())
    before = dict(world.memory.bodies)

    world.take(duration(), tip())

    assert len(world.decisions) == 1
    assert world.memory.bodies == before


def test_handle_ride_ids_that_look_alike_are_two_rides() -> None:
    """256 and "256" have one partition key, and a decision each."""
    world = World()

    world.take(duration(), duration(ride_id="256"), tip(ride_id="256"), tip())

    assert [event["decision"]["ride_id"] for event in world.decisions] == [256, "256"]
    assert len({event["event_id"] for event in world.decisions}) == 2


def test_handle_prediction_of_no_need_opens_no_case() -> None:
    """Whoever else puts onto the stream takes no state."""
    world = World(needed=("ride_surge",))

    assert world.take(duration(), tip()) == DONE

    assert world.memory.bodies == {}
    assert world.decisions == []


def test_sweep_window_that_ended_is_decided_with_what_is_missing_named() -> None:
    """A ride whose tip does not come is decided at the end of its window, once."""
    world = World()
    world.take(duration())

    world.clock.now = WINDOW_SECONDS - 1
    assert world.sweep()["decided"] == 0
    world.clock.now = WINDOW_SECONDS
    assert world.sweep()["decided"] == 1
    assert world.sweep() == {"decided": 0, "incomplete": 0, "undecided": 0, "put": 0}

    (decision,) = world.decisions
    assert decision["missing"] == ["ride_tip"]
    assert decision["decision"] == {"take": None, "tip_an_hour": None, "ride_id": 256}


def test_handle_prediction_after_the_window_and_before_the_sweep_counts_and_is_marked() -> None:
    """What comes late, and still before the decision, is in it, and named as late."""
    world = World()
    world.take(duration())
    world.clock.now = WINDOW_SECONDS + 1

    world.take(tip())

    (decision,) = world.decisions
    assert (decision["missing"], decision["late"]) == ([], ["ride_tip"])


def test_handle_duplicate_after_the_window_has_the_ride_decided() -> None:
    """Whatever takes up a case whose window has ended decides it; a sweep finds it decided."""
    world = World()
    world.take(duration())
    world.clock.now = WINDOW_SECONDS

    world.take(duration())
    world.sweep()

    assert [event["missing"] for event in world.decisions] == [["ride_tip"]]


def test_handle_prediction_after_the_decision_is_marked_and_decides_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A ride that was decided without it stays so; the case and the log say that it came."""
    world = World()
    world.take(duration())
    world.clock.now = WINDOW_SECONDS
    world.sweep()

    caplog.clear()  # of what came before, which is logged where another test turned it on
    with caplog.at_level(logging.INFO, "decision_service"):
        world.take(tip(), tip())
        world.take(tip())

    assert len(world.decisions) == 1
    assert decode_case(world.memory.bodies["256"]).too_late == {"ride_tip": "ride_tip:256"}
    logged = [vars(record) for record in caplog.records]
    assert [(each["late"], each["duplicates"]) for each in logged] == [(1, 1), (0, 1)]


def test_handle_decision_that_is_refused_comes_again_as_it_was() -> None:
    """What was decided is put by the retry, though the policy has changed meanwhile."""
    world = World(answers=[fail(OSError("no stream"))])

    assert world.take(duration(), tip()) == failed(0)
    assert world.decisions == []
    other = World(policy=lambda _values, _missing: {"take": "never"}, store=world.memory)
    assert other.take(duration(), tip()) == DONE

    assert [event["decision"]["take"] for event in other.decisions] == [True]


def test_sweep_puts_what_was_decided_and_never_put() -> None:
    """A decision whose batch was given up is on the stream after the next sweep of its window."""
    world = World(answers=[fail(OSError("no stream"))])
    world.take(duration(), tip())
    world.clock.now = WINDOW_SECONDS

    assert world.sweep()["put"] == 1
    assert len(world.decisions) == 1


def test_handle_decision_that_cannot_be_saved_as_put_is_the_same_event_twice() -> None:
    """Between putting and saving, a failure costs a duplicate, which is equal to the last byte."""

    class Forgetful(MemoryStore):
        def save(self, cases: Mapping[str, Case], deadline: Deadline) -> dict[str, Case]:
            decided = {key: case for key, case in cases.items() if not case.is_put}
            return super().save(decided, deadline)

    world = World(store=Forgetful())

    world.take(duration(), tip())
    world.take(duration())

    first, second = world.kinesis.records
    assert first == second


def test_handle_one_refused_entry_fails_its_ride_alone() -> None:
    """The rides before a refused decision are done; Lambda goes on from that one."""
    world = World(answers=[refuse(1), fail(OSError("no stream"))])

    answer = world.take(duration(ride_id=1), tip(ride_id=1), duration(ride_id=2), tip(ride_id=2))

    assert answer == failed(2)
    assert [event["decision"]["ride_id"] for event in world.decisions] == [1]


def test_handle_case_that_cannot_be_saved_comes_again() -> None:
    """A ride that DynamoDB throttles is a failed item, and is decided by the retry."""
    world = World()
    world.memory.refusing = {"2"}
    batch = [duration(ride_id=1), duration(ride_id=2), tip(ride_id=1), tip(ride_id=2)]

    assert world.take(*batch) == failed(1)
    world.memory.refusing = set()
    assert world.take(*batch) == DONE

    assert [event["decision"]["ride_id"] for event in world.decisions] == [1, 2]


def test_handle_case_that_a_sweep_decides_meanwhile_is_taken_up_anew() -> None:
    """Of two invocations that change a case, the second joins what the first has made of it."""

    class Raced(MemoryStore):
        raced = False

        def save(self, cases: Mapping[str, Case], deadline: Deadline) -> dict[str, Case]:
            if self.raced:
                self.raced = False
                world.clock.now = WINDOW_SECONDS
                assert world.sweep()["decided"] == 1
            return super().save(cases, deadline)

    store = Raced()
    world = World(store=store)
    world.take(duration())
    store.raced = True

    assert world.take(tip()) == DONE

    assert [event["missing"] for event in world.decisions] == [["ride_tip"]]
    assert decode_case(store.bodies["256"]).too_late == {"ride_tip": "ride_tip:256"}


def test_sweep_case_that_is_decided_meanwhile_is_left() -> None:
    """A sweep puts nothing of a case that it did not get to save."""

    class Raced(MemoryStore):
        raced = False

        def load(self, keys: Any) -> dict[str, Case]:
            loaded = super().load(keys)
            if self.raced:
                self.raced = False
                world.take(tip())
            return loaded

    store = Raced()
    world = World(store=store)
    world.take(duration())
    world.clock.now = WINDOW_SECONDS
    store.raced = True

    assert world.sweep()["put"] == 0
    assert [event["late"] for event in world.decisions] == [[]]
    assert [event["missing"] for event in world.decisions] == [[]]


@pytest.mark.parametrize(
    ("payload", "reason", "detail"),
    [
        (b"\xff", "invalid_utf8", "the data is not UTF-8"),
        (b"{", "invalid_json", "the data is not JSON"),
        (b"[]", "invalid_event", "the event is []; it must be a JSON object"),
        (b"{}", "invalid_event", "prediction is missing; it must be a JSON object"),
        (duration("20"), "invalid_event", 'prediction.ride_duration is "20"; it must be a finite'),
        (duration(None), "invalid_event", "prediction.ride_duration is null; it must be"),
        (duration(True), "invalid_event", "prediction.ride_duration is true; it must be"),
        (duration(float("nan")), "invalid_event", "prediction.ride_duration is NaN; it must be"),
        (duration(10**400), "invalid_event", "prediction.ride_duration is 1000"),
        (duration(ride_id=""), "invalid_event", 'prediction.ride_id is ""; it must be an integer'),
        (duration(ride_id=1.5), "invalid_event", "prediction.ride_id is 1.5; it must be"),
        (duration(event_id="x" * 513), "invalid_event", 'event_id is "xxx'),
        (b'{"prediction": {"ride_id": 1}}', "invalid_event", "event_id is missing"),
        (
            b'{"prediction": {"ride_tip": 1, "ride_tip": 2, "ride_id": 1}, "event_id": "x"}',
            "invalid_event",
            "prediction.ride_tip is there twice",
        ),
        (duration(event_id="x" * 17_000), "invalid_event", "the event has 17"),
        ("not base64", "invalid_base64", "the data is not base64"),
        (b"\xf3\x89\x9a\xc2", "invalid_aggregate", "the data is not a KPL aggregated record"),
    ],
)
def test_handle_bad_prediction_is_rejected(payload: Any, reason: str, detail: str) -> None:
    """What can never count is set aside with its reason; its neighbours are decided."""
    world = World()

    assert world.take(duration(), payload, tip()) == DONE

    (rejection,) = world.s3.lines
    assert rejection["reason"] == reason
    assert rejection["detail"].startswith(detail)
    assert rejection["model"] == "ride_decision"
    assert len(world.decisions) == 1


def test_handle_predictions_in_an_aggregated_record_are_decided() -> None:
    """What AGGREGATE_PREDICTIONS packs is taken apart; a bad one among them is set aside alone."""
    world = World()

    assert world.take(aggregate([("k", duration()), ("k", b"{"), ("k", tip())])) == DONE

    assert len(world.decisions) == 1
    (rejection,) = world.s3.lines
    assert rejection["source"]["sub_sequence_number"] == 1


def test_handle_ride_of_an_aggregated_record_that_cannot_be_saved_fails_the_record() -> None:
    """Lambda knows of whole records only: it comes again, and the other ride is not put twice."""
    world = World()
    world.memory.refusing = {"2"}
    rides = [duration(ride_id=1), tip(ride_id=1), duration(ride_id=2), tip(ride_id=2)]
    packed = aggregate([("k", ride) for ride in rides])

    assert world.take(b"{}", packed) == failed(1)
    world.memory.refusing = set()
    assert world.take(b"{}", packed) == DONE

    assert [event["decision"]["ride_id"] for event in world.decisions] == [1, 2]


def test_handle_rejection_that_cannot_be_stored_comes_again() -> None:
    """Without its bucket, a bad prediction is a failed item."""
    world = World()
    world.s3.error = OSError("no bucket")

    assert world.take(duration(), b"{") == failed(1)


def test_handle_policy_that_fails_leaves_a_case_for_the_next_window(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A broken policy blocks no shard and loses no ride; what it raised is not logged."""
    world = World(policy=broken)

    assert world.take(duration(), tip()) == DONE
    world.clock.now = WINDOW_SECONDS
    assert world.sweep() == {"decided": 0, "incomplete": 0, "undecided": 1, "put": 0}
    assert decode_case(world.memory.bodies["256"]).due == 2 * WINDOW_SECONDS
    mended = World(store=world.memory)
    mended.clock.now = 2 * WINDOW_SECONDS
    assert mended.sweep()["put"] == 1

    assert mended.decisions[0]["missing"] == []
    assert "the policy failed: ValueError at " in caplog.text
    assert "Jane" not in caplog.text


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"x": "y" * 2048}, "has 2056 bytes and the fields x; it must have at most 2048 bytes"),
        (
            {"ride_id": 1},
            "has 13 bytes and the fields ride_id; it must have at most 2048 bytes and no ride_id",
        ),
        ({"x": float("nan")}, "is not JSON: Out of range float values"),
        ({"x": object()}, "is not JSON: Object of type object"),
        ({"x": "\ud800"}, "is not JSON: 'utf-8' codec"),
        ({(1, 2): 3}, "is not JSON: keys must be str"),
        (None, "is of type NoneType; it must be a mapping"),
        ("text", "is of type str; it must be a mapping"),
    ],
)
def test_handle_answer_that_cannot_be_put_is_a_failure_of_the_policy(
    caplog: pytest.LogCaptureFixture, answer: Any, problem: str
) -> None:
    """An answer that is too large, is not JSON or hides the ride makes no event, and is told of."""
    world = World(policy=lambda _values, _missing: answer)

    world.take(duration(), tip())

    assert world.decisions == []
    assert len(world.memory.open) == 1
    assert f"the policy failed: the answer {problem}" in caplog.text


def test_handle_policy_that_empties_what_it_is_given_hides_nothing() -> None:
    """The event names what is missing, and what was predicted, whatever a policy does to it."""

    def careless(values: Any, missing: Any) -> Mapping[str, Any]:
        values.clear()
        missing.clear()
        return {}

    world = World(policy=careless)
    world.take(duration())
    world.clock.now = WINDOW_SECONDS
    world.sweep()
    world.take(tip())

    (decision,) = world.decisions
    assert decision["missing"] == ["ride_tip"]
    assert decision["predictions"].keys() == {"ride_duration"}
    assert decode_case(world.memory.bodies["256"]).too_late == {"ride_tip": "ride_tip:256"}


def test_handle_stream_that_refuses_leaves_time_to_save_what_it_took() -> None:
    """Decisions beside one that is refused until time is up are saved as put, and not put again."""
    world = World(answers=[refuse(0)] * 10_000)

    assert world.take(
        duration(ride_id=1), tip(ride_id=1), duration(ride_id=2), tip(ride_id=2)
    ) == failed(0)

    assert world.memory.open.keys() == {"1"}


def test_sweep_without_time_for_all_says_what_it_did(caplog: pytest.LogCaptureFixture) -> None:
    """The line that an alarm goes by is logged of every sweep."""
    world = World(policy=broken)
    world.take(duration(), tip())
    world.clock.now = WINDOW_SECONDS
    caplog.clear()  # what the batch said, if another test turned its level up

    with caplog.at_level(logging.INFO, "decision_service"):
        world.sweep(seconds=0)

    assert [r.undecided for r in caplog.records if hasattr(r, "undecided")] == [0]
    assert "there was no time for all cases that are due" in caplog.text


def test_handle_without_time_reports_every_record() -> None:
    """When it is time to answer, what was not begun comes again."""
    world = World()

    assert world.take(duration(), tip(), seconds=0) == failed(0)
    assert world.memory.bodies == {}


def test_sweep_more_than_there_is_time_for_goes_on_in_the_next() -> None:
    """Overdue cases are decided the oldest first, for as long as there is time."""

    class Slow(MemoryStore):
        def save(self, cases: Mapping[str, Case], deadline: Deadline) -> dict[str, Case]:
            saved = super().save(cases, deadline)
            if all(case.is_put for case in cases.values()):
                world.waiting.now += 10
            return saved

    world = World(store=Slow())
    rides = [duration(ride_id=ride_id) for ride_id in range(2 * CASES_AT_A_TIME)]
    world.take(*rides[:CASES_AT_A_TIME])
    world.clock.now = 1
    world.take(*rides[CASES_AT_A_TIME:])
    world.clock.now = WINDOW_SECONDS + 1

    assert world.sweep(seconds=15)["decided"] == CASES_AT_A_TIME
    assert {event["decision"]["ride_id"] for event in world.decisions} == set(
        range(CASES_AT_A_TIME)
    )
    assert world.sweep(seconds=15)["decided"] == CASES_AT_A_TIME


def test_sweep_entry_of_the_index_that_lags_behind_is_passed_over() -> None:
    """A case that the index still names, and whose decision is put, is not put again."""
    world = World()
    world.take(duration(), tip())
    world.memory.open["256"] = 0.0

    assert world.sweep()["put"] == 0
