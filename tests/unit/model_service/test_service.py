"""The failure table of the design, row by row, on a service with fakes around it."""

import base64
import gc
import json
import traceback
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from model_service.fake_model import FakePredictor
from model_service.models.loading import Model
from model_service.models.model_errors import ModelBroken
from model_service.models.predictors import Predictor
from model_service.records.features import Features, Row
from model_service.records.ride_events import SAMPLE
from model_service.service import Response, Service
from streams.deadline import Deadline
from streams.errors import EventError
from streams.fakes import (
    FIRST_SEQUENCE_NUMBER,
    FakeKinesis,
    FakeS3,
    accept,
    fail,
    kinesis_event,
    refuse,
)
from streams.rejections import NoRejectionStore, RejectionStore
from streams.writer import StreamWriter
from tests.clock import ManualClock
from tests.kpl import aggregate

DOWN = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
BAD = b"not json"


def ride(ride_id: int | str, distance: float = 2.0) -> bytes:
    fields = {"PULocationID": 130, "DOLocationID": 205, "trip_distance": distance}
    return json.dumps({"ride": fields, "ride_id": ride_id}).encode()


def ten_minutes_a_mile(features: Row) -> float:
    return 10 * float(features["trip_distance"])


def fails_on_13_miles(features: Row) -> float:
    if features["trip_distance"] == 13:
        raise ValueError("13 miles")
    return ten_minutes_a_mile(features)


class Bench:
    """A service with fakes around it, and the calls a test makes of it."""

    def __init__(
        self,
        predictor: Predictor | None = None,
        kinesis: FakeKinesis | None = None,
        s3: FakeS3 | None = None,
        *,
        clock: ManualClock | None = None,
        failures_bucket: bool = True,
    ) -> None:
        self.kinesis = kinesis or FakeKinesis()
        self.s3 = s3 or FakeS3()
        self.clock = clock or ManualClock()
        stream = StreamWriter(self.kinesis, "ride_predictions", sleep=self.clock.sleep)
        store = RejectionStore(self.s3, "failures", "duration", "Test123")
        predictor = predictor or FakePredictor(ten_minutes_a_mile)
        self.service = Service(
            model=Model("duration", "Test123", "ride_duration", predictor),
            predictions=stream,
            rejections=store if failures_bucket else NoRejectionStore(),
            return_predictions=True,
        )

    def handle(self, payloads: Sequence[bytes | str], seconds: float = 60) -> Response:
        event = kinesis_event(payloads)
        return self.service.handle(event, Deadline(seconds, clock=self.clock))

    @property
    def predicted(self) -> dict[Any, float]:
        """Duration by ride ID, of what is on the output stream."""
        events = [event["prediction"] for event in self.kinesis.events]
        return {event["ride_id"]: event["ride_duration"] for event in events}

    @property
    def rejected(self) -> dict[int, str]:
        """Reason by place in the batch, of what is in the rejection store."""
        return {
            int(line["source"]["sequence_number"]) - FIRST_SEQUENCE_NUMBER: line["reason"]
            for line in self.s3.lines
        }


def failed_at(answer: Response) -> list[int]:
    """The places in the batch that an answer reports as failed."""
    return [
        int(item["itemIdentifier"]) - FIRST_SEQUENCE_NUMBER for item in answer["batchItemFailures"]
    ]


def test_handle_one_ride_gives_the_contracts_event() -> None:
    """The prediction event has the contract's shape, in the answer and on the stream alike."""
    bench = Bench()
    event = {
        "model": "duration",
        "version": "Test123",
        "prediction": {"ride_duration": 20.0, "ride_id": 256},
        "event_id": f"duration:Test123:shardId-000000000000:{FIRST_SEQUENCE_NUMBER}",
    }

    answer = bench.handle([ride(256)])

    assert answer == {"batchItemFailures": [], "predictions": [event]}
    assert bench.kinesis.events == [event]
    assert bench.kinesis.records[0]["PartitionKey"] == "256"


def test_handle_empty_batch_does_nothing() -> None:
    """An empty batch is a success that touches nothing."""
    bench = Bench()

    assert bench.handle([]) == {"batchItemFailures": [], "predictions": []}
    assert (bench.kinesis.calls, bench.s3.objects) == ([], {})


def test_handle_predicts_a_batch_in_one_call() -> None:
    """The model is asked once for all rides of a batch."""

    class Counting(FakePredictor):
        calls = 0

        def predict(self, features: Features) -> Sequence[float]:
            self.calls += 1
            return super().predict(features)

    predictor = Counting(ten_minutes_a_mile)

    Bench(predictor).handle([ride(n) for n in range(100)])

    assert predictor.calls == 1


def test_handle_event_ids_are_the_same_on_a_retry() -> None:
    """A batch that comes again brings the same events with the same IDs."""
    bench = Bench()

    answers = [bench.handle([ride(1), ride(2)]) for _ in range(2)]

    assert answers[0] == answers[1]
    assert len({event["event_id"] for event in bench.kinesis.events}) == 2


def test_handle_other_event_is_an_error() -> None:
    """An invocation that is no Kinesis batch is an error, not an empty success."""
    with pytest.raises(EventError):
        Bench().service.handle({"rides": []}, Deadline(60))


# base64, UTF-8, JSON or schema is wrong


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ("not base64!", "invalid_base64"),
        (b"\xff", "invalid_utf8"),
        (BAD, "invalid_json"),
        (aggregate([("a", b"{}")])[:-1], "invalid_aggregate"),
        (b"[1, 2]", "invalid_event"),
        (b'"ride"', "invalid_event"),
        (b"{}", "invalid_event"),
    ],
)
def test_handle_bad_record_is_rejected_and_its_neighbours_predicted(
    payload: bytes | str, reason: str
) -> None:
    """A bad record is set aside; those before and after it are predicted."""
    bench = Bench()

    answer = bench.handle([ride(1), payload, ride(2)])

    assert failed_at(answer) == []
    assert bench.predicted == {1: 20.0, 2: 20.0}
    assert bench.rejected == {1: reason}


def test_handle_rejection_has_the_original_bytes_and_its_source() -> None:
    """A rejection holds everything that is needed to understand and to replay the record."""
    bench = Bench()

    bench.handle([ride(1), b"\xff\x00"])

    (line,) = bench.s3.lines
    assert base64.b64decode(line.pop("data")) == b"\xff\x00"
    assert line.pop("detail").startswith("the data is not UTF-8")
    assert line == {
        "reason": "invalid_utf8",
        "source": {
            "stream": "ride_events",
            "shard": "shardId-000000000000",
            "sequence_number": str(FIRST_SEQUENCE_NUMBER + 1),
            "sub_sequence_number": None,
            "partition_key": "key-1",
            "arrival_time": 1654161514.132,
        },
        "model": "duration",
        "version": "Test123",
    }


def test_handle_aggregated_record_is_as_many_rides() -> None:
    """Rides that the KPL aggregated are predicted one by one; a bad one among them is rejected."""
    bench = Bench()
    rides = aggregate([("a", ride(1)), ("b", BAD), ("c", ride(2))])

    answer = bench.handle([ride(0), rides])

    place = f"duration:Test123:shardId-000000000000:{FIRST_SEQUENCE_NUMBER + 1}"
    assert failed_at(answer) == []
    assert bench.predicted == {0: 20.0, 1: 20.0, 2: 20.0}
    assert [e["event_id"] for e in bench.kinesis.events[1:]] == [f"{place}.0", f"{place}.2"]
    (line,) = bench.s3.lines
    assert base64.b64decode(line["data"]) == BAD
    assert line["source"]["sub_sequence_number"] == 1
    assert line["source"]["partition_key"] == "b"


def test_handle_aggregated_record_of_one_ride_id_goes_in_full_calls() -> None:
    """Rides of one ID in one record take no call each, or the record would never be done."""
    bench = Bench()

    answer = bench.handle([aggregate([("a", ride(256))] * 2000)])

    assert failed_at(answer) == []
    assert [len(call) for call in bench.kinesis.calls] == [500] * 4
    assert len({event["event_id"] for event in bench.kinesis.events}) == 2000


def test_handle_keeps_the_order_of_a_ride_id_when_the_stream_refuses() -> None:
    """Predictions for one ride ID arrive in the order of their records after a refusal."""
    bench = Bench(kinesis=FakeKinesis([refuse(0)]))

    bench.handle([ride(256, 1.0), ride(256, 2.0)])

    durations = [event["prediction"]["ride_duration"] for event in bench.kinesis.events]
    assert durations == [10.0, 20.0]


def test_handle_aggregated_record_with_an_unsent_ride_comes_again_whole() -> None:
    """If one of the rides in a record is not sent, the record is the failed item."""
    kinesis = FakeKinesis(refuse(1) if n == 0 else refuse(0) for n in range(10_000))
    rides = aggregate([("a", ride(1)), ("b", ride(2))])

    assert failed_at(Bench(kinesis=kinesis).handle([ride(0, 1.0), rides])) == [1]


def test_handle_batch_of_bad_records_is_done_when_they_are_stored() -> None:
    """A batch whose every record is bad is finished, and the model is not asked."""
    bench = Bench(FakePredictor(lambda _: pytest.fail("asked")))

    answer = bench.handle([BAD] * 3)

    assert answer == {"batchItemFailures": [], "predictions": []}
    assert bench.rejected == dict.fromkeys(range(3), "invalid_json")
    assert bench.kinesis.calls == []


def test_handle_without_failures_bucket_reports_rejected_records() -> None:
    """With nowhere to put it, a rejected record is a failed item, never dropped."""
    bench = Bench(failures_bucket=False)

    assert failed_at(bench.handle([ride(1), BAD, ride(2), BAD])) == [1]
    assert bench.predicted == {1: 20.0, 2: 20.0}


def test_handle_good_batch_writes_no_rejections() -> None:
    """Without a bad record, the rejection store is left alone."""
    bench = Bench()

    bench.handle([ride(1)])

    assert bench.s3.objects == {}


def test_handle_string_ride_id_is_the_partition_key_as_it_is() -> None:
    """A ride ID that is text is the partition key, without quotes."""
    bench = Bench()

    bench.handle([ride("ride-ü")])

    assert bench.kinesis.records[0]["PartitionKey"] == "ride-ü"


def test_handle_record_that_cannot_be_written_is_spelt_out() -> None:
    """Half of a surrogate pair in a partition key does not keep a rejection from being stored."""
    bench = Bench()
    event = kinesis_event([BAD])
    event["Records"][0]["kinesis"]["partitionKey"] = "\ud800"

    answer = bench.service.handle(event, Deadline(60, clock=bench.clock))

    assert answer["batchItemFailures"] == []
    assert bench.s3.lines[0]["source"]["partition_key"] == "\\ud800"


def test_handle_logs_no_payload(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong, the log has places and reasons, and neither rides nor zones."""

    def fails_on_some(features: Row) -> float:
        if features["trip_distance"] == 13:
            raise ValueError(f"unknown zones {features['PU_DO']}")
        return float("nan") if features["trip_distance"] == 7 else 1.0

    def fails_on_all(features: Row) -> float:
        raise ValueError(f"unknown zones {features['PU_DO']}")

    bench = Bench(FakePredictor(fails_on_some), FakeKinesis([refuse(0)]), FakeS3(DOWN))
    caplog.set_level("DEBUG")

    bench.handle([ride(1), ride(2, 13.0), ride(3, 7.0), b"secret", b'{"ride": "secret"}'])
    with pytest.raises(ModelBroken) as caught:
        Bench(FakePredictor(fails_on_all)).handle([ride(1, 13.0)])

    logged = caplog.text + "".join(traceback.format_exception(caught.value))
    assert "ValueError at " in logged
    assert "rejected 1 records: invalid_json" in logged
    assert "5 records from shardId-000000000000:" in logged
    assert "130_205" not in logged
    assert "secret" not in logged


def test_handle_leaves_nothing_for_the_garbage_collector() -> None:
    """What is rejected keeps no batch alive: memory is free again when the handler returns."""
    bench = Bench(FakePredictor(fails_on_13_miles))
    cut_off = aggregate([("a", b"{}")])[:-1]
    batch: list[bytes | str] = [ride(1), ride(2, 13.0), b"secret", "é no base64", cut_off]
    bench.handle(batch)  # what is made once, by libraries

    gc.collect()
    gc.disable()
    try:
        bench.handle(batch)
        unreachable = gc.collect()
    finally:
        gc.enable()

    assert unreachable == 0


# The model raises


def test_handle_ride_that_the_model_fails_on_is_rejected_alone() -> None:
    """When the model raises on a batch, only the rides it raises on alone are rejected."""
    bench = Bench(FakePredictor(fails_on_13_miles))

    answer = bench.handle([ride(1), ride(2, 13.0), ride(3)])

    assert failed_at(answer) == []
    assert bench.predicted == {1: 20.0, 3: 20.0}
    assert bench.rejected == {1: "model_error"}
    assert bench.s3.lines[0]["detail"] == "the model raised ValueError: 13 miles"


@pytest.mark.parametrize("rides", [1, 3])
def test_handle_rides_that_the_model_fails_on_are_rejected_without_neighbours(rides: int) -> None:
    """A batch of nothing but bad rides is finished, because the model predicts another ride."""
    bench = Bench(FakePredictor(fails_on_13_miles))

    answer = bench.handle([ride(number, 13.0) for number in range(rides)])

    assert failed_at(answer) == []
    assert bench.rejected == dict.fromkeys(range(rides), "model_error")


def test_handle_bad_ride_alone_is_rejected_after_a_good_one() -> None:
    """A model that still predicts the previous ride is not broken, also if it knows few zones."""

    def knows_few_zones(features: Row) -> float:
        return {"7_8": 5.0}[str(features["PU_DO"])]

    def ride_in(pickup: int) -> bytes:
        fields = {"PULocationID": pickup, "DOLocationID": 8, "trip_distance": 1.0}
        return json.dumps({"ride": fields, "ride_id": pickup}).encode()

    bench = Bench(FakePredictor(knows_few_zones))
    bench.handle([ride_in(7)])

    assert failed_at(bench.handle([ride_in(9)])) == []
    assert bench.rejected == {0: "model_error"}


def test_handle_model_that_breaks_after_it_predicted_fails_the_batch() -> None:
    """A model that no longer predicts the ride before is broken: its batches are retried."""
    works = iter([5.0])
    bench = Bench(FakePredictor(lambda _: next(works)))
    bench.handle([ride(1)])

    with pytest.raises(ModelBroken):
        bench.handle([ride(2)])

    assert bench.s3.objects == {}


def test_handle_model_that_works_again_rejects_nothing() -> None:
    """Rides that a model fails on only for a moment come again with their batch."""
    network_is_down = iter([True] * 3)

    def looks_up(features: Row) -> float:
        if features["trip_distance"] != SAMPLE.trip_distance and next(network_is_down, False):
            raise LookupError("no answer")
        return 5.0

    bench = Bench(FakePredictor(looks_up))

    with pytest.raises(ModelBroken):
        bench.handle([ride(1, 1.0), ride(2, 2.0)])
    assert bench.s3.objects == {}
    assert failed_at(bench.handle([ride(1, 1.0), ride(2, 2.0)])) == []
    assert bench.predicted == {1: 5.0, 2: 5.0}


@pytest.mark.parametrize("outage", [MemoryError, ConnectionError, TimeoutError, OSError])
def test_handle_outage_while_the_model_is_tried_rejects_nothing(outage: type[Exception]) -> None:
    """An outage on the ride before tells nothing about the rides of the batch."""
    errors: Iterator[type[Exception]] = iter([ValueError, ValueError, outage])

    def predict(features: Row) -> float:
        raise next(errors)

    bench = Bench(FakePredictor(predict))

    with pytest.raises(outage):
        bench.handle([ride(1)])

    assert bench.s3.objects == {}


def test_handle_models_message_is_one_short_line() -> None:
    """However much a model has to say, and however it fails to, a rejection's detail is a line."""

    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def fails(features: Row) -> float:
        if features["trip_distance"] == 13:
            raise Unspeakable
        if features["trip_distance"] == 14:
            raise ValueError("no\n" * 100_000)
        return 1.0

    bench = Bench(FakePredictor(fails))

    assert failed_at(bench.handle([ride(1), ride(2, 13.0), ride(3, 14.0)])) == []
    assert bench.rejected == {1: "model_error", 2: "model_error"}
    for line in bench.s3.lines:
        assert len(line["detail"]) <= 300
        assert "\n" not in line["detail"]


@pytest.mark.parametrize("payloads", [[ride(1)], [ride(1), ride(2)], [BAD, ride(1), ride(2)]])
def test_handle_model_that_fails_on_every_ride_fails_the_batch(payloads: list[bytes]) -> None:
    """If every ride raises, the model is broken: nothing is rejected for it, the batch fails."""
    bench = Bench(FakePredictor(lambda _: 1 / 0))

    with pytest.raises(
        ModelBroken,
        match=r"Test123 failed on each of the \d rides .*ZeroDivisionError at .*\.py:\d+$",
    ):
        bench.handle(payloads)

    assert (bench.kinesis.calls, bench.s3.objects) == ([], {})


@pytest.mark.parametrize("outage", [MemoryError, ConnectionError, TimeoutError, OSError])
@pytest.mark.parametrize("full_batches", [0, 1])
def test_handle_outage_is_no_fault_of_a_ride(full_batches: int, outage: type[Exception]) -> None:
    """Out of memory or without its network, a model rejects no ride: the batch fails."""
    rides: Iterator[type[Exception]] = iter([*[ValueError] * full_batches, outage])

    def predict(features: Row) -> float:
        for error in rides:
            raise error
        return 1.0

    bench = Bench(FakePredictor(predict))

    with pytest.raises(outage):
        bench.handle([ride(1), ride(2)])

    assert (bench.kinesis.calls, bench.s3.objects) == ([], {})


def test_handle_model_that_answers_too_few_values_is_broken() -> None:
    """A model that does not answer for each ride is not believed for any."""

    class Short:
        def predict(self, features: Features) -> Sequence[float]:
            return []

    with pytest.raises(ModelBroken):
        Bench(Short()).handle([ride(1), ride(2)])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_handle_prediction_that_is_not_finite_is_rejected(value: float) -> None:
    """A prediction of NaN or infinity is a rejection that says so."""
    bench = Bench(FakePredictor(lambda f: value if f["trip_distance"] == 13 else 1.0))

    answer = bench.handle([ride(1), ride(2, 13.0)])

    assert failed_at(answer) == []
    assert bench.predicted == {1: 1.0}
    assert bench.rejected == {1: "prediction_not_finite"}
    assert bench.s3.lines[0]["detail"] == f"ride_duration is {value}; it must be finite"


def test_handle_rides_that_raise_beside_one_that_is_not_finite_are_rejected() -> None:
    """A model that answers for one ride, if only with NaN, is not broken."""

    def nan_or_raises(features: Row) -> float:
        return float("nan") if features["trip_distance"] == 13 else 1 / 0

    bench = Bench(FakePredictor(nan_or_raises))

    assert failed_at(bench.handle([ride(1), ride(2, 13.0)])) == []
    assert bench.rejected == {0: "model_error", 1: "prediction_not_finite"}


def test_handle_batch_call_that_takes_all_the_time_reports_everything() -> None:
    """If the model raises on a batch when time is up, no ride is tried alone; all come again."""
    clock = ManualClock()

    def slow(features: Row) -> float:
        clock.sleep(55)
        raise ValueError

    bench = Bench(FakePredictor(slow), clock=clock)

    assert failed_at(bench.handle([ride(1), ride(2)])) == [0]


# PutRecords


def test_handle_entry_refused_to_the_end_is_the_failed_item() -> None:
    """An entry that never gets through is reported when time is up; its neighbours arrive."""
    kinesis = FakeKinesis(
        lambda batch: refuse(*[n for n, e in enumerate(batch) if e["PartitionKey"] == "2"])(batch)
        for _ in range(10_000)
    )
    bench = Bench(kinesis=kinesis)

    assert failed_at(bench.handle([ride(1), ride(2), ride(3)])) == [1]
    assert bench.predicted == {1: 20.0, 3: 20.0}
    assert bench.clock.now < 60


def test_handle_failed_call_reports_the_lowest_unsent_record() -> None:
    """An exception in the middle of several calls reports the first record that did not go."""
    bench = Bench(kinesis=FakeKinesis([accept, fail(DOWN)]))

    answer = bench.handle([ride(n) for n in range(1200)])

    assert failed_at(answer) == [500]
    assert len(bench.predicted) == 500


def test_handle_retry_after_a_failed_call_completes_the_batch() -> None:
    """What Lambda sends again from the reported record on makes the output complete."""
    bench = Bench(kinesis=FakeKinesis([accept, fail(DOWN)]))
    rides = [ride(n) for n in range(1200)]
    (first,) = failed_at(bench.handle(rides))

    event = kinesis_event(rides[first:], first=FIRST_SEQUENCE_NUMBER + first)
    answer = bench.service.handle(event, Deadline(60))

    assert answer["batchItemFailures"] == []
    assert sorted(bench.predicted) == list(range(1200))
    assert len({event["event_id"] for event in bench.kinesis.events}) == 1200


# The rejection store


def test_handle_rejection_store_down_reports_rejected_records_while_good_ones_go() -> None:
    """While the store is down, good records go through and the first bad one is reported."""
    bench = Bench(s3=FakeS3(DOWN))

    assert failed_at(bench.handle([ride(1), ride(2), BAD, ride(3), BAD])) == [2]
    assert bench.predicted == {1: 20.0, 2: 20.0, 3: 20.0}

    bench.s3.error = None

    assert failed_at(bench.handle([ride(1), ride(2), BAD, ride(3), BAD])) == []
    assert bench.rejected == {2: "invalid_json", 4: "invalid_json"}


@pytest.mark.parametrize("bad_first", [True, False])
def test_handle_stream_and_store_down_reports_the_lowest_of_both(bad_first: bool) -> None:
    """With both down, whichever record comes first is the checkpoint."""
    payloads = [BAD, ride(1)] if bad_first else [ride(1), BAD]
    bench = Bench(kinesis=FakeKinesis([fail(DOWN)]), s3=FakeS3(DOWN))

    assert failed_at(bench.handle(payloads)) == [0]


# The environment is about to time out


def test_handle_without_time_reports_everything_and_does_nothing() -> None:
    """When the environment is about to end, the batch is reported from its first record on."""
    bench = Bench()

    assert failed_at(bench.handle([BAD, ride(1), ride(2)], seconds=0.2)) == [0]
    assert (bench.kinesis.calls, bench.s3.objects) == ([], {})


def test_handle_running_out_of_time_one_by_one_reports_the_rest() -> None:
    """Looking for the ride that breaks a batch stops in time; the rest is reported."""
    clock = ManualClock()

    def slow(features: Row) -> float:
        clock.sleep(10)
        return fails_on_13_miles(features)

    bench = Bench(FakePredictor(slow), clock=clock)

    answer = bench.handle([ride(0, 13.0), *(ride(n) for n in range(1, 20))], seconds=60)

    # The batch fails on its first ride after 10 seconds, and leaves 42.5 to work, half of them for
    # the rides alone: three of them, of which the first is the one to be rejected.
    assert failed_at(answer) == [3]
    assert bench.rejected == {0: "model_error"}
    assert bench.predicted == {1: 20.0, 2: 20.0}
    assert bench.clock.now <= 60


def test_handle_running_out_of_time_before_any_ride_is_predicted_fails_the_batch() -> None:
    """If time ends while every ride so far raised, none of them is rejected on suspicion."""
    clock = ManualClock()

    def slow(features: Row) -> float:
        clock.sleep(20)
        raise ValueError("down")

    bench = Bench(FakePredictor(slow), clock=clock)

    with pytest.raises(ModelBroken, match="each of the 1 rides that it was tried on"):
        bench.handle([ride(n) for n in range(10)])

    assert bench.s3.objects == {}


def test_handle_stuck_entry_does_not_keep_rejections_from_being_stored() -> None:
    """Rejections are safe before an entry that is refused to the end takes all the time."""
    kinesis = FakeKinesis(refuse(0) for _ in range(10_000))
    bench = Bench(kinesis=kinesis)

    assert failed_at(bench.handle([BAD, ride(1)])) == [1]
    assert bench.rejected == {0: "invalid_json"}


# Everything at once


def nan_on_13_miles(features: Row) -> float:
    return float("nan") if features["trip_distance"] == 13 else ten_minutes_a_mile(features)


def alone(payload: bytes | str) -> Any:
    """What becomes of a record in a batch of its own: its prediction, or why it is rejected."""
    bench = Bench(FakePredictor(nan_on_13_miles))
    answer = bench.handle([payload])
    return answer["predictions"][0]["prediction"] if answer["predictions"] else bench.rejected[0]


_ride = st.builds(
    ride,
    st.integers() | st.text(min_size=1, max_size=20),
    st.sampled_from([0.0, 1.5, 12.0, 13.0, 77.0]),
)


@given(
    payloads=st.lists(_ride | st.binary() | st.text(), max_size=12),
    refusals=st.lists(st.sets(st.integers(0, 11)), max_size=6),
    dies_at=st.none() | st.integers(0, 3),
    store_down=st.booleans(),
)
def test_handle_any_batch_ends_each_record_in_exactly_one_way(
    payloads: list[bytes | str], refusals: list[set[int]], dies_at: int | None, store_down: bool
) -> None:
    """Under any faults each record is predicted, rejected or reported, and as if it were alone."""
    answers = [refuse(*refused) for refused in refusals]
    if dies_at is not None:
        answers[dies_at:dies_at] = [fail(DOWN)]
    bench = Bench(
        FakePredictor(nan_on_13_miles),
        FakeKinesis(answers),
        FakeS3(DOWN if store_down else None),
    )

    answer = bench.handle(payloads)

    predicted = {
        int(event["event_id"].rpartition(":")[2]) - FIRST_SEQUENCE_NUMBER: event["prediction"]
        for event in bench.kinesis.events
    }
    assert len(predicted) == len(bench.kinesis.events)
    assert not predicted.keys() & bench.rejected.keys()
    done = predicted | bench.rejected
    (first,) = failed_at(answer) or [len(payloads)]
    for place, payload in enumerate(payloads):
        if place in done:
            assert done[place] == alone(payload)
        else:
            assert place >= first, "neither done nor to come again"
    assert first == len(payloads) or first not in done
