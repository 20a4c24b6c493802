import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import OpsError, Progress
from model_service.fake_model import FakePredictor
from model_service.models.loading import Model
from model_service.models.model_errors import ModelBroken
from model_service.records.features import Row
from ops.replay.__main__ import main
from ops.replay.replay import replay, summary
from ops.replay.score import LinesFile, Scorer
from ops.replay.span import Bound, Span
from streams.deadline import Deadline
from streams.fakes import FakeKinesis, refuse
from streams.records import UserRecord
from streams.writer import Entry, StreamWriter

SHARD = "shardId-000000000000"
EVERYTHING = Span(None, Bound(time=1e9))


def ride(ride_id: int, miles: object = 1.0) -> bytes:
    event = {"ride": {"PULocationID": 1, "DOLocationID": 2, "trip_distance": miles}}
    return json.dumps({**event, "ride_id": ride_id}).encode()


class FakeStream:
    """A stream of shards, each of them some pages of payloads; each record comes a second later."""

    def __init__(self, **shards: list[list[bytes]]) -> None:
        self._shards = shards
        self.reads: list[str] = []

    def list_shards(self, *, StreamName: str = "", NextToken: str = "") -> dict[str, Any]:
        return {"Shards": [{"ShardId": name} for name in self._shards]}

    def get_shard_iterator(self, *, ShardId: str, **request: Any) -> dict[str, str]:
        return {"ShardIterator": f"{ShardId} 0"}

    def get_records(self, *, ShardIterator: str, Limit: int) -> dict[str, Any]:
        self.reads.append(ShardIterator)
        name, place = ShardIterator.split()
        pages, number = self._shards[name], int(place)
        first = 1 + sum(map(len, pages[:number]))
        return {
            "Records": [
                {
                    "Data": data,
                    "PartitionKey": "key",
                    "SequenceNumber": str(first + n),
                    "ApproximateArrivalTimestamp": datetime.fromtimestamp(first + n, UTC),
                }
                for n, data in enumerate(pages[number])
            ],
            "NextShardIterator": f"{name} {number + 1}",
            "MillisBehindLatest": len(pages) - 1 - number,
        }


def connect(_: str) -> Any:
    """Return a client of a stream without shards."""
    return FakeStream()


def ten_minutes_a_mile(features: Row) -> float:
    return 10.0 * float(features["trip_distance"])


class Replaying:
    """A replay of a stream into memory."""

    def __init__(self, stream: FakeStream, predict: Any = ten_minutes_a_mile) -> None:
        self._stream = stream
        self.model = Model("rides", "new", "ride_duration", FakePredictor(predict))
        self._file = io.BytesIO()
        self.scorer = Scorer(self.model, "ride_events", LinesFile(self._file))

    def run(self, span: Span = EVERYTHING, only: str | None = None) -> list[Any]:
        replay(
            self._stream,
            self.scorer,
            "ride_events",
            span,
            only=only,
            progress=Progress("p", io.StringIO()),
            pause=lambda _: None,
        )
        return [json.loads(line) for line in self._file.getvalue().splitlines()]


def test_replay_writes_the_events_that_the_service_makes() -> None:
    """Model, version, value and event ID are what a function with that run would put."""
    assert Replaying(FakeStream(one=[[ride(7, 2.5)]])).run() == [
        {
            "model": "rides",
            "version": "new",
            "prediction": {"ride_duration": 25.0, "ride_id": 7},
            "event_id": "rides:new:one:1",
        }
    ]


def test_replay_reads_every_shard_to_its_end() -> None:
    """Empty pages are no end."""
    stream = FakeStream(one=[[ride(1)], [], [ride(2), ride(3)]], two=[[ride(4)]])

    events = Replaying(stream).run()

    assert [event["prediction"]["ride_id"] for event in events] == [1, 2, 3, 4]


def test_replay_of_one_shard_leaves_the_others() -> None:
    """With --shard only that one is read."""
    stream = FakeStream(one=[[ride(1)]], two=[[ride(2)]])

    events = Replaying(stream).run(only="two")

    assert [event["prediction"]["ride_id"] for event in events] == [2]
    assert stream.reads == ["two 0"]


def test_replay_stops_behind_its_end() -> None:
    """A live stream is not followed for ever."""
    stream = FakeStream(one=[[ride(1), ride(2)], [ride(3)], [ride(4)]])

    events = Replaying(stream).run(Span(None, Bound(sequence_number=1)))

    assert [event["prediction"]["ride_id"] for event in events] == [1]
    assert stream.reads == ["one 0", "one 1"]


def test_replay_counts_rides_bad_records_and_the_mean() -> None:
    """The summary has what one compares models by."""
    stream = FakeStream(one=[[ride(1, 1.0), b"{"], [ride(2, 2.0), ride(3, "x"), ride(4, "y")]])
    replaying = Replaying(stream)

    replaying.run()

    assert list(summary(replaying.model, replaying.scorer.score, "written to f")) == [
        "model      rides, version new",
        "records           5, which came from 1970-01-01T00:00:01Z to 1970-01-01T00:00:05Z",
        "rides             2, predictions written to f",
        "rejected          3  (2 invalid_event, 1 invalid_json)",
        "mean          15.00  ride_duration",
    ]


def test_replay_of_nothing_has_no_mean() -> None:
    """An empty stretch is no fault."""
    replaying = Replaying(FakeStream(one=[[]]))
    replaying.run()

    assert list(summary(replaying.model, replaying.scorer.score, "put nowhere"))[1:] == [
        "records           0",
        "rides             0, predictions put nowhere",
        "rejected          0",
    ]


def test_replay_with_a_model_that_fails_on_all_says_so() -> None:
    """As live: one line with where the model raised."""

    def fails(features: Any) -> float:
        raise RuntimeError("broken")

    with pytest.raises(ModelBroken, match="failed on each of the 1 rides"):
        Replaying(FakeStream(one=[[ride(1)]]), fails).run()


def test_output_that_does_not_take_all_ends_the_replay() -> None:
    """Where to go on is said."""

    class Full:
        def put(
            self, entries: Sequence[Entry[UserRecord]], deadline: Deadline
        ) -> list[Entry[UserRecord]]:
            return list(entries[1:])

    replaying = Replaying(FakeStream(one=[[ride(1), ride(2)]]))
    replaying.scorer = Scorer(replaying.model, "ride_events", Full())

    with pytest.raises(
        OpsError, match="go on with --shard one --from 2, then with each shard after it$"
    ):
        replaying.run()


def test_stream_output_sends_refused_predictions_again() -> None:
    """It is the sink that the function has."""
    kinesis = FakeKinesis([refuse(0)])
    replaying = Replaying(FakeStream(one=[[ride(1), ride(2)]]))
    sink = StreamWriter(kinesis, "candidate", sleep=lambda _: None)
    replaying.scorer = Scorer(replaying.model, "ride_events", sink)

    replaying.run()

    assert sorted(event["prediction"]["ride_id"] for event in kinesis.events) == [1, 2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--output", "-"], "--run-id is not set; set it to the MLflow run whose model is to be"),
        (["--output", "-", "--run-id", "a"], "--bucket is not set; set it to the S3 bucket of"),
        (["--output", "-", "--run-id", "a/b"], "--run-id='a/b' is not allowed; it must be letters"),
        (["--output", "-", "--from", "77"], "--shard is not given, and 77 is a sequence number"),
        (["--output", "-", "--from", "2022-01-02", "--to", "2022-01-01"], "--from is 2022-01-02T"),
        (["--output", "-", "--from", "2999-01-01"], "--from is 2999-01-01T00:00:00Z; it must not"),
        (
            ["--output", "-", "--shard", "s", "--from", "8", "--to", "7"],
            "--from is 8, and --to 7; it must not be later",
        ),
        (["--output", "exists", "--model-location", "m"], "--output 'exists' exists; name another"),
        (["--output", "stream:", "--model-location", "m"], "--output stream: names no stream; it"),
        (
            ["--output", "stream:ride_predictions", "--model-location", "m"],
            "--output stream:ride_predictions is not allowed without --yes: it is the stream of",
        ),
    ],
)
def test_main_names_the_option_that_is_wrong(
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """In one line, with its value and what is allowed; nothing is read before."""
    monkeypatch.chdir(tmp_path)
    for name in ("MODEL_BUCKET", "PREDICTIONS_STREAM_NAME"):
        monkeypatch.delenv(name, raising=False)
    Path("exists").write_text("")

    assert main(arguments, connect) == 1

    out, error = capsys.readouterr()
    assert error.startswith(said)
    assert (out, error.count("\n")) == ("", 1)


@pytest.mark.parametrize("stream", ["tips", "ride_predictions"])
def test_stream_that_functions_are_told_of_is_a_live_one_too(
    stream: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """PREDICTIONS_STREAM_NAME says which other stream needs --yes, as it tells the function."""
    monkeypatch.setenv("PREDICTIONS_STREAM_NAME", "tips")
    output = f"stream:{stream}"

    assert main(["--model-location", "m", "--output", output], connect) == 1
    assert capsys.readouterr().err.startswith(f"--output {output} is not allowed without --yes")


def test_output_that_got_nothing_is_not_in_the_way_of_the_next_try(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file for a model that is not there is not left behind."""
    output = tmp_path / "output"
    command = ["--output", str(output), "--model-location", str(tmp_path / "nowhere")]

    assert main(command, connect) == 1

    assert not output.exists()
    assert capsys.readouterr().err


def test_model_that_a_function_serves_is_not_taken_by_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """MODEL_LOCATION in the shell would win over the run that is named."""
    monkeypatch.setenv("MODEL_LOCATION", "/live")
    monkeypatch.setenv("RUN_ID", "live")
    monkeypatch.delenv("MODEL_BUCKET", raising=False)

    assert main(["--output", "-"], connect) == 1
    assert capsys.readouterr().err.startswith("--run-id is not set")


def test_output_is_never_chosen_for_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    """There is no default that could be a live stream."""
    with pytest.raises(SystemExit):
        main(["--run-id", "a"], connect)

    assert "the following arguments are required: --output" in capsys.readouterr().err
