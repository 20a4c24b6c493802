"""Run ID -> model files in S3 -> local folder, verified.

MLflow 3 no longer writes a model under its run's artifacts ("MLflow 3", Migration Guide), so the
model of a run is looked for in this order:

1. `MODEL_LOCATION`, a folder or an `s3://` URI;
2. the classic prefix `<experiment>/<run>/artifacts/model/`;
3. the pointer `<experiment>/<run>/artifacts/model_pointer.json`, written by `training`;
4. a bounded scan of `<experiment>/models/*/artifacts/MLmodel` for the run ID.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from model_service.models.digest import require_digest
from model_service.models.mlmodel import MLMODEL, MLmodel
from model_service.models.model_errors import ModelNotFound, ModelRefused
from model_service.models.s3_folder import DOWNLOADS_AT_ONCE, S3Folder, S3Reader
from model_service.models.workspace import new_folder
from model_service.settings import Settings
from streams.errors import brief

logger = logging.getLogger(__name__)

_MAX_LISTED_CHARACTERS = 500

POINTER = "model_pointer.json"
MAX_SCANNED_MODELS = 500
MAX_KEY_CHARACTERS = 1024  # S3's own limit, in bytes ("Creating object key names", S3 User Guide)


class Pointer(msgspec.Struct, frozen=True):
    """Where a run's model is: the key prefix of its folder, in the same bucket."""

    key: Annotated[str, Meta(max_length=MAX_KEY_CHARACTERS)]


def fetch_model(settings: Settings, connect: Callable[[], S3Reader]) -> Path:
    """Bring the model that the settings name into a local folder.

    Args:
        settings: Name the model, and pin its digest.
        connect: Makes an S3 client; not called for a model that is a local folder.

    Raises:
        ModelNotFound: It is not there, or S3 does not give it; the message names bucket, key and
            remedy.
        ModelRefused: Its digest is not the pinned one, or its files are not those of a model.
    """
    location, pinned = settings.model_location, settings.model_sha256
    if location is not None and not location.startswith("s3://"):
        folder = _local_folder(location)
        require_digest(folder, pinned)
        return folder
    s3 = connect()
    source = _find_run(settings, s3) if location is None else _parse_uri(location, s3)
    names = _files(source)
    with new_folder("model") as folder:
        source.download(names, folder)
        require_digest(folder, pinned)
    return folder


def _local_folder(location: str) -> Path:
    folder = Path(location)
    if not (folder / MLMODEL).is_file():
        raise ModelNotFound(
            f"MODEL_LOCATION={location!r}: there is no file {folder / MLMODEL}; "
            "set it to the folder or the s3:// URI of a model that MLflow logged"
        )
    return folder


def _parse_uri(uri: str, s3: S3Reader) -> S3Folder:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise ModelNotFound(f"MODEL_LOCATION={uri!r} names no bucket; use s3://bucket/prefix")
    return S3Folder(s3, bucket, prefix.strip("/"))


def _find_run(settings: Settings, s3: S3Reader) -> S3Folder:
    bucket, run_id = settings.model_bucket, settings.run_id
    if bucket is None or run_id is None:
        raise ModelNotFound("a model is looked for by MODEL_BUCKET and RUN_ID, and one is not set")
    experiment = S3Folder(s3, bucket, settings.experiment_id)
    run, models = experiment.folder(f"{run_id}/artifacts"), experiment.folder("models")
    classic = run.folder("model")
    if classic.read(MLMODEL) is not None:
        return classic
    found = _follow_pointer(run)
    if found is not None:
        return found
    nowhere = (
        f"no model of run {run_id}: looked for {classic.uri(MLMODEL)}, {run.uri(POINTER)} and "
    )
    remedy = "check RUN_ID, MLFLOW_EXPERIMENT_ID and MODEL_BUCKET, or set MODEL_LOCATION"
    everywhere = models.uri("*/artifacts/MLmodel")
    try:
        found = _scan(models, run_id)
    except ModelNotFound as error:
        # A role that may read only its run's folder, most likely, and a run ID that is wrong.
        raise ModelNotFound(f"{nowhere}, in vain, {everywhere}; {remedy}: {error}") from None
    if found is None:
        raise ModelNotFound(f"{nowhere}{everywhere} with that run_id; {remedy}")
    return found


def _follow_pointer(run: S3Folder) -> S3Folder | None:
    content = run.read(POINTER)
    if content is None:
        return None
    try:
        pointer = msgspec.json.decode(content, type=Pointer)
    except ValueError as error:
        raise ModelRefused(
            f'{run.uri(POINTER)} is not a pointer: {error}; it must be {{"key": "<prefix>"}}'
        ) from None
    return S3Folder(run.client, run.bucket, pointer.key.strip("/"))


def _scan(models: S3Folder, run_id: str) -> S3Folder | None:
    folders = [model.folder("artifacts") for model in models.folders(MAX_SCANNED_MODELS)]
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        runs = list(pool.map(_run_of, folders))
    found = [folder for folder, run in zip(folders, runs, strict=True) if run == run_id]
    if len(found) > 1:
        raise ModelRefused(
            f"run {run_id} logged {len(found)} models: "
            f"{brief(', '.join(f.uri() for f in found), _MAX_LISTED_CHARACTERS)}; "
            "set MODEL_LOCATION to the one to serve"
        )
    return found[0] if found else None


def _run_of(folder: S3Folder) -> str | None:
    content = folder.read(MLMODEL)
    if content is None:
        return None
    try:
        return MLmodel.parse(content, folder.uri(MLMODEL)).run_id
    except ModelRefused as error:
        # Some other run's, most likely: it must not keep this one from being served.
        logger.warning("passed over while looking for a run's model: %s", error)
        return None


def _files(source: S3Folder) -> list[str]:
    names = source.files()
    if MLMODEL not in names:
        raise ModelNotFound(
            f"there is no {source.uri(MLMODEL)}; set MODEL_LOCATION to the prefix that holds a "
            "model's MLmodel file"
        )
    return names
