"""The models that are measured, in folders as training logs them."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from copy import copy
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow.sklearn
import yaml
from mlflow.models import Model
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks.ways import VERSION
from model_service.models.mlmodel import MLMODEL
from model_service.models.sklearn_models import TRUSTED_TYPES, predictor_of
from model_service.records.ride_events import Ride
from training.examples import Examples
from training.kinds import Kind
from training.model import fit
from training.twin.convert import convert
from training.twin.flavor import add_twin, write_twin

KINDS: Mapping[str, Kind] = {
    "linear": Kind.RIDGE,
    "forest": Kind.FOREST,
    "boosting": Kind.BOOSTING,
}


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """A model and where it is.

    Attributes:
        pipeline: As scikit-learn fitted it.
        folder: With all flavours.
        without_twin: The same without its twin, so that scikit-learn serves it.
    """

    pipeline: Pipeline
    folder: Path
    without_twin: Path


def train(kind: Kind, examples: Examples, held_out: Sequence[Ride], folder: Path) -> TrainedModel:
    """Fit a model and save it, its twin beside it; the folder is made."""
    return save(fit(examples, kind), held_out, folder)


def save(pipeline: Pipeline, held_out: Sequence[Ride], folder: Path) -> TrainedModel:
    """Save a fitted model, its twin beside it; the folder is made."""
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
    add_twin(folder, described, predictor_of(pipeline, folder, {}), held_out)
    return TrainedModel(pipeline, folder, _without_twin(folder))


def _without_twin(folder: Path) -> Path:
    copied = folder.with_name(f"{folder.name}-without-twin")
    shutil.copytree(folder, copied)
    described = yaml.safe_load((copied / MLMODEL).read_text())
    for flavor in set(described["flavors"]) - {"sklearn", "python_function"}:
        (copied / described["flavors"].pop(flavor)["data"]).unlink()
    (copied / MLMODEL).write_text(yaml.safe_dump(described))
    return copied


def with_trees(forest: Pipeline, count: int) -> Pipeline:
    """A forest of so many of a forest's trees; if those are fewer, they come again."""
    *steps, estimator = (step for _, step in forest.steps)
    grown = copy(estimator)
    trees = list(estimator.estimators_)
    grown.estimators_ = (trees * -(-count // len(trees)))[:count]
    grown.n_estimators = count
    return make_pipeline(*steps, grown)


def save_twin(pipeline: Any, folder: Path) -> None:
    """Save no more of a model than its twin; the folder is made."""
    folder.mkdir(parents=True)
    described = {"run_id": VERSION, "flavors": write_twin(convert(pipeline), folder)}
    (folder / MLMODEL).write_text(yaml.safe_dump(described))
