"""What is fuzzed: one function a reader, from any bytes to nothing, or to an AssertionError.

Each lets out no exception but the documented one of what it tries, which it catches and looks at.
"""
# ruff: noqa: S101, PT017, PLR2004 - these are tests, though pytest does not run them here

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import msgspec

from model_service.models.mlmodel import MAX_MLMODEL_CHARACTERS, MLmodel
from model_service.models.model_errors import ModelRefused
from model_service.records.ride_events import RideEvent, decode_ride_event
from model_service.settings import Settings
from streams.aggregation import (
    ALWAYS_ALLOWED_USER_RECORDS,
    MAGIC,
    SMALLEST_USER_RECORD_BYTES,
    deaggregate,
)
from streams.errors import Reason, Rejected, SettingsError
from streams.fakes import kinesis_event
from streams.json_fields import MAX_PARTITION_KEY_CHARACTERS
from streams.records import SourceRecord, UserRecord, source_records, user_records

Target = Callable[[bytes], None]

_MAX_MESSAGE_CHARACTERS = 400
_EVENT_REASONS = (Reason.INVALID_UTF8, Reason.INVALID_JSON, Reason.INVALID_EVENT)
_RECORD_REASONS = (Reason.INVALID_BASE64, Reason.INVALID_AGGREGATE)
_EVENT_DETAIL = re.compile(
    r"(the event|ride|ride\.PULocationID|ride\.DOLocationID|ride\.trip_distance|ride_id) "
    r"(is|has) .*; it must (be|have) "
)


def ride_event(data: bytes) -> None:
    """A payload is a ride event, as Python's own JSON reader sees it, or is rejected by field."""
    try:
        event = decode_ride_event(data)
    except Rejected as rejected:
        _check_rejection(rejected, _EVENT_REASONS)
    else:
        _check_ride(event, json.loads(data))
        assert decode_ride_event(msgspec.json.encode(event)) == event


def aggregate(data: bytes) -> None:
    """A message with a right checksum is as many user records as can be rides, or is refused."""
    try:
        records = deaggregate(_sealed(data))
    except ValueError as error:
        assert str(error)
        return
    assert 0 < len(records) <= _most_user_records(data)
    assert sum(len(payload) for _, payload in records) < len(data)
    assert all(len(key) <= 256 for key, _ in records)
    assert deaggregate(_aggregated(records)) == records


def user_record(data: bytes) -> None:
    """A record's data is one payload, or several with their places, or is rejected."""
    kind, rest = data[:1], data[1:]
    record = _record(_DATA.get(kind, _as_text)(rest))
    try:
        found = user_records(record)
    except Rejected as rejected:
        _check_rejection(rejected, _RECORD_REASONS)
    else:
        _check_places(record, found)
        for user in found:
            ride_event(user.payload)


def mlmodel(data: bytes) -> None:
    """A file is an MLmodel of a bounded size, or the model is refused in one line."""
    try:
        model = MLmodel.parse(data, "s3://bucket/model/MLmodel")
    except ModelRefused as refused:
        _check_line(str(refused))
        assert str(refused).startswith("s3://bucket/model/MLmodel is not an MLmodel file: ")
    else:
        assert isinstance(model.output_name, str | None)
        assert all(isinstance(flavor, dict) for flavor in model.flavors.values())
        assert len(repr(model)) < 10 * MAX_MLMODEL_CHARACTERS


def settings(data: bytes) -> None:
    """Variables are settings that keep every documented rule, or an error that names one."""
    environ = _environ(data)
    try:
        read = Settings.from_environ(environ)
    except SettingsError as error:
        assert re.match(r"[A-Z0-9_]+(=.* is not allowed; it must be | is not set; )", str(error))
    else:
        _check_settings(read, environ)


TARGETS: Mapping[str, Target] = {
    target.__name__: target for target in (ride_event, aggregate, user_record, mlmodel, settings)
}


def _check_rejection(rejected: Rejected, reasons: tuple[Reason, ...]) -> None:
    assert rejected.reason in reasons
    _check_line(rejected.detail)
    if rejected.reason == Reason.INVALID_EVENT:
        assert _EVENT_DETAIL.match(rejected.detail), rejected.detail


def _check_line(message: str) -> None:
    assert message.strip()
    assert "\n" not in message
    assert len(message) <= _MAX_MESSAGE_CHARACTERS


def _check_ride(event: RideEvent, document: dict[str, Any]) -> None:
    ride, sent = event.ride, document["ride"]
    for value, original in (
        (ride.PULocationID, sent["PULocationID"]),
        (ride.DOLocationID, sent["DOLocationID"]),
        (event.ride_id, document["ride_id"]),
    ):
        assert value == original
        assert type(value) is type(original)
    assert ride.trip_distance == float(sent["trip_distance"])
    assert isfinite(ride.trip_distance)
    assert ride.trip_distance >= 0
    units = len(str(event.ride_id).encode("utf-16-le")) // 2
    assert 0 < units <= MAX_PARTITION_KEY_CHARACTERS


def _most_user_records(message: bytes) -> int:
    return max(ALWAYS_ALLOWED_USER_RECORDS, len(message) // SMALLEST_USER_RECORD_BYTES)


def _sealed(message: bytes) -> bytes:
    return MAGIC + message + hashlib.md5(message, usedforsecurity=False).digest()


def _aggregated(records: list[tuple[str, bytes]]) -> bytes:
    """The same user records once more, each with a key of its own."""
    keys = b"".join(_field(1, key.encode()) for key, _ in records)
    users = (b"\x08" + _varint(n) + _field(3, data) for n, (_, data) in enumerate(records))
    return _sealed(keys + b"".join(_field(3, user) for user in users))


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    octets = bytearray()
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*octets, value])


def _as_text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def _as_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# The first byte of an input says what the rest of it is, so that every layer is reached.
_DATA: Mapping[bytes, Callable[[bytes], str]] = {
    b"t": _as_text,
    b"b": _as_base64,
    b"m": lambda data: _as_base64(MAGIC + data),
    b"a": lambda data: _as_base64(_sealed(data)),
}


def _record(data: str) -> SourceRecord:
    (record,) = source_records(kinesis_event([data]))
    return record


def _check_places(record: SourceRecord, users: Sequence[UserRecord]) -> None:
    if users[0].sub_sequence_number is None:
        (alone,) = users
        assert alone.data == record.data
        assert base64.b64decode(record.data) == alone.payload
        return
    assert [user.sub_sequence_number for user in users] == list(range(len(users)))
    assert all(base64.b64decode(user.data) == user.payload for user in users)
    assert sum(len(user.payload) for user in users) < len(record.data)


_VARIABLES = (
    "RUN_ID",
    "MODEL_BUCKET",
    "MLFLOW_EXPERIMENT_ID",
    "MODEL_LOCATION",
    "MODEL_SHA256",
    "ALLOW_PICKLE",
    "MODEL_NAME",
    "PREDICTION_FIELD",
    "PREDICTIONS_STREAM_NAME",
    "FAILURES_BUCKET",
    "TEST_RUN",
    "RETURN_PREDICTIONS",
    "KINESIS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)


def _environ(data: bytes) -> dict[str, str]:
    """Variables with any values: a byte that says which, the value, and a zero byte between two."""
    parts = (part for part in data.split(b"\0") if part)
    return {_VARIABLES[part[0] % len(_VARIABLES)]: _as_text(part[1:]) for part in parts}


_YES, _NO = {"true", "yes", "1", "on"}, {"false", "no", "0", "off"}


def _check_settings(read: Settings, environ: dict[str, str]) -> None:
    for name in (
        read.run_id,
        read.model_bucket,
        read.experiment_id,
        read.model_name,
        read.predictions_stream,
        read.failures_bucket,
        read.region,
    ):
        assert name is None or _is_name(name)
    for bucket in (read.model_bucket, read.failures_bucket):
        assert bucket is None or (bucket == bucket.lower() and 3 <= len(bucket) <= 63)
    assert read.prediction_field.isidentifier()
    assert read.prediction_field.isascii()
    assert read.prediction_field != "ride_id"
    assert read.model_sha256 is None or len(bytes.fromhex(read.model_sha256)) == 32
    assert read.model_location or (read.run_id and read.model_bucket)
    assert read.model_location is None or read.model_location == read.model_location.strip()
    url = read.kinesis_endpoint_url
    assert url is None or url.startswith(("http://", "https://"))
    _check_flag(read.allow_pickle, environ.get("ALLOW_PICKLE"), default=False)
    _check_flag(read.test_run, environ.get("TEST_RUN"), default=False)
    _check_flag(read.return_predictions, environ.get("RETURN_PREDICTIONS"), default=True)


def _is_name(name: str) -> bool:
    """Whether it can be a part of a key and of an event ID: nothing that separates or leads out."""
    return (
        name.isascii()
        and 0 < len(name) <= 128
        and name[0].isalnum()
        and name.replace("_", "").replace(".", "").replace("-", "").isalnum()
    )


def _check_flag(value: bool, text: str | None, *, default: bool) -> None:
    if not text:
        assert value is default
    else:
        assert text.lower() in (_YES if value else _NO)
