"""Run ID -> model files in S3 -> local folder, verified.

MLflow 3 no longer writes a model under its run's artifacts ("MLflow 3", Migration Guide), so the
model of a run is looked for in this order:

1. `MODEL_LOCATION`, a folder or an `s3://` URI;
2. the classic prefix `<experiment>/<run>/artifacts/model/`;
3. the pointer `<experiment>/<run>/artifacts/model_pointer.json`, written by `training`;
4. a bounded scan of `<experiment>/models/*/artifacts/MLmodel` for the run ID.
"""

import atexit
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from model_service.errors import ModelNotFound, ModelRefused
from model_service.mlmodel import MLMODEL, MLmodel
from model_service.settings import Settings

POINTER = "model_pointer.json"
MAX_SCANNED_MODELS = 500
MAX_MODEL_FILES = 200
# Lambda's /tmp holds 512 MB unless configured otherwise.
MAX_MODEL_BYTES = 500_000_000
MAX_METADATA_BYTES = 1_000_000

_DOWNLOADS_AT_ONCE = 8


class S3Reader(Protocol):
    """The part of boto3's S3 client that is used here."""

    def list_objects_v2(self, **request: Any) -> Mapping[str, Any]:
        """A page of the objects under a prefix."""
        ...

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        """One object, whose `Body` is a stream."""
        ...


class Pointer(msgspec.Struct, frozen=True):
    """Where a run's model is: the key prefix of its folder, in the same bucket."""

    key: str


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
    location = settings.model_location
    if location is not None and not location.startswith("s3://"):
        folder = _local_folder(location)
    else:
        s3 = connect()
        source = _find_run(settings, s3) if location is None else _parse_uri(location)
        folder = _download(source, s3)
    if settings.model_sha256 is not None:
        _verify(folder, settings.model_sha256)
    return folder


def digest(folder: Path) -> str:
    """The SHA-256 of a model folder: every file's name and content.

    In a shell: `find . -type f | LC_ALL=C sort | xargs sha256sum | sha256sum`.
    """
    names = sorted(
        f"./{path.relative_to(folder).as_posix()}".encode()
        for path in folder.rglob("*")
        if path.is_file()
    )
    total = hashlib.sha256()
    for name in names:
        with (folder / name.decode()).open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(checksum.encode() + b"  " + name + b"\n")
    return total.hexdigest()


@dataclass(frozen=True, slots=True)
class _S3Folder:
    """Objects under one prefix, which has no slash at its ends."""

    bucket: str
    prefix: str

    def key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def uri(self, name: str = "") -> str:
        return f"s3://{self.bucket}/{self.key(name)}"


def _local_folder(location: str) -> Path:
    folder = Path(location)
    if not (folder / MLMODEL).is_file():
        raise ModelNotFound(
            f"MODEL_LOCATION={location!r}: there is no file {folder / MLMODEL}; "
            "set it to the folder or the s3:// URI of a model that MLflow logged"
        )
    return folder


def _parse_uri(uri: str) -> _S3Folder:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if not bucket:
        raise ModelNotFound(f"MODEL_LOCATION={uri!r} names no bucket; use s3://bucket/prefix")
    return _S3Folder(bucket, prefix.strip("/"))


def _find_run(settings: Settings, s3: S3Reader) -> _S3Folder:
    bucket, run_id = settings.model_bucket, settings.run_id
    if bucket is None or run_id is None:
        raise ModelNotFound("a model is looked for by MODEL_BUCKET and RUN_ID, and one is not set")
    experiment = settings.experiment_id
    run = _S3Folder(bucket, f"{experiment}/{run_id}/artifacts")
    classic = _S3Folder(bucket, run.key("model"))
    models = _S3Folder(bucket, f"{experiment}/models")
    if _read(classic, MLMODEL, s3) is not None:
        return classic
    found = _follow_pointer(run, s3) or _scan(models, run_id, s3)
    if found is None:
        raise ModelNotFound(
            f"no model of run {run_id}: looked for {classic.uri(MLMODEL)}, {run.uri(POINTER)} and "
            f"{models.uri('*/artifacts/MLmodel')} with that run_id; check RUN_ID, "
            "MLFLOW_EXPERIMENT_ID and MODEL_BUCKET, or set MODEL_LOCATION"
        )
    return found


def _follow_pointer(run: _S3Folder, s3: S3Reader) -> _S3Folder | None:
    content = _read(run, POINTER, s3)
    if content is None:
        return None
    try:
        pointer = msgspec.json.decode(content, type=Pointer)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ModelRefused(
            f'{run.uri(POINTER)} is not a pointer: {error}; it must be {{"key": "<prefix>"}}'
        ) from None
    return _S3Folder(run.bucket, pointer.key.strip("/"))


def _scan(models: _S3Folder, run_id: str, s3: S3Reader) -> _S3Folder | None:
    folders = _model_folders(models, s3)
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        runs = list(pool.map(lambda folder: _run_of(folder, s3), folders))
    found = [folder for folder, run in zip(folders, runs, strict=True) if run == run_id]
    if len(found) > 1:
        raise ModelRefused(
            f"run {run_id} logged {len(found)} models: {', '.join(f.uri() for f in found)}; "
            "set MODEL_LOCATION to the one to serve"
        )
    return found[0] if found else None


def _model_folders(models: _S3Folder, s3: S3Reader) -> list[_S3Folder]:
    prefixes: list[str] = []
    for page in _pages(models, s3, Delimiter="/"):
        prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", ())]
        if len(prefixes) > MAX_SCANNED_MODELS:
            raise ModelNotFound(
                f"{models.uri()} holds more than {MAX_SCANNED_MODELS} models, too many to look "
                "through for a run ID; set MODEL_LOCATION to the model's s3:// URI"
            )
    return [_S3Folder(models.bucket, f"{prefix}artifacts") for prefix in prefixes]


def _run_of(folder: _S3Folder, s3: S3Reader) -> str | None:
    content = _read(folder, MLMODEL, s3)
    return None if content is None else MLmodel.parse(content, folder.uri(MLMODEL)).run_id


def _download(source: _S3Folder, s3: S3Reader) -> Path:
    names = _list_files(source, s3)
    if MLMODEL not in names:
        raise ModelNotFound(
            f"there is no {source.uri(MLMODEL)}; set MODEL_LOCATION to the prefix that holds a "
            "model's MLmodel file"
        )
    folder = Path(tempfile.mkdtemp(prefix="model-"))
    # A model may read its files as late as when it predicts, so they go with the process.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        list(pool.map(lambda name: _download_file(source, name, folder, s3), names))
    return folder


def _list_files(source: _S3Folder, s3: S3Reader) -> list[str]:
    names: list[str] = []
    size = 0
    for page in _pages(source, s3):
        for entry in page.get("Contents", ()):
            if not entry["Key"].endswith("/"):  # the console makes empty objects for folders
                names.append(_safe_name(source, entry["Key"]))
                size += entry["Size"]
        if len(names) > MAX_MODEL_FILES or size > MAX_MODEL_BYTES:
            raise ModelRefused(
                f"{source.uri()} holds {len(names)} files of {size} bytes; a model may have "
                f"{MAX_MODEL_FILES} files of {MAX_MODEL_BYTES} bytes in all"
            )
    return names


def _safe_name(source: _S3Folder, key: str) -> str:
    name = key[len(source.key("")) :]
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise ModelRefused(f"s3://{source.bucket}/{key} would be written outside the model folder")
    return name


def _download_file(source: _S3Folder, name: str, folder: Path, s3: S3Reader) -> None:
    content = _get(source, name, s3)
    if content is None:
        raise ModelNotFound(f"{source.uri(name)} disappeared during the download; try again")
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        for chunk in content.iter_chunks(1 << 20):
            file.write(chunk)


def _read(folder: _S3Folder, name: str, s3: S3Reader) -> bytes | None:
    """The content of a small file; None if there is none."""
    content = _get(folder, name, s3)
    if content is None:
        return None
    data: bytes = content.read(MAX_METADATA_BYTES + 1)
    if len(data) > MAX_METADATA_BYTES:
        raise ModelRefused(f"{folder.uri(name)} is larger than {MAX_METADATA_BYTES} bytes")
    return data


def _get(folder: _S3Folder, name: str, s3: S3Reader) -> Any:
    try:
        return s3.get_object(Bucket=folder.bucket, Key=folder.key(name))["Body"]
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and _code(error) == "NoSuchKey":
            return None
        raise _unavailable(folder.uri(name), error) from None


def _pages(folder: _S3Folder, s3: S3Reader, **options: str) -> Iterator[Mapping[str, Any]]:
    request = {"Bucket": folder.bucket, "Prefix": folder.key(""), **options}
    while True:
        try:
            page = s3.list_objects_v2(**request)
        except (ClientError, BotoCoreError) as error:
            raise _unavailable(folder.uri(), error) from None
        yield page
        if not page.get("IsTruncated"):
            return
        request["ContinuationToken"] = page["NextContinuationToken"]


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _unavailable(uri: str, error: ClientError | BotoCoreError) -> ModelNotFound:
    remedy = "check the bucket, the network and the function's permissions"
    if isinstance(error, ClientError):
        if _code(error) == "NoSuchBucket":
            remedy = "the bucket does not exist: check MODEL_BUCKET or MODEL_LOCATION"
        elif (
            error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == HTTPStatus.FORBIDDEN
        ):
            remedy = (
                "grant the function s3:GetObject on it and s3:ListBucket on its bucket "
                "(without the latter, S3 denies access to what does not exist)"
            )
    return ModelNotFound(f"{uri} cannot be read ({error}); {remedy}")


def _verify(folder: Path, pinned: str) -> None:
    actual = digest(folder)
    if actual != pinned:
        raise ModelRefused(
            f"the model's digest is {actual}, and MODEL_SHA256 pins {pinned}: the files changed "
            "since they were pinned; serve the run that was pinned, or pin the new digest"
        )
