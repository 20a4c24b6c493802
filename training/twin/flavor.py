"""The twin as flavours of an MLflow model, beside its scikit-learn flavour.

This module is a flavour as `mlflow.models.Model.log` takes one: it has a `save_model`.
"""

import logging
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import mlflow.sklearn
import msgspec
import onnx
from mlflow.models import Model

from model_service.models.mlmodel import MLMODEL
from model_service.models.model_files import read_mlmodel
from model_service.models.predictors import TWINS
from model_service.models.sklearn_models import SklearnModel, predictor_of
from model_service.models.weights import FLAVOR as WEIGHTS
from model_service.records.ride_events import Ride
from training.training_errors import CannotConvert
from training.twin.convert import Twin, convert
from training.twin.proof import largest_difference

ONNX_FILE, WEIGHTS_FILE = "model.onnx", "weights.json"

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
        model = predictor_of(sk_model, Path(path), read_mlmodel(Path(path)).input_types)
        difference = add_twin(Path(path), mlflow_model, model, rides)
    except CannotConvert as reason:
        _log.warning("no twin, scikit-learn serves this model: %s", reason)
    else:
        mlflow.log_metric("twin_max_difference", difference)


def add_twin(
    folder: Path, mlflow_model: Model, model: SklearnModel, rides: Sequence[Ride]
) -> float:
    """Write the twin of a model into the model's folder, and name it in its `MLmodel`.

    The model's own file is then of no use to the function, which brings it from S3 all the same,
    for a digest covers it: a skops file is packed.

    Returns:
        The largest difference on the rides, in the unit of the prediction.

    Raises:
        CannotConvert: The model has no twin; the folder is as it was.
    """
    try:
        flavors = write_twin(convert(model.estimator), folder)
        difference = max(
            largest_difference(model, TWINS[name](folder, flavor), rides)
            for name, flavor in flavors.items()
        )
    except BaseException:
        for file in (ONNX_FILE, WEIGHTS_FILE):
            (folder / file).unlink(missing_ok=True)
        raise
    for name, flavor in flavors.items():
        mlflow_model.add_flavor(name, **flavor)
    flavor = mlflow_model.flavors["sklearn"]
    # Told by the flavour: a pickle that holds an archive looks like one.
    if flavor["serialization_format"] == "skops":
        _pack(folder / flavor["pickled_model"])
    files = (path for path in folder.rglob("*") if path.is_file())
    mlflow_model.model_size_bytes = sum(path.stat().st_size for path in files)
    mlflow_model.save(str(folder / MLMODEL))
    _log.info(
        "twin (%s): differs by at most %.1e on %d rides that were not trained on",
        " and ".join(flavors),
        difference,
        len(rides),
    )
    return difference


def write_twin(twin: Twin, folder: Path) -> dict[str, dict[str, Any]]:
    """Write the files of a twin; answer with its flavours, as an `MLmodel` names them."""
    onnx.save_model(twin.onnx, folder / ONNX_FILE)
    # With the fields that mlflow.onnx writes, so that it can load it, too.
    flavors: dict[str, dict[str, Any]] = {
        "onnx": {
            "onnx_version": version("onnx"),
            "data": ONNX_FILE,
            "providers": ["CPUExecutionProvider"],
            "onnx_session_options": None,
            "code": None,
        }
    }
    if twin.weights is not None:
        (folder / WEIGHTS_FILE).write_bytes(msgspec.json.encode(twin.weights))
        flavors[WEIGHTS] = {"data": WEIGHTS_FILE}
    return flavors


def _pack(path: Path) -> None:
    """Deflate a skops file, which is an archive that nothing was deflated in."""
    packed = path.with_name(f"{path.name}.packed")
    with ZipFile(path) as old, ZipFile(packed, "w", ZIP_DEFLATED) as new:
        for part in old.infolist():
            # With the date it has: a release knows a twin that it made before by its digest.
            new.writestr(part, old.read(part), ZIP_DEFLATED)
    packed.replace(path)
