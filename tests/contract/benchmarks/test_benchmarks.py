"""The ways that `make bench` compares do the same work."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from benchmarks import decision_costs as decisions
from benchmarks.bench_plan import QUICK
from benchmarks.bench_rides import kinesis_events, write_rides
from benchmarks.models import TrainedModel, train
from benchmarks.reference import PyfuncModel, Reference
from benchmarks.results import Puts, Way
from benchmarks.speeds import Job, measure
from benchmarks.stub import kinesis_stub
from benchmarks.ways import CREDENTIALS, VERSION, handler
from model_service.models.loading import Model
from model_service.models.predictors import load_predictor
from model_service.service import Service
from streams.deadline import Deadline
from streams.fakes import FakeKinesis
from streams.rejections import NoRejectionStore
from streams.writer import StreamWriter
from training.examples import Examples
from training.kinds import Kind
from training.model import predict
from training.synthetic import synthetic_rides

if TYPE_CHECKING:
    from types_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

MADE = synthetic_rides(400, seed=5)
EXAMPLES = Examples("made", [made.ride for made in MADE], [made.duration for made in MADE])
HELD_OUT = [made.ride for made in synthetic_rides(20, seed=6)]


class OneByOne(FakeKinesis):
    """A fake that has PutRecord, too."""

    def put_record(self, *, StreamName: str, Data: str, PartitionKey: str) -> Mapping[str, Any]:
        entry = {"Data": Data, "PartitionKey": PartitionKey}
        return self.put_records(StreamName=StreamName, Records=[entry])


@pytest.fixture(scope="module", params=[Kind.RIDGE, Kind.BOOSTING])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    """A model that takes dicts, and one that takes a table."""
    folder = tmp_path_factory.mktemp("models") / "model"
    return train(request.param, EXAMPLES, HELD_OUT, folder)


@pytest.fixture
def rides(tmp_path: Path) -> Path:
    path = tmp_path / "rides.jsonl"
    write_rides(path, HELD_OUT)
    return path


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def minutes(kinesis: FakeKinesis) -> dict[Any, float]:
    """Return the predictions on a stream, by ride."""
    predictions = [event["prediction"] for event in kinesis.events]
    return {each["ride_id"]: each["ride_duration"] for each in predictions}


@pytest.mark.parametrize("batched", [False, True])
def test_reference_and_product_predict_the_same(
    batched: bool, model: TrainedModel, rides: Path
) -> None:
    """The reference, its batched form and both flavours of the product give equal predictions."""
    (event,) = kinesis_events(rides, len(HELD_OUT))
    compared = OneByOne()
    Reference(PyfuncModel(model.folder), VERSION, compared, batched=batched).handle(event)

    expected = dict(enumerate(predict(model.pipeline, HELD_OUT).tolist(), start=1))
    assert minutes(compared) == pytest.approx(expected, abs=1e-9)
    assert len(compared.calls) == (1 if batched else len(HELD_OUT))
    for folder in (model.folder, model.without_twin):
        put = FakeKinesis()
        Service(
            model=Model("m", VERSION, "ride_duration", load_predictor(folder, trusted=False)),
            predictions=StreamWriter(put, "predictions"),
            rejections=NoRejectionStore(),
            return_predictions=False,
        ).handle(event, Deadline(60))
        assert minutes(put) == pytest.approx(expected, abs=1e-9)


def test_scikit_learn_serves_the_way_that_is_named_after_it(model: TrainedModel) -> None:
    """The product's two ways load two flavours of the same model."""
    product, sklearn = (
        type(load_predictor(model.served(way), trusted=False)).__name__
        for way in (Way.PRODUCT, Way.SKLEARN)
    )

    assert product in ("LinearModel", "OnnxModel")
    assert sklearn == "SklearnModel"


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("way", list(Way))
def test_way_handles_an_event(way: Way, model: TrainedModel, rides: Path) -> None:
    """Each way that is timed handles a whole event, with puts, and raises nothing."""
    with kinesis_stub() as endpoint:
        handler(way, model.served(way), endpoint)(kinesis_events(rides, 5)[0])


@pytest.mark.usefixtures("credentials")
def test_measure_times_each_way_at_each_size_of_batch(model: TrainedModel, rides: Path) -> None:
    """Each way runs in a separate process and is timed at every size of batch."""
    ways = (Way.REFERENCE, Way.PRODUCT, Way.FLOOR)
    jobs = [Job(way, model.served(way), None, rides) for way in ways]

    found = measure("linear", jobs, Puts.NONE, QUICK)

    assert {(speed.batch, speed.way) for speed in found} == {
        (batch, way) for batch in QUICK.batches for way in ways
    }
    assert all(speed.microseconds.low > 0 for speed in found)


def test_stub_answers_boto3_after_its_delay() -> None:
    """The stub answers for every entry, also where a key looks like part of a request."""
    with kinesis_stub(0.001) as endpoint:
        client = boto3.client(
            "kinesis",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        entry: PutRecordsRequestEntryTypeDef = {
            "Data": b"{}",
            "PartitionKey": '"PartitionKey": "1"',
        }
        together = client.put_records(StreamName="s", Records=[entry] * 500)
        alone = client.put_record(StreamName="s", Data=b"{}", PartitionKey="1")

    assert len(together["Records"]) == 500
    assert alone["SequenceNumber"] == "1"


def pickups(event: Mapping[str, Any]) -> list[int]:
    """Return where the rides of an event start."""
    payloads = [base64.b64decode(record["kinesis"]["data"]) for record in event["Records"]]
    return [json.loads(payload)["ride"]["PULocationID"] for payload in payloads]


def test_events_are_whole_batches_in_order(rides: Path) -> None:
    """Twenty rides are two batches of nine; the last two rides are left out."""
    zones = [ride.PULocationID for ride in HELD_OUT]

    assert [*map(pickups, kinesis_events(rides, 9))] == [zones[:9], zones[9:18]]


def test_events_larger_than_the_file_repeat_its_rides(rides: Path) -> None:
    """A repeated ride has another sequence number."""
    (event,) = kinesis_events(rides, 22)

    zones = [ride.PULocationID for ride in HELD_OUT]
    assert pickups(event) == [*zones, *zones[:2]]
    assert len({record["kinesis"]["sequenceNumber"] for record in event["Records"]}) == 22


def test_decisions_are_measured_by_the_real_clients() -> None:
    """Two predictions cost the units that docs/decisions.md states, in one batch or in two."""
    apart, together = (decisions.measured(2, rides=3, together=each) for each in (False, True))

    units = ("write units", "index units", "read units")
    assert [apart[name] for name in units] == [3, 2, 2]
    assert [together[name] for name in units] == [2, 2, 1]
    assert apart["core ms"] > 0
