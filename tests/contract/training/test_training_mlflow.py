"""The training command, and what MLflow and the model's users find afterwards."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from event_source_mapping.emulator import Emulator
from model_service.models.digest import digest
from model_service.records.features import ride_features, rows
from model_service.records.ride_events import Ride
from tests.commands import finished
from training.training_errors import TrackingError

# MLflow warns of deprecations even when it is imported, which is why that is done late here.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

BUCKET = "mlflow-models"
PROJECT = Path(__file__).parents[3]
RIDES = ("--rides", "100")


def train(folder: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, with these variables."""
    return finished(
        [sys.executable, "-m", "training", *RIDES, *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(PROJECT), **environ},
    )


@dataclass(frozen=True)
class Trained:
    """A finished command, and where it logged to."""

    stdout: str
    result: dict[str, Any]
    folder: Path
    emulator: Emulator

    @property
    def artifacts(self) -> str:
        return f"1/{self.result['run_id']}/artifacts"

    def keys(self, prefix: str) -> set[str]:
        listed = self.emulator.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/")
        return {entry["Key"].removeprefix(f"{prefix}/") for entry in listed.get("Contents", ())}

    def read(self, key: str) -> bytes:
        found = self.emulator.client("s3").get_object(Bucket=BUCKET, Key=key)
        return bytes(found["Body"].read())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """One run, logged to an empty database and an empty bucket."""
    folder = tmp_path_factory.mktemp("training")
    with Emulator() as emulator:
        emulator.client("s3").create_bucket(Bucket=BUCKET)
        done = train(folder, MODEL_BUCKET=BUCKET, **emulator.environ)
        assert done.returncode == 0, done.stderr
        yield Trained(done.stdout, json.loads(done.stdout), folder, emulator)


@pytest.fixture
def run(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """MLflow's record of the run, with MLflow and its S3 client set to where it is."""
    for name, value in trained.emulator.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{trained.folder / 'mlflow.db'}")
    yield mlflow.get_run(trained.result["run_id"])
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type] # None resets it


def test_training_prints_one_json_line(trained: Trained) -> None:
    """Standard output is one line of JSON, with the names that scripts rely on."""
    assert trained.stdout.count("\n") == 1
    assert trained.result.keys() == {
        "run_id",
        "experiment_id",
        "model_location",
        "model_sha256",
        "rmse",
        "mae",
        "r2",
    }


def test_training_first_experiment_is_1(trained: Trained) -> None:
    """A fresh database's experiment is the one that functions look for by default."""
    assert trained.result["experiment_id"] == "1"
    assert trained.result["model_location"] == f"s3://{BUCKET}/{trained.artifacts}/model"


def test_training_classic_location_names_the_run(trained: Trained) -> None:
    """The model is under its run's artifacts, as before MLflow 3, and says whose it is."""
    mlmodel = trained.read(f"{trained.artifacts}/model/MLmodel").decode()

    assert f"\nrun_id: {trained.result['run_id']}\n" in mlmodel


def test_training_pointer_leads_to_the_same_bytes(trained: Trained) -> None:
    """The pointer's key is where MLflow 3 keeps the model: the same files, byte for byte."""
    pointer = json.loads(trained.read(f"{trained.artifacts}/model_pointer.json"))
    classic = f"{trained.artifacts}/model"

    assert pointer.keys() == {"key"}
    assert trained.keys(pointer["key"]) == trained.keys(classic) > {"MLmodel", "model.skops"}
    for name in trained.keys(classic):
        assert trained.read(f"{pointer['key']}/{name}") == trained.read(f"{classic}/{name}")


def test_training_digest_is_that_of_the_files(trained: Trained, tmp_path: Path) -> None:
    """The digest that is printed is the one that a function computes of what it downloads."""
    for name in trained.keys(f"{trained.artifacts}/model"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(trained.read(f"{trained.artifacts}/model/{name}"))

    assert digest(tmp_path) == trained.result["model_sha256"]


def test_training_packs_what_the_twin_serves_in_place_of(trained: Trained, tmp_path: Path) -> None:
    """A function brings scikit-learn's file along: it takes no more room there than it must."""
    (tmp_path / "model.skops").write_bytes(trained.read(f"{trained.artifacts}/model/model.skops"))

    with ZipFile(tmp_path / "model.skops") as archive:
        assert {part.compress_type for part in archive.infolist()} == {ZIP_DEFLATED}
    assert not [key for key in trained.keys(f"{trained.artifacts}/model") if "packed" in key]


def test_training_run_has_parameters_metrics_and_digest(trained: Trained, run: Any) -> None:
    """MLflow's record says what was learned from what, how well, and the model's digest."""
    assert run.info.status == "FINISHED"
    assert run.data.params == {
        "target": "duration",
        "train": "synthetic rides of seed 1",
        "train_rides": "100",
        "validate": "synthetic rides of seed 2",
        "validate_rides": "20",
        "model": "ridge",
        "alpha": "3.0",
        "solver": "sparse_cg",
        "tol": "1e-14",
    }
    scores = {name: trained.result[name] for name in ("rmse", "mae", "r2")}
    difference = run.data.metrics["twin_max_difference"]
    assert run.data.metrics == {**scores, "twin_max_difference": difference}
    assert 0 <= difference < 1e-9
    assert run.data.tags["model_sha256"] == trained.result["model_sha256"]


def test_training_run_uri_is_loaded_by_mlflow(run: Any) -> None:
    """`runs:/` still loads the model, both as scikit-learn and as a function of features."""
    import mlflow

    uri, rides = f"runs:/{run.info.run_id}/model", list(rows(ride_features([Ride(130, 205, 3.66)])))
    predictions = mlflow.sklearn.load_model(uri).predict(rides)

    assert 1 < predictions[0] < 60
    assert mlflow.pyfunc.load_model(uri).predict(rides).tolist() == predictions.tolist()


def test_training_without_bucket_logs_to_a_folder(tmp_path: Path) -> None:
    """Without a bucket, the model is in a local folder that can be a MODEL_LOCATION."""
    done = train(tmp_path, "--target", "tip")
    result = json.loads(done.stdout)

    assert result["model_location"].startswith(str(tmp_path))
    assert digest(Path(result["model_location"])) == result["model_sha256"]
    assert {path.name for path in tmp_path.iterdir()} == {"mlartifacts", "mlflow.db"}


@pytest.mark.parametrize("name", ["café", "100%20 #1?"])
def test_training_location_is_the_folder_whatever_its_name(tmp_path: Path, name: str) -> None:
    """The printed location exists and is in the folder, also for names that a URI would escape."""
    folder = tmp_path / name
    folder.mkdir()
    done = train(folder)
    cut_out = re.sub(r'.*"model_location": "([^"]*)".*', r"\1", done.stdout.strip())

    assert Path(cut_out).is_relative_to(folder)
    assert (Path(cut_out) / "MLmodel").exists()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_training_missing_bucket_is_one_line(trained: Trained, tmp_path: Path) -> None:
    """A bucket that is not there ends the command with one line that names it."""
    done = train(tmp_path, MODEL_BUCKET="nowhere", **trained.emulator.environ)

    assert (done.returncode, done.stdout) == (1, "")
    assert "s3://nowhere" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_tracker_other_artifact_root_is_refused(trained: Trained, run: Any) -> None:
    """An experiment that keeps its artifacts elsewhere is refused, with what to do about it."""
    from training.tracking import Tracker

    database = f"sqlite:///{trained.folder / 'mlflow.db'}"

    with pytest.raises(
        TrackingError, match=r"s3://mlflow-models/1, not in s3://other/1; set MODEL"
    ):
        Tracker.open({"MLFLOW_TRACKING_URI": database, "MODEL_BUCKET": "other"})


def test_tracker_bucket_uri_is_refused() -> None:
    """MODEL_BUCKET is a bucket's name, not its URI."""
    from training.tracking import Tracker

    with pytest.raises(TrackingError, match="MODEL_BUCKET='s3://b' is not allowed"):
        Tracker.open({"MODEL_BUCKET": "s3://b"})
