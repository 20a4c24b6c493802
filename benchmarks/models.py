"""The models that are measured, in folders as training logs them."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import mlflow.sklearn
import yaml
from mlflow.models import Model
from sklearn.pipeline import Pipeline

from benchmarks.results import Way
from benchmarks.ways import VERSION
from model_service.models.mlmodel import MLMODEL
from model_service.models.sklearn_models import TRUSTED_TYPES, predictor_of
from model_service.records.ride_events import Ride
from training.examples import Examples
from training.kinds import Kind
from training.model import fit
from training.twin.flavor import add_twin

KINDS: Mapping[str, Kind] = {
    "linear": Kind.RIDGE,
    "forest": Kind.FOREST,
    "boosting": Kind.BOOSTING,
}


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model and its folders.

    Attributes:
        pipeline: The fitted scikit-learn pipeline.
        folder: The model with all flavours.
        without_twin: The model without its twin, so that scikit-learn serves it.
        difference: The largest one between the model and its twin, in minutes.
    """

    pipeline: Pipeline
    folder: Path
    without_twin: Path
    difference: float

    def served(self, way: Way) -> Path:
        """Return the folder that a way loads."""
        return self.without_twin if way is Way.SKLEARN else self.folder


def train(kind: Kind, examples: Examples, held_out: Sequence[Ride], folder: Path) -> TrainedModel:
    """Fit a model, and save it and its twin into a new folder."""
    return save(fit(examples, kind), held_out, folder)


def save(pipeline: Pipeline, held_out: Sequence[Ride], folder: Path) -> TrainedModel:
    """Save a fitted model and its twin, compared on held-out rides, into a new folder."""
    described = Model(run_id=VERSION, artifact_path="model")
    with redirect_stdout(sys.stderr):
        mlflow.sklearn.save_model(
            pipeline,
            str(folder),
            mlflow_model=described,
            serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_SKOPS,
            skops_trusted_types=list(TRUSTED_TYPES),
            pip_requirements=[f"{name}=={version(name)}" for name in ("scikit-learn", "skops")],
        )
    difference = add_twin(folder, described, predictor_of(pipeline, folder, {}), held_out)
    return TrainedModel(pipeline, folder, _without_twin(folder), difference)


def _without_twin(folder: Path) -> Path:
    copied = folder.with_name(f"{folder.name}-without-twin")
    shutil.copytree(folder, copied)
    described = yaml.safe_load((copied / MLMODEL).read_text())
    for flavor in set(described["flavors"]) - {"sklearn", "python_function"}:
        (copied / described["flavors"].pop(flavor)["data"]).unlink()
    (copied / MLMODEL).write_text(yaml.safe_dump(described))
    return copied
