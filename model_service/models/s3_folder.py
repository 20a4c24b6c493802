"""A folder in S3: the objects under a prefix."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from model_service.models.model_errors import ModelNotFound, ModelRefused
from streams.errors import brief

if TYPE_CHECKING:
    from typing import Unpack

    from botocore.response import StreamingBody
    from types_boto3_s3.type_defs import ListObjectsV2RequestTypeDef

MAX_MODEL_FILES = 200
# Lambda's /tmp holds 512 MB unless configured otherwise.
MAX_MODEL_BYTES = 500_000_000
MAX_METADATA_BYTES = 1_000_000

DOWNLOADS_AT_ONCE = 8
_CHUNK_BYTES = 1 << 20


class S3Reader(Protocol):
    """The part of boto3's S3 client that is used here."""

    def list_objects_v2(
        self, **request: "Unpack[ListObjectsV2RequestTypeDef]"
    ) -> Mapping[str, Any]:
        """A page of the objects under a prefix."""
        ...

    def get_object(self, *, Bucket: str, Key: str) -> Mapping[str, Any]:
        """One object, whose `Body` is a stream."""
        ...


@dataclass(frozen=True, slots=True)
class S3Folder:
    """The objects under one prefix, which has no slash at its ends.

    Every method raises `ModelNotFound` where S3 does not answer, with the URI and what to do.
    """

    client: S3Reader
    bucket: str
    prefix: str

    def folder(self, name: str) -> "S3Folder":
        """A folder in this one."""
        return S3Folder(self.client, self.bucket, self._key(name))

    def uri(self, name: str = "") -> str:
        """Where an object of that name is, for a message."""
        return f"s3://{self.bucket}/{brief(self._key(name))}"

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None if there is none.

        Raises:
            ModelRefused: It is not small.
        """
        with _naming(self.uri(name)):
            body = self._open(name)
            data = None if body is None else body.read(MAX_METADATA_BYTES + 1)
        if data is not None and len(data) > MAX_METADATA_BYTES:
            raise ModelRefused(f"{self.uri(name)} is larger than {MAX_METADATA_BYTES} bytes")
        return data

    def folders(self, most: int) -> list["S3Folder"]:
        """The folders in this one.

        Raises:
            ModelNotFound: There are more than `most`.
        """
        found: list[S3Folder] = []
        for page in self._pages(delimiter="/"):
            found += [
                S3Folder(self.client, self.bucket, entry["Prefix"].rstrip("/"))
                for entry in page.get("CommonPrefixes", ())
            ]
            if len(found) > most:
                raise ModelNotFound(
                    f"{self.uri()} holds more than {most} models, too many to look through for a "
                    "run ID; set MODEL_LOCATION to the model's s3:// URI"
                )
        return found

    def files(self) -> list[str]:
        """List the names of all files.

        Raises:
            ModelRefused: The files are too many or too large, or have names that lead out of the
                folder.
        """
        names: list[str] = []
        size = 0
        for page in self._pages():
            for entry in page.get("Contents", ()):
                if not entry["Key"].endswith("/"):  # the console makes empty objects for folders
                    names.append(self._safe_name(entry["Key"]))
                    size += entry["Size"]
            if len(names) > MAX_MODEL_FILES or size > MAX_MODEL_BYTES:
                raise ModelRefused(
                    f"{self.uri()} holds {len(names)} files of {size} bytes; a model may have "
                    f"{MAX_MODEL_FILES} files of {MAX_MODEL_BYTES} bytes in all"
                )
        return names

    def download(self, names: Sequence[str], target: Path) -> None:
        """Download files into a local folder.

        Raises:
            ModelNotFound: A file cannot be read, or cannot be written here.
        """
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            list(pool.map(lambda name: self._download_file(name, target / name), names))

    def _safe_name(self, key: str) -> str:
        name = key[len(self._key("")) :]
        path = PurePosixPath(name)
        # Also refused: names that are another's when written, such as ./MLmodel.
        if (
            path.is_absolute()
            or ".." in path.parts
            or path.as_posix() != name
            or "\\" in name
            or "\0" in name
        ):
            raise ModelRefused(f"{self.uri(name)} would be written outside of its place")
        return name

    def _download_file(self, name: str, target: Path) -> None:
        with _naming(self.uri(name)):
            body = self._open(name)
            if body is None:
                raise ModelNotFound(f"{self.uri(name)} went away during the download; try again")
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                for chunk in body.iter_chunks(_CHUNK_BYTES):
                    file.write(chunk)

    def _open(self, name: str) -> "StreamingBody | None":
        try:
            found = self.client.get_object(Bucket=self.bucket, Key=self._key(name))
        except ClientError as error:
            if _code(error) == "NoSuchKey":
                return None
            raise
        body: StreamingBody = found["Body"]
        return body

    def _pages(self, *, delimiter: str | None = None) -> Iterator[Mapping[str, Any]]:
        request: ListObjectsV2RequestTypeDef = {"Bucket": self.bucket, "Prefix": self._key("")}
        if delimiter is not None:
            request["Delimiter"] = delimiter
        while True:
            with _naming(self.uri()):
                page = self.client.list_objects_v2(**request)
            yield page
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name


@contextmanager
def _naming(uri: str) -> Iterator[None]:
    """Turn an error of S3 or of the disk into one line with the URI and what to do."""
    try:
        yield
    except (ClientError, BotoCoreError, OSError) as error:
        raise ModelNotFound(f"{uri} cannot be read ({error}); {_remedy(error)}") from None


def _remedy(error: Exception) -> str:
    if isinstance(error, ClientError):
        if _code(error) == "NoSuchBucket":
            return "the bucket does not exist: check MODEL_BUCKET or MODEL_LOCATION"
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == HTTPStatus.FORBIDDEN:
            return (
                "grant the function s3:GetObject on it and s3:ListBucket on its bucket "
                "(without the latter, S3 denies access to what does not exist)"
            )
    return "check the bucket, the network, the disk and the function's permissions"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
