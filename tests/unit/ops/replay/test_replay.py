from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import OpsError
from event_source_mapping.memory_kinesis import MemoryKinesis
from model_service.models.model_errors import ModelBroken
from ops.replay.__main__ import main
from ops.replay.replay import PAGE_RECORDS, summary
from ops.replay.span import Bound, Span
from streams.deadline import Deadline
from streams.fakes import FakeKinesis, refuse
from streams.records import UserRecord
from streams.writer import Entry, StreamWriter
from tests.mapping import CountingKinesis
from tests.unit.ops.replay.world import World, ride

SHARD = "shardId-000000000000"


def connect(_: str) -> Any:
    """Return a client of streams that are not there."""
    return MemoryKinesis()


def test_replay_writes_the_events_that_the_service_makes() -> None:
    """Model, version, value and event ID are what a function with that run would put."""
    world = World()
    world.put(ride(7, 2.5))

    assert world.replay() == [
        {
            "model": "rides",
            "version": "new",
            "prediction": {"ride_duration": 25.0, "ride_id": 7},
            "event_id": f"rides:new:{SHARD}:{world.numbers[0]}",
        }
    ]


def test_replay_stops_behind_its_end() -> None:
    """A live stream is not followed for ever."""
    world = World()
    world.put(*[ride(1)] * (2 * PAGE_RECORDS + 1))
    world.kinesis = CountingKinesis(world.kinesis)

    events = world.replay(Span(None, Bound(sequence_number=int(world.numbers[0]))))

    assert len(events) == 1
    assert world.kinesis.reads == 2


def test_replay_counts_rides_bad_records_and_the_mean() -> None:
    """The summary has what one compares models by."""
    world = World()
    world.put(ride(1, 1.0), b"{", ride(2, 2.0), ride(3, "x"), ride(4, "y"))

    world.replay()

    assert list(summary(world.model, world.scorer.score, "written to f")) == [
        "model      rides, version new",
        "records           5, which came from 1970-01-01T00:00:01Z to 1970-01-01T00:00:05Z",
        "rides             2, predictions written to f",
        "rejected          3  (2 invalid_event, 1 invalid_json)",
        "mean          15.00  ride_duration",
    ]


def test_replay_of_nothing_has_no_mean() -> None:
    """An empty stretch is no fault."""
    world = World()
    world.replay()

    assert list(summary(world.model, world.scorer.score, "put nowhere"))[1:] == [
        "records           0",
        "rides             0, predictions put nowhere",
        "rejected          0",
    ]


def test_replay_with_a_model_that_fails_on_all_says_so() -> None:
    """As live: one line with where the model raised."""

    def fails(features: Any) -> float:
        raise RuntimeError("broken")

    world = World(predict=fails)
    world.put(ride(1))

    with pytest.raises(ModelBroken, match="failed on each of the 1 rides"):
        world.replay()


def test_output_that_does_not_take_all_ends_the_replay() -> None:
    """Where to go on is said."""

    class Full:
        def put(
            self, entries: Sequence[Entry[UserRecord]], deadline: Deadline
        ) -> list[Entry[UserRecord]]:
            return list(entries[1:])

    world = World(sink=Full())
    world.put(ride(1), ride(2))

    with pytest.raises(
        OpsError,
        match=f"go on with --shard {SHARD} --from {world.numbers[1]}, then with each shard after",
    ):
        world.replay()


def test_stream_output_sends_refused_predictions_again() -> None:
    """It is the sink that the function has."""
    kinesis = FakeKinesis([refuse(0)])
    world = World(sink=StreamWriter(kinesis, "candidate", sleep=lambda _: None))
    world.put(ride(1), ride(2))

    world.replay()

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
