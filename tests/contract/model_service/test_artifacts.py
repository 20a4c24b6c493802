"""Finding a model by run ID, on moto's S3."""

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, IncompleteReadError, ReadTimeoutError

from event_source_mapping.emulator import Emulator
from model_service.models import run_artifacts as artifacts
from model_service.models.digest import digest
from model_service.models.model_errors import ModelNotFound, ModelRefused
from model_service.models.run_artifacts import fetch_model
from model_service.models.s3_folder import S3Reader
from model_service.models.workspace import workspace
from model_service.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "mlflow-models"
RUN = "Test123"
FILES = {"MLmodel": f"run_id: {RUN}\nflavors: {{}}\n", "model.skops": "bytes", "code/a.py": "x = 1"}


@pytest.fixture
def s3(aws: Emulator) -> "S3Client":
    client = aws.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def put_model(s3: "S3Client", prefix: str, run_id: str = RUN) -> None:
    for name, content in {**FILES, "MLmodel": f"run_id: {run_id}\nflavors: {{}}\n"}.items():
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}/{name}", Body=content)


def fetch(s3: S3Reader, **environ: str) -> Path:
    settings = Settings.from_environ({"RUN_ID": RUN, "MODEL_BUCKET": BUCKET, **environ})
    return fetch_model(settings, lambda: s3)


def fetch_local(folder: Path, **environ: str) -> Path:
    settings = Settings.from_environ({"MODEL_LOCATION": str(folder), **environ})
    return fetch_model(settings, lambda: pytest.fail("connected"))


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_fetch_classic_prefix_brings_every_file(s3: "S3Client") -> None:
    """A model in the classic location comes whole, folders included."""
    put_model(s3, f"1/{RUN}/artifacts/model")

    assert content(fetch(s3)) == FILES


def test_fetch_pointer_leads_to_a_logged_model(s3: "S3Client") -> None:
    """Without a classic model, the run's pointer says where MLflow 3 put it."""
    put_model(s3, "1/models/m-1/artifacts")
    put_pointer(s3, "1/models/m-1/artifacts")

    assert content(fetch(s3)) == FILES


def test_fetch_scan_finds_a_logged_model_by_its_run_id(s3: "S3Client") -> None:
    """Without either, the experiment's logged models are looked through."""
    put_model(s3, "7/models/m-1/artifacts", run_id="another")
    put_model(s3, "7/models/m-2/artifacts")
    s3.put_object(Bucket=BUCKET, Key="7/models/m-3/readme.txt", Body="no model")

    assert content(fetch(s3, MLFLOW_EXPERIMENT_ID="7")) == FILES


def test_fetch_classic_prefix_wins_over_a_logged_model(s3: "S3Client") -> None:
    """The first place of the order that has a model is the one that counts."""
    put_model(s3, "1/models/m-1/artifacts")
    put_pointer(s3, "1/models/m-1/artifacts")
    put_model(s3, f"1/{RUN}/artifacts/model")
    s3.put_object(Bucket=BUCKET, Key=f"1/{RUN}/artifacts/model/classic", Body="")

    assert "classic" in content(fetch(s3))


@pytest.mark.parametrize("slash", ["", "/"])
def test_fetch_s3_location_wins_over_everything(s3: "S3Client", slash: str) -> None:
    """MODEL_LOCATION may be any prefix that holds a model."""
    put_model(s3, "elsewhere/model")

    location = f"s3://{BUCKET}/elsewhere/model{slash}"

    assert content(fetch(s3, MODEL_LOCATION=location)) == FILES


def test_fetch_folder_asks_nothing_of_s3(tmp_path: Path) -> None:
    """A model in a local folder is used where it is, without any client."""
    (tmp_path / "MLmodel").write_text(FILES["MLmodel"])
    settings = Settings.from_environ({"MODEL_LOCATION": str(tmp_path)})

    assert fetch_model(settings, lambda: pytest.fail("connected")) == tmp_path


def test_fetch_folder_without_model_is_named(tmp_path: Path) -> None:
    """A folder without MLmodel is an error with its path."""
    settings = Settings.from_environ({"MODEL_LOCATION": str(tmp_path)})

    with pytest.raises(ModelNotFound, match=f"there is no file {tmp_path}/MLmodel"):
        fetch_model(settings, lambda: pytest.fail("connected"))


def test_fetch_unknown_run_names_every_place_and_the_remedy(s3: "S3Client") -> None:
    """If there is no model of a run, the error says where it was looked for, and what to check."""
    put_model(s3, "1/models/m-1/artifacts", run_id="another")

    with pytest.raises(ModelNotFound) as caught:
        fetch(s3)

    message = str(caught.value)
    assert f"s3://{BUCKET}/1/{RUN}/artifacts/model/MLmodel" in message
    assert f"s3://{BUCKET}/1/{RUN}/artifacts/model_pointer.json" in message
    assert f"s3://{BUCKET}/1/models/*/artifacts/MLmodel" in message
    assert "check RUN_ID, MLFLOW_EXPERIMENT_ID and MODEL_BUCKET, or set MODEL_LOCATION" in message


def test_fetch_missing_bucket_is_named(s3: "S3Client") -> None:
    """A bucket that does not exist is the error, not a model that does not."""
    with pytest.raises(ModelNotFound, match=r"s3://no-bucket/.*the bucket does not exist"):
        fetch(s3, MODEL_BUCKET="no-bucket")


def test_fetch_denied_access_names_the_permissions(aws: Emulator, s3: "S3Client") -> None:
    """A denied read says what to grant."""
    aws.client("s3").put_bucket_policy(
        Bucket=BUCKET,
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:GetObject",
                    "Resource": f"arn:aws:s3:::{BUCKET}/*",
                },
            }
        ),
    )
    put_model(s3, f"1/{RUN}/artifacts/model")

    with pytest.raises(ModelNotFound, match=r"s3:GetObject on it and s3:ListBucket"):
        fetch(s3)


def test_fetch_unreachable_s3_is_an_error_with_the_uri() -> None:
    """An endpoint that does not answer ends in one line with the URI that was asked for."""
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=1)
    client = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:1",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=config,
    )

    with pytest.raises(ModelNotFound, match=rf"^s3://{BUCKET}/1/{RUN}/.* cannot be read") as caught:
        fetch(client)

    assert "\n" not in str(caught.value)


class NarrowS3:
    """S3 as a role sees it that may read one run's folder: no other may even be listed."""

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def get_object(self, *, Bucket: str, Key: str) -> Any:
        return self._s3.get_object(Bucket=Bucket, Key=Key)

    def list_objects_v2(self, **request: Any) -> Any:
        if not request["Prefix"].startswith(f"1/{RUN}/"):
            raise ClientError(
                {
                    "Error": {"Code": "AccessDenied"},
                    "ResponseMetadata": {
                        "HTTPStatusCode": 403,
                        "HTTPHeaders": {},
                        "HostId": "",
                        "RequestId": "",
                        "RetryAttempts": 0,
                    },
                },
                "ListObjectsV2",
            )
        return self._s3.list_objects_v2(**request)


def test_fetch_unknown_run_by_a_narrow_role_says_what_to_check(s3: "S3Client") -> None:
    """A role that may not look elsewhere hides no wrong run ID behind a denied access."""
    with pytest.raises(ModelNotFound, match=f"^no model of run {RUN}: .*check RUN_ID"):
        fetch(NarrowS3(s3))


def test_fetch_location_without_model_is_named(s3: "S3Client") -> None:
    """A prefix that holds no model is an error with the key that is missing."""
    with pytest.raises(ModelNotFound, match=f"there is no s3://{BUCKET}/nothing/MLmodel"):
        fetch(s3, MODEL_LOCATION=f"s3://{BUCKET}/nothing")


def test_fetch_location_without_bucket_is_refused(s3: "S3Client") -> None:
    """A URI must name its bucket."""
    with pytest.raises(ModelNotFound, match="names no bucket; use s3://bucket/prefix"):
        fetch(s3, MODEL_LOCATION="s3://")


def test_fetch_run_with_two_models_is_refused(s3: "S3Client") -> None:
    """If a run logged two models, none is guessed."""
    put_model(s3, "1/models/m-1/artifacts")
    put_model(s3, "1/models/m-2/artifacts")

    with pytest.raises(ModelRefused, match=r"logged 2 models: .*m-1.*m-2.*set MODEL_LOCATION"):
        fetch(s3)


def test_fetch_scan_is_bounded(s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> None:
    """An experiment with too many models is not read through."""
    monkeypatch.setattr(artifacts, "MAX_SCANNED_MODELS", 2)
    for number in range(3):
        put_model(s3, f"1/models/m-{number}/artifacts", run_id="another")

    with pytest.raises(ModelNotFound, match="more than 2 models.*set MODEL_LOCATION"):
        fetch(s3)


@pytest.mark.parametrize(
    "pointer", ["", "[]", "{}", '{"key": 1}', "\xff", f'{{"key": "{"x" * 1025}"}}']
)
def test_fetch_broken_pointer_is_refused(s3: "S3Client", pointer: str) -> None:
    """A pointer that cannot be read is an error, not a reason to look elsewhere."""
    key = f"1/{RUN}/artifacts/model_pointer.json"
    s3.put_object(Bucket=BUCKET, Key=key, Body=pointer.encode("latin-1"))

    with pytest.raises(ModelRefused, match=f"s3://{BUCKET}/{key} is not a pointer"):
        fetch(s3)


@pytest.mark.parametrize(
    "mlmodel", ["- a list", "flavors: 1", "a: [", "\x00", "a: &a [*a", "[" * 50_000]
)
def test_fetch_scan_passes_over_a_broken_mlmodel(
    s3: "S3Client", mlmodel: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Another run's MLmodel that cannot be read is named, and keeps no model from being found."""
    s3.put_object(Bucket=BUCKET, Key="1/models/m-1/artifacts/MLmodel", Body=mlmodel)
    put_model(s3, "1/models/m-2/artifacts")

    assert content(fetch(s3)) == FILES
    (record,) = caplog.records
    assert "m-1/artifacts/MLmodel is not an MLmodel file: " in record.message
    assert "\n" not in record.message


class ListedKeys:
    """An S3 whose listing holds keys that a well-meant client would not make."""

    def __init__(self, *keys: str, size: int = 1) -> None:
        self._keys, self._size = keys, size

    def list_objects_v2(self, **request: Any) -> dict[str, Any]:
        return {"Contents": [{"Key": key, "Size": self._size} for key in self._keys]}

    def get_object(self, **request: Any) -> dict[str, Any]:
        pytest.fail("nothing is to be downloaded")


@pytest.mark.parametrize(
    "name", ["../MLmodel", "a/../../b", "/etc/x", "a\\..\\b", "a\0b", "./MLmodel", "a//b"]
)
def test_fetch_key_outside_of_the_folder_is_refused(name: str) -> None:
    """A key that would be written outside of the model's folder stops the download."""
    with pytest.raises(ModelRefused, match="outside of its place"):
        fetch(ListedKeys("m/MLmodel", f"m/{name}"), MODEL_LOCATION=f"s3://{BUCKET}/m")


def test_fetch_long_key_is_cut_in_the_message() -> None:
    """Whatever the keys of a bucket are, a message stays one line that can be read."""
    key = "m/../" + "x\n" * 500

    with pytest.raises(ModelRefused) as caught:
        fetch(ListedKeys(key), MODEL_LOCATION=f"s3://{BUCKET}/m")

    assert re.fullmatch(
        r"s3://mlflow-models/m/\.\./(x\?)+x?….* would be written .*", str(caught.value)
    )
    assert len(str(caught.value)) < 300


def put_pointer(s3: "S3Client", key: str) -> None:
    pointer = f"1/{RUN}/artifacts/model_pointer.json"
    s3.put_object(Bucket=BUCKET, Key=pointer, Body=json.dumps({"key": key}))


def test_fetch_pointer_wins_over_the_scan(s3: "S3Client") -> None:
    """With a pointer, two logged models of the run are no reason to refuse."""
    put_model(s3, "1/models/m-1/artifacts")
    put_model(s3, "1/models/m-2/artifacts")
    put_pointer(s3, "1/models/m-2/artifacts")

    assert content(fetch(s3)) == FILES


def test_fetch_prefix_without_mlmodel_downloads_nothing() -> None:
    """A listing without an MLmodel file is enough to refuse a prefix."""
    keys = ["run/plot.png", "run/model/MLmodel", "run/model/model.skops"]

    with pytest.raises(ModelNotFound, match=f"there is no s3://{BUCKET}/run/MLmodel; set MODEL_L"):
        fetch(ListedKeys(*keys), MODEL_LOCATION=f"s3://{BUCKET}/run")


def test_fetch_folder_markers_of_the_console_are_skipped(s3: "S3Client") -> None:
    """Empty objects that stand for folders are no files."""
    put_model(s3, f"1/{RUN}/artifacts/model")
    s3.put_object(Bucket=BUCKET, Key=f"1/{RUN}/artifacts/model/code/", Body="")

    assert content(fetch(s3)) == FILES


class Pages:
    """An S3 that lists one object a page, as a real one does a thousand."""

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def list_objects_v2(self, **request: Any) -> Any:
        return self._s3.list_objects_v2(**request, MaxKeys=1)

    def get_object(self, **request: Any) -> Any:
        return self._s3.get_object(**request)


def test_fetch_reads_every_page_of_a_listing(s3: "S3Client") -> None:
    """Neither a model's files nor an experiment's models end with the first page."""
    put_model(s3, "1/models/m-1/artifacts", run_id="another")
    put_model(s3, "1/models/m-2/artifacts")

    assert content(fetch(Pages(s3))) == FILES


class Broken:
    """An S3 whose answers break off."""

    def __init__(self, s3: "S3Client", error: Exception) -> None:
        self._s3, self._error = s3, error

    def list_objects_v2(self, **request: Any) -> Any:
        return self._s3.list_objects_v2(**request)

    def get_object(self, **request: Any) -> Any:
        return {"Body": self}

    def read(self, amount: int) -> bytes:
        raise self._error

    def iter_chunks(self, size: int) -> Any:
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        ReadTimeoutError(endpoint_url="http://s3"),
        OSError(28, "No space left on device"),
    ],
)
@pytest.mark.parametrize("location", ["", f"s3://{BUCKET}/1/{RUN}/artifacts/model"])
def test_fetch_answer_that_breaks_off_is_one_line_with_the_uri(
    s3: "S3Client", error: Exception, location: str
) -> None:
    """A download that ends early, or does not fit, names the object and leaves no copy."""
    put_model(s3, f"1/{RUN}/artifacts/model")
    before = set(workspace().iterdir())

    with pytest.raises(ModelNotFound, match=rf"^s3://{BUCKET}/1/{RUN}/artifacts/model/\S+ cannot"):
        fetch(Broken(s3, error), MODEL_LOCATION=location)

    assert set(workspace().iterdir()) == before


def test_fetch_large_metadata_is_refused(s3: "S3Client") -> None:
    """An MLmodel that is far too large is not read into memory."""
    key = f"1/{RUN}/artifacts/model/MLmodel"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"#" * 1_000_001)

    with pytest.raises(ModelRefused, match=f"s3://{BUCKET}/{key} is larger than 1000000 bytes"):
        fetch(s3)


def test_fetch_too_many_bytes_are_refused() -> None:
    """What would not fit on Lambda's disk is not downloaded."""
    with pytest.raises(ModelRefused, match="1 files of 600000000 bytes"):
        fetch(ListedKeys("m/MLmodel", size=600_000_000), MODEL_LOCATION=f"s3://{BUCKET}/m")


def test_fetch_too_many_files_are_refused() -> None:
    """What has more files than any model is not downloaded."""
    keys = [f"m/{number}" for number in range(201)]

    with pytest.raises(ModelRefused, match="201 files"):
        fetch(ListedKeys(*keys), MODEL_LOCATION=f"s3://{BUCKET}/m")


@pytest.mark.parametrize("location", [f"s3://{BUCKET}/1/{RUN}/artifacts/model", "folder"])
def test_fetch_pin_holds_for_every_kind_of_location(s3: "S3Client", location: str) -> None:
    """A pinned digest is checked for a folder and for a URI; a refused download leaves no copy."""
    put_model(s3, f"1/{RUN}/artifacts/model")
    if location == "folder":
        location = str(fetch(s3))

    before = set(workspace().iterdir())

    with pytest.raises(ModelRefused, match="MODEL_SHA256 pins 0000"):
        fetch(s3, MODEL_LOCATION=location, MODEL_SHA256="0" * 64)

    assert set(workspace().iterdir()) == before


@pytest.mark.parametrize(
    ("name", "target"),
    [("code/link", "file"), ("code/link", "folder"), ("code/link", "nowhere"), ("MLmodel", "file")],
)
def test_fetch_pinned_folder_with_a_link_is_refused(tmp_path: Path, name: str, target: str) -> None:
    """What a link leads to could be changed and the digest stay, so none may be there."""
    folder, elsewhere = tmp_path / "model", tmp_path / "elsewhere"
    (folder / "code").mkdir(parents=True)
    (folder / "MLmodel").write_text(FILES["MLmodel"])
    pinned = digest(folder)
    if target == "file":
        elsewhere.write_text(FILES["MLmodel"])
    elif target == "folder":
        elsewhere.mkdir()
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(elsewhere)

    with pytest.raises(ModelRefused, match=f"^{folder}/{name} is a link"):
        fetch_local(folder, MODEL_SHA256=pinned)


def test_fetch_pinned_folder_that_is_reached_by_a_link_is_served(tmp_path: Path) -> None:
    """MODEL_LOCATION itself may be a link: the digest is that of what it leads to."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "MLmodel").write_text(FILES["MLmodel"])
    (tmp_path / "current").symlink_to(folder)

    assert fetch_local(tmp_path / "current", MODEL_SHA256=digest(folder)) == tmp_path / "current"


def test_fetch_pinned_folder_with_a_pipe_is_refused(tmp_path: Path) -> None:
    """Neither may there be what gives other bytes each time it is read."""
    (tmp_path / "MLmodel").write_text(FILES["MLmodel"])
    pinned = digest(tmp_path)
    os.mkfifo(tmp_path / "model.skops")

    with pytest.raises(ModelRefused, match="neither a file nor a folder"):
        fetch_local(tmp_path, MODEL_SHA256=pinned)


def test_digest_of_a_name_that_reads_like_two_is_refused(tmp_path: Path) -> None:
    """A file whose name holds another's line would have the digest of both, without the other."""
    name = f"a\n{'0' * 64}  ."
    (tmp_path / name).mkdir()
    (tmp_path / name / "b").write_text("x = 1")

    with pytest.raises(ModelRefused, match=r"a\?0+  \. has a name that cannot be printed"):
        digest(tmp_path)


@pytest.mark.parametrize("name", [*FILES, "new"])
def test_fetch_changed_file_breaks_the_pin(s3: "S3Client", name: str) -> None:
    """A file that was changed or added since the model was pinned is refused."""
    put_model(s3, f"1/{RUN}/artifacts/model")
    pinned = digest(fetch(s3))
    s3.put_object(Bucket=BUCKET, Key=f"1/{RUN}/artifacts/model/{name}", Body="run_id: changed")

    with pytest.raises(ModelRefused, match=f"MODEL_SHA256 pins {pinned}"):
        fetch(s3, MODEL_SHA256=pinned)
