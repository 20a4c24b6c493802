"""The ways that `make bench` compares do the same work."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from benchmarks import decision_costs as decisions
from benchmarks.events import kinesis_events, write_rides
from benchmarks.growth import long_run
from benchmarks.models import TrainedModel, train, with_trees
from benchmarks.reference import PyfuncModel, Reference
from benchmarks.results import Way
from benchmarks.stub import kinesis_stub
from benchmarks.ways import CREDENTIALS, VERSION, handler
from benchmarks.worker import Job, Request, Worker
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
    """Takes PutRecord, too."""

    def put_record(self, *, StreamName: str, Data: str, PartitionKey: str) -> Mapping[str, Any]:
        entry = {"Data": Data, "PartitionKey": PartitionKey}
        return self.put_records(StreamName=StreamName, Records=[entry])


@pytest.fixture(scope="module", params=[Kind.RIDGE, Kind.BOOSTING])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TrainedModel:
    """One that takes dicts, and one that takes a table."""
    folder = tmp_path_factory.mktemp("models") / "model"
    return train(request.param, EXAMPLES, HELD_OUT, folder)


@pytest.fixture
def rides(tmp_path: Path) -> Path:
    path = tmp_path / "rides.jsonl"
    write_rides(path, HELD_OUT)
    return path


def minutes(kinesis: FakeKinesis) -> dict[Any, float]:
    """The predictions on a stream, by ride."""
    predictions = [event["prediction"] for event in kinesis.events]
    return {each["ride_id"]: each["ride_duration"] for each in predictions}


@pytest.mark.parametrize("predicts_batches", [False, True])
@pytest.mark.parametrize("puts_batches", [False, True])
def test_reference_and_product_predict_the_same(
    predicts_batches: bool, puts_batches: bool, model: TrainedModel, rides: Path
) -> None:
    """Equality before speed: the reference, each step from it, and both flavours of the product."""
    (event,) = kinesis_events(rides, len(HELD_OUT))
    compared = OneByOne()
    Reference(
        PyfuncModel(model.folder),
        VERSION,
        compared,
        predicts_batches=predicts_batches,
        puts_batches=puts_batches,
    ).handle(event)

    expected = dict(enumerate(predict(model.pipeline, HELD_OUT).tolist(), start=1))
    assert minutes(compared) == pytest.approx(expected, abs=1e-9)
    assert len(compared.calls) == (1 if puts_batches else len(HELD_OUT))
    for folder in (model.folder, model.without_twin):
        put = FakeKinesis()
        Service(
            model=Model("m", VERSION, "ride_duration", load_predictor(folder, trusted=False)),
            predictions=StreamWriter(put, "predictions"),
            rejections=NoRejectionStore(),
            return_predictions=False,
        ).handle(event, Deadline(60))
        assert minutes(put) == pytest.approx(expected, abs=1e-9)


def test_without_twin_is_served_by_scikit_learn(model: TrainedModel) -> None:
    """The product's two ways that are compared are two."""
    names = [
        type(load_predictor(folder, trusted=False)).__name__
        for folder in (model.folder, model.without_twin)
    ]

    assert names[0] in ("LinearModel", "OnnxModel")
    assert names[1] == "SklearnModel"


def test_forest_of_more_trees_predicts_what_its_trees_do(tmp_path: Path) -> None:
    """Trees that come again change the cost, and not the mean of all."""
    forest = train(Kind.FOREST, EXAMPLES, HELD_OUT, tmp_path / "forest").pipeline

    twice = with_trees(forest, 200)

    assert len(twice[-1].estimators_) == 200
    assert predict(twice, HELD_OUT) == pytest.approx(predict(forest, HELD_OUT))


@pytest.mark.parametrize("way", list(Way))
def test_ways_take_events(
    way: Way, model: TrainedModel, rides: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each way that is timed takes a whole event, puts included, and raises nothing."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    folder = model.without_twin if way is Way.SKLEARN else model.folder
    with kinesis_stub() as endpoint:
        handler(way, folder, endpoint)(kinesis_events(rides, 5)[0])


def test_stub_answers_boto3_after_its_delay() -> None:
    """boto3 takes the stub for Kinesis."""
    with kinesis_stub(0.001) as endpoint:
        client = boto3.client(
            "kinesis",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        entries: list[PutRecordsRequestEntryTypeDef] = [
            {"Data": b"{}", "PartitionKey": str(place)} for place in range(500)
        ]
        together = client.put_records(StreamName="s", Records=entries)
        alone = client.put_record(StreamName="s", Data=b"{}", PartitionKey="1")

    assert len(together["Records"]) == 500
    assert alone["SequenceNumber"] == "1"


def test_worker_times_whole_batches(model: TrainedModel, rides: Path) -> None:
    """A sample is of whole batches, of the product and of ways that were given time enough."""
    with Worker(Job(Way.PRODUCT, str(model.folder), None, str(rides))) as worker:
        sample = worker.sample(Request(20, 0, batches=4))

    assert (sample.rides, sample.event) == (80, 20)
    assert sample.seconds > 0
    assert sample.resident_mib > 0


def test_worker_that_fails_is_an_error(rides: Path) -> None:
    """A process that ends is told of, and not waited for."""
    with pytest.raises(RuntimeError, match=r"the process of product ended"):
        Worker(Job(Way.PRODUCT, "missing", None, str(rides)))


def test_long_run_looks_at_memory_along_the_way(model: TrainedModel, rides: Path) -> None:
    """Of so many batches, each look shows how many rides were done, and the memory."""
    with kinesis_stub() as endpoint:
        run = long_run(model.folder, rides, endpoint, batch=50, batches=6, looks=3)

    assert run.rides == [0, 100, 200, 300]
    assert len(run.resident_mib) == 4


def test_decisions_are_measured_by_the_real_clients() -> None:
    """Units of two predictions in two batches, and in one, are those that the guide states."""
    apart, together = (decisions.measured(2, rides=3, together=each) for each in (False, True))

    units = ("write units", "index units", "read units")
    assert [apart[name] for name in units] == [3, 2, 2]
    assert [together[name] for name in units] == [2, 2, 1]
    assert apart["core ms"] > 0
