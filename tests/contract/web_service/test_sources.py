"""The same ride gives the same minutes through every door, from every source of a model."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression

from local.sample_models import MODEL_BUCKET
from model_service.bootstrap import build_service
from model_service.records.features import ride_features, rows
from model_service.records.ride_events import Ride, RideEvent
from model_service.settings import Settings
from streams.deadline import Deadline
from streams.fakes import kinesis_event
from tests.conftest import PROJECT
from tests.s3_folders import download
from tests.tracking import ALIAS, NAME, Tracking
from tests.trip_files import write_trips
from tests.web import serving, start
from training.synthetic_rides import synthetic_rides

RUN = "Test123"
Door = Callable[[Mapping[str, str], Sequence[RideEvent], Path], list[float]]


def through_stream(
    variables: Mapping[str, str], events: Sequence[RideEvent], folder: Path
) -> list[float]:
    """Minutes by the Lambda function's service."""
    service = build_service(Settings.from_environ({**variables, "TEST_RUN": "True"}))
    answer = service.handle(kinesis_event([_encoded(event) for event in events]), Deadline(60))
    return [event["prediction"]["ride_duration"] for event in answer["predictions"]]


def through_web(
    variables: Mapping[str, str], events: Sequence[RideEvent], folder: Path
) -> list[float]:
    """Minutes by the web service: as rides in a list, which events in a list must equal."""
    with serving(folder, **variables) as web:
        answers = web.post([json.loads(_encoded(event))["ride"] for event in events]).json
        same = web.post([json.loads(_encoded(event)) for event in events]).json
    minutes = [answer["duration"] for answer in answers]
    assert [event["prediction"]["ride_duration"] for event in same] == minutes
    return minutes


def through_batch(
    variables: Mapping[str, str], events: Sequence[RideEvent], folder: Path
) -> list[float]:
    """Minutes by the command, which reads the rides from a file of TLC's."""
    rides = [event.ride for event in events]
    miles = [ride.trip_distance for ride in rides]
    zones: dict[str, Any] = {
        name: [getattr(ride, name) for ride in rides] for name in ("PULocationID", "DOLocationID")
    }
    name = "green_tripdata_2021-01.parquet"
    trips = write_trips(folder, name, len(rides), **zones, trip_distance=miles)
    with tempfile.TemporaryDirectory(dir=folder) as scored:
        subprocess.run(
            [sys.executable, "-m", "batch", "score", "--input", trips, "--output", scored],
            cwd=PROJECT,
            env={**os.environ, **variables},
            check=True,
        )
        minutes: list[float] = pq.read_table(scored)["predicted_minutes"].to_pylist()
    return minutes


# Each takes the variables that name a model, and rides. A registry's alias is the web's alone.
DOORS: dict[str, Door] = {"stream": through_stream, "web": through_web, "batch": through_batch}


def _encoded(event: RideEvent) -> bytes:
    return msgspec.json.encode(event)


@pytest.fixture(scope="module")
def events() -> list[RideEvent]:
    """Rides with all that is special: no distance, a distance that is clipped, unknown zones."""
    special = [Ride(10, 50, 0.0), Ride(10, 50, 100_000.0), Ride(264, 265, 3.66), Ride(999, 1, 1.0)]
    rides = [one.ride for one in synthetic_rides(200, seed=11)] + special
    return [RideEvent(ride, number) for number, ride in enumerate(rides)]


def test_doors_and_sources_give_the_same_minutes(
    server: Tracking,
    first: dict[str, Any],
    events: list[RideEvent],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A run by ID, a folder, and a registry's alias: the same minutes through every door."""
    for name, value in server.emulator.environ.items():
        monkeypatch.setenv(name, value)
    server.point(first["number"])
    run = {"RUN_ID": first["run_id"], "MODEL_BUCKET": MODEL_BUCKET}
    prefix = first["model_location"].removeprefix(f"s3://{MODEL_BUCKET}/")
    model = download(server.emulator.client("s3"), MODEL_BUCKET, prefix, tmp_path / "model")
    sources = {
        "run": {**run, "MLFLOW_EXPERIMENT_ID": first["experiment_id"]},
        "folder": {"MODEL_LOCATION": str(model)},
    }
    minutes = {
        (door, source): DOORS[door](variables, events, tmp_path)
        for door in DOORS
        for source, variables in sources.items()
    }
    registry = {"MLFLOW_TRACKING_URI": server.url, "MODEL_URI": f"models:/{NAME}@{ALIAS}"}
    minutes["web", "registry"] = through_web(registry, events, tmp_path)

    expected = minutes["stream", "run"]
    assert len(expected) == len(events)
    for values in minutes.values():
        assert values == pytest.approx(expected, abs=1e-6)


@pytest.fixture(scope="module")
def pair(events: list[RideEvent]) -> tuple[DictVectorizer, LinearRegression]:
    """What the course's lin_reg.bin holds: a vectorizer of two features, and a linear model."""
    features = [_course_features(event.ride) for event in events]
    vectorizer = DictVectorizer()
    table = vectorizer.fit_transform(features)
    return vectorizer, LinearRegression().fit(table, [4 * f["trip_distance"] + 3 for f in features])


def _course_features(ride: Ride) -> dict[str, Any]:
    (ours,) = rows(ride_features([ride]))
    return {name: ours[name] for name in ("PU_DO", "trip_distance")}


def test_pickled_pair_predicts_as_its_model_does(
    pair: tuple[DictVectorizer, LinearRegression], events: list[RideEvent], tmp_path: Path
) -> None:
    """`lin_reg.bin`, pinned by its digest, gives what vectorizer and model give by hand."""
    vectorizer, model = pair
    file = tmp_path / "lin_reg.bin"
    file.write_bytes(pickle.dumps(pair))
    pinned = hashlib.sha256(file.read_bytes()).hexdigest()
    variables = {"MODEL_LOCATION": str(file), "RUN_ID": RUN, "MODEL_SHA256": pinned}

    minutes = through_web(variables, events, tmp_path)

    rides = [_course_features(event.ride) for event in events]
    assert minutes == pytest.approx(model.predict(vectorizer.transform(rides)), abs=1e-6)


@pytest.mark.parametrize(
    ("content", "variables", "said"),
    [
        ("pair", {"RUN_ID": RUN}, "is a pickle file, which can run any code when it is loaded"),
        ("pair", {"ALLOW_PICKLE": "True"}, "RUN_ID is not set"),
        ("pair", {"RUN_ID": RUN, "MODEL_SHA256": "0" * 64}, "MODEL_SHA256 pins 000"),
        ("model", {"RUN_ID": RUN, "ALLOW_PICKLE": "True"}, "is not a pickled pair"),
        ("text", {"RUN_ID": RUN, "ALLOW_PICKLE": "True"}, "is not a pickled pair"),
    ],
)
def test_pickled_pair_is_refused_unless_it_is_one_and_trusted(
    pair: tuple[DictVectorizer, LinearRegression],
    content: str,
    variables: dict[str, str],
    said: str,
    tmp_path: Path,
) -> None:
    """A pickle is only loaded where it is pinned or allowed, and must hold the two."""
    file = tmp_path / "lin_reg.bin"
    contents = {"pair": pickle.dumps(pair), "model": pickle.dumps(pair[1]), "text": b"text"}
    file.write_bytes(contents[content])
    log = tmp_path / "log"

    assert start(log, MODEL_LOCATION=str(file), **variables).wait(60) != 0

    assert said in log.read_text()
    assert "Traceback" not in log.read_text()
