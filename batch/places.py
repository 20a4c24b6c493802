"""Where trips come from and scored files go: a folder here, or one in S3.

A scored file is there as a whole or not at all. Here, it is written beside its place and renamed;
in S3, an upload shows once it is complete. What a scored file is made of (`manifest`) goes with it,
so that there is no second file which could say something else.
"""

import hashlib
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from batch.batch_errors import OutputError, TripsError, UsageError
from model_service.models.workspace import workspace

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# In the metadata of a scored Parquet file, and in those of its object in S3.
MANIFEST = "manifest"

_S3 = "s3://"
_PARTS = ".part"


class Source(Protocol):
    """Holds trip files. Every method raises `TripsError` where it cannot be read."""

    def names(self) -> Sequence[str]:
        """What the files are called."""
        ...

    def identity(self, name: str) -> str:
        """Another one whenever the file's content is another."""
        ...

    def opened(self, name: str) -> AbstractContextManager[Path]:
        """A context: the path of the file, here, for as long as it lasts."""
        ...


class Target(Protocol):
    """Takes scored files. Every method raises `OutputError` where it cannot be used."""

    def manifest(self, key: str) -> str | None:
        """The manifest of a scored file; None if no file is there.

        One that is not a scored file is an `OutputError`: it is not ours to write over.
        """
        ...

    def writing(self, key: str) -> AbstractContextManager[Path]:
        """A context: a path to write to. At its end the file is in its place, unless it failed."""
        ...


def s3_client() -> "S3Client":
    """S3 as boto3 finds it: `AWS_ENDPOINT_URL`, profiles and roles are its own to read."""
    return boto3.client("s3")


def source(uri: str, client: "Callable[[], S3Client]") -> Source:
    """The trip files that an option names: one file, or all in a folder.

    Args:
        uri: A path, or `s3://bucket/prefix`.
        client: Makes an S3 client, if one is needed.

    Raises:
        UsageError: The URI is empty, or has no bucket.
        TripsError: There is no such path.
    """
    _require(uri, "--input")
    if uri.startswith(_S3):
        return S3Source(client(), *_bucket_and_prefix(uri))
    path = Path(uri)
    if not path.exists():
        raise TripsError(f"{uri} is not there; name a file or a folder of trips, or s3://…")
    return LocalSource(path)


def target(uri: str, client: "Callable[[], S3Client]") -> Target:
    """Where an option wants scored files: a folder, or `s3://bucket/prefix`; see `source`."""
    _require(uri, "--output")
    return (
        S3Target(client(), *_bucket_and_prefix(uri))
        if uri.startswith(_S3)
        else LocalTarget(Path(uri))
    )


def _require(uri: str, option: str) -> None:
    # An empty path is the folder that a command happens to be run in.
    if not uri:
        raise UsageError(f"{option} is empty; it must be a path or s3://bucket/prefix")


def _bucket_and_prefix(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    if not parts.netloc or parts.query or parts.fragment:
        raise UsageError(f"{uri!r} is not allowed; it must be s3://bucket or s3://bucket/prefix")
    return parts.netloc, parts.path.strip("/")


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A file, or the files in a folder."""

    path: Path

    def names(self) -> Sequence[str]:
        """Names of files, without those in folders below."""
        if self.path.is_file():
            return [self.path.name]
        with _naming(TripsError, str(self.path)):
            return [path.name for path in self.path.iterdir() if path.is_file()]

    def identity(self, name: str) -> str:
        """The SHA-256 digest."""
        with _naming(TripsError, name), self._path(name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        """The file where it is."""
        yield self._path(name)

    def _path(self, name: str) -> Path:
        return self.path if self.path.is_file() else self.path / name


@dataclass(frozen=True, slots=True)
class LocalTarget:
    """A folder, which is made when it is needed."""

    path: Path

    def manifest(self, key: str) -> str | None:
        """That in the file's own metadata."""
        path = self.path / key
        return manifest_of(path) if path.exists() else None

    @contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """A file beside its place, which is renamed."""
        path = self.path / key
        with _naming(OutputError, str(path)):
            part = _new_part(path)
            try:
                yield part
                _put(part, path)
                _sync(path.parent)
            finally:
                part.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class S3Source:
    """The objects under a prefix, or the one of that name."""

    client: "S3Client"
    bucket: str
    prefix: str

    def names(self) -> Sequence[str]:
        """Names of objects, without those in folders below."""
        folder = f"{self.prefix}/" if self.prefix else ""
        with _naming(TripsError, self._uri("")):
            if self._is_file():
                return [self.prefix.rpartition("/")[2]]
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=folder, Delimiter="/"
            )
            return [
                item["Key"][len(folder) :] for page in pages for item in page.get("Contents", ())
            ]

    def identity(self, name: str) -> str:
        """The object's entity tag and size."""
        with _naming(TripsError, self._uri(name)):
            head = self.client.head_object(Bucket=self.bucket, Key=self._key(name))
            return f"{head['ETag'].strip('"')}-{head['ContentLength']}"

    @contextmanager
    def opened(self, name: str) -> Iterator[Path]:
        """A copy, which goes away at the end."""
        with tempfile.TemporaryDirectory(prefix="trips-", dir=workspace()) as folder:
            path = Path(folder) / "trips.parquet"
            with _naming(TripsError, self._uri(name)):
                self.client.download_file(self.bucket, self._key(name), str(path))
            yield path

    def _is_file(self) -> bool:
        return self.prefix.endswith(".parquet")

    def _key(self, name: str) -> str:
        return self.prefix if self._is_file() else f"{self.prefix}/{name}".lstrip("/")

    def _uri(self, name: str) -> str:
        return f"{_S3}{self.bucket}/{self._key(name)}"


@dataclass(frozen=True, slots=True)
class S3Target:
    """Objects under a prefix."""

    client: "S3Client"
    bucket: str
    prefix: str

    def manifest(self, key: str) -> str | None:
        """That in the object's metadata."""
        with _naming(OutputError, self._uri(key)):
            try:
                head = self.client.head_object(Bucket=self.bucket, Key=self._key(key))
            except ClientError as error:
                if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
                    return None
                raise
            return _required_manifest(head["Metadata"].get(MANIFEST), self._uri(key))

    @contextmanager
    def writing(self, key: str) -> Iterator[Path]:
        """A file here, which is uploaded."""
        with tempfile.TemporaryDirectory(prefix="scored-", dir=workspace()) as folder:
            path = Path(folder) / "scored.parquet"
            with _naming(OutputError, self._uri(key)):
                yield path
                # In parts if it is large; the object is there once all of them are.
                self.client.upload_file(
                    str(path),
                    self.bucket,
                    self._key(key),
                    ExtraArgs={"Metadata": {MANIFEST: manifest_of(path)}},
                )

    def _key(self, key: str) -> str:
        return f"{self.prefix}/{key}".lstrip("/")

    def _uri(self, key: str) -> str:
        return f"{_S3}{self.bucket}/{self._key(key)}"


def manifest_of(path: Path) -> str:
    """The manifest in a scored file.

    Raises:
        OutputError: It is not a Parquet file, or not one of ours.
    """
    with _naming(OutputError, str(path)):
        try:
            found = (pq.read_metadata(path).metadata or {}).get(MANIFEST.encode())
        except pa.ArrowInvalid as error:
            raise OutputError(f"{path} is not a scored file ({error}); move it away") from None
    return _required_manifest(found and found.decode(), str(path))


def _required_manifest(found: str | None, place: str) -> str:
    if not found:
        raise OutputError(
            f"{place} is not a scored file (it does not say what it was made of); move it away, "
            "or choose another --output"
        )
    return found


@contextmanager
def _naming(kind: type[TripsError | OutputError], place: str) -> Iterator[None]:
    """Turn what a disk or S3 raises into one line that names the place."""
    doing = "read" if kind is TripsError else "written"
    try:
        yield
    # boto3's own errors of transfers are no BotoCoreErrors.
    except (OSError, ClientError, BotoCoreError, Boto3Error) as error:
        raise kind(
            f"{place} cannot be {doing} ({error}); check that it is there, the permissions, the "
            "disk and, for s3://, AWS_PROFILE, AWS_DEFAULT_REGION and AWS_ENDPOINT_URL"
        ) from None


def _new_part(path: Path) -> Path:
    """An empty file beside a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A process that was killed leaves its part. Whoever writes the same file right now loses
    # theirs, and is told at the end.
    for left in path.parent.glob(f".{path.name}.*{_PARTS}"):
        left.unlink(missing_ok=True)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}{_PARTS}")
    part.touch(exist_ok=False)
    return part


def _put(part: Path, path: Path) -> None:
    """Have a whole file take its place."""
    try:
        _sync(part)
        part.rename(path)
    except FileNotFoundError:
        raise OutputError(
            f"{path} is being written by another run, which goes on; run this one when it has ended"
        ) from None


def _sync(path: Path) -> None:
    """Have what was written outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
