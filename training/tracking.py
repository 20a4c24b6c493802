"""Runs, models and where they are kept: MLflow.

MLflow 3 keeps a logged model apart from its run ("MLflow 3", Migration Guide). What serves models
looks under the run, so the same bytes go there as well, with a pointer to the original.
"""

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

import mlflow
import mlflow.sklearn
import msgspec
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.store.db.db_types import DATABASE_ENGINES
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.types.schema import ColSpec, Schema
from sklearn.pipeline import Pipeline
from sqlalchemy.exc import SQLAlchemyError

from model_service.models.digest import digest
from model_service.models.run_artifacts import POINTER, Pointer
from model_service.models.sklearn_models import TRUSTED_TYPES
from model_service.records.ride_events import Ride
from training.training_errors import TrackingError
from training.twin import flavor

EXPERIMENT = "rides"
MODEL = "model"


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """A run that is logged.

    Attributes:
        model_location: Folder or `s3://` URI of the model's files under the run's artifacts.
        model_sha256: Digest of these files (see `model_service.models.run_artifacts.digest`).
    """

    run_id: str
    experiment_id: str
    model_location: str
    model_sha256: str


@dataclass(frozen=True, slots=True)
class Tracker:
    """Logs runs to one experiment.

    Attributes:
        uri: MLflow's tracking database or server.
        root: Folder or `s3://` URI that holds a folder for each experiment.
        experiment_id: The experiment's, which is also its folder's name.
    """

    uri: str
    root: str
    experiment_id: str

    @classmethod
    def open(cls, environ: Mapping[str, str]) -> Self:
        """Find or create the experiment.

        Args:
            environ: `MLFLOW_TRACKING_URI` and `MODEL_BUCKET` say where; without them it is the
                current directory.

        Raises:
            TrackingError: `MODEL_BUCKET` is not the name of a bucket, the experiment keeps its
                artifacts elsewhere, or there is no tracking database to be had.
        """
        uri = environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
        root = _artifact_root(environ.get("MODEL_BUCKET", ""))
        with _refusals(uri):
            mlflow.set_tracking_uri(uri)
            experiment = _experiment(uri, root)
        tracker = cls(uri, root, str(experiment.experiment_id))
        tracker._require_location(_plain(experiment.artifact_location))
        return tracker

    def log(
        self,
        pipeline: Pipeline,
        *,
        target: str,
        params: dict[str, Any],
        metrics: dict[str, float],
        held_out: Sequence[Ride],
    ) -> TrackedRun:
        """Log a run and its model, with the model's twin.

        Args:
            pipeline: Takes features, predicts the target.
            target: Name of what it predicts.
            params: What the model was made with.
            metrics: How well it predicts.
            held_out: Rides that it was not trained on, to compare it with its twin.

        Raises:
            TrackingError: The tracking database or the artifact store refuses the run.
        """
        with (
            _refusals(f"{self.uri} and {self.root}"),
            mlflow.start_run(experiment_id=self.experiment_id) as run,
        ):
            mlflow.log_params({"target": target, **params})
            mlflow.log_metrics(metrics)
            sha256 = self._log_model(pipeline, target, held_out)
            mlflow.set_tag("model_sha256", sha256)
        location = f"{_plain(run.info.artifact_uri)}/{MODEL}"
        return TrackedRun(run.info.run_id, self.experiment_id, location, sha256)

    def _require_location(self, there: str) -> None:
        asked = f"{self.root}/{self.experiment_id}"
        if there != asked:
            raise TrackingError(
                f"experiment {EXPERIMENT!r} in {self.uri} keeps its artifacts in {there}, not in "
                f"{asked}; set MODEL_BUCKET to the bucket that it uses (or unset it for a local "
                "folder), or MLFLOW_TRACKING_URI to another database"
            )

    def _log_model(self, pipeline: Pipeline, target: str, held_out: Sequence[Ride]) -> str:
        logged = Model.log(
            artifact_path=None,
            name=MODEL,
            flavor=flavor,
            sk_model=pipeline,
            rides=held_out,
            serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_SKOPS,
            skops_trusted_types=list(TRUSTED_TYPES),
            # A schema of the inputs would turn them into a DataFrame, which a DictVectorizer
            # does not take.
            signature=ModelSignature(outputs=Schema([ColSpec("double", target)])),
            pip_requirements=[f"{name}=={version(name)}" for name in ("scikit-learn", "skops")],
        )
        pointer = Pointer(_plain(logged.artifact_path).removeprefix(f"{self.root}/"))
        mlflow.log_dict(msgspec.to_builtins(pointer), POINTER)
        with tempfile.TemporaryDirectory() as folder:
            files = mlflow.artifacts.download_artifacts(logged.artifact_path, dst_path=folder)
            mlflow.log_artifacts(files, MODEL)
            return digest(Path(files))


def _artifact_root(bucket: str) -> str:
    if "/" in bucket:
        raise TrackingError(
            f"MODEL_BUCKET={bucket!r} is not allowed; it must be the name of a bucket"
        )
    return f"s3://{bucket}" if bucket else str(Path("mlartifacts").absolute())


@contextmanager
def _refusals(where: str) -> Iterator[None]:
    """Keep MLflow off standard output, which is for the result, and name what refuses."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (MlflowException, SQLAlchemyError, Boto3Error, BotoCoreError, ClientError) as error:
        raise TrackingError(f"the run cannot be logged to {where}: {error}") from error


def _experiment(uri: str, root: str) -> Experiment:
    store = _store(uri, root)
    found: Experiment | None = store.get_experiment_by_name(EXPERIMENT)
    return found or store.get_experiment(store.create_experiment(EXPERIMENT))


def _store(uri: str, root: str) -> Any:
    # Artifacts are to go to <root>/<experiment ID>, and a client that creates an experiment must
    # give its location before there is an ID. A database's own store takes the root instead.
    if uri.partition(":")[0].partition("+")[0] in DATABASE_ENGINES:
        return SqlAlchemyStore(uri, _uri(root))  # type: ignore[no-untyped-call]  # MLflow has no types
    return mlflow.MlflowClient()


def _uri(location: str) -> str:
    """A path as a URI, for MLflow would decode a `%20` in a path; any other location as it is."""
    return Path(location).as_uri() if location.startswith("/") else location


def _plain(uri: str) -> str:
    """A local location as a path, any other as it is."""
    return str(Path.from_uri(uri)) if uri.startswith("file:") else uri
