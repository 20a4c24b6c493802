"""The twin as a flavour of an MLflow model, beside its scikit-learn flavour.

This module is a flavour as `mlflow.models.Model.log` takes one: it has a `save_model`.
"""

import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow.sklearn
import onnx
from mlflow.models import Model

from model_service.events import Ride
from model_service.mlmodel import MLMODEL
from training.errors import CannotConvert
from training.twin.convert import convert
from training.twin.proof import largest_difference

FILE = "model.onnx"

_log = logging.getLogger(__name__)


def save_model(
    path: str, mlflow_model: Model, *, sk_model: Any, rides: Sequence[Ride], **options: Any
) -> None:
    """Save a scikit-learn model, and its twin if it has one; if not, say why.

    Args:
        path: The folder to make.
        mlflow_model: What its `MLmodel` is to say.
        sk_model: The model.
        rides: To compare the two on; best some that the model was not trained on.
        options: Those of `mlflow.sklearn.save_model`.
    """
    mlflow.sklearn.save_model(sk_model, path, mlflow_model=mlflow_model, **options)
    try:
        difference = add_twin(Path(path), mlflow_model, sk_model, rides)
    except CannotConvert as reason:
        _log.warning("no twin in ONNX, scikit-learn serves this model: %s", reason)
    else:
        mlflow.log_metric("onnx_max_difference", difference)


def add_twin(folder: Path, mlflow_model: Model, pipeline: Any, rides: Sequence[Ride]) -> float:
    """Write the twin of a model into the model's folder, and name it in its `MLmodel`.

    Returns:
        The largest difference on the rides, in the unit of the prediction.

    Raises:
        CannotConvert: The model has no twin; the folder is as it was.
    """
    path = folder / FILE
    onnx.save_model(convert(pipeline), path)
    try:
        difference = largest_difference(pipeline, folder, FILE, rides)
    except BaseException:
        path.unlink()
        raise
    # With the fields that mlflow.onnx writes, so that it can load it, too.
    mlflow_model.add_flavor(
        "onnx",
        onnx_version=version("onnx"),
        data=FILE,
        providers=["CPUExecutionProvider"],
        onnx_session_options=None,
        code=None,
    )
    mlflow_model.save(str(folder / MLMODEL))
    _log.info(
        "twin in ONNX: differs by at most %.1e on %d rides that were not trained on",
        difference,
        len(rides),
    )
    return difference
