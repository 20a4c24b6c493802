"""Every environment variable of the decision function, read once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from streams.errors import SettingsError
from streams.variables import BUCKET, NAME, URL, Reader

# A case holds each of them, and is bounded by it.
MAX_NEEDED = 10

_FIELD = (re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}"), "an identifier (at most 128 characters)")
_FIELDS = (
    re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}(,[A-Za-z_][A-Za-z0-9_]{0,127})*"),
    "names of predicted values with commas between",
)
_FUNCTION = (re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*"), "module:function")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is decided on which predictions, and where decisions go.

    Attributes:
        key_field: The field of a prediction that says what it is about, such as `ride_id`.
        needed: The predicted values that a decision wants, such as `ride_duration`.
        policy: `module:function` of what decides.
        name: The `policy` of decision events; also in the keys of rejections.
        version: The `version` of decision events; to be raised when the policy changes.
        window_seconds: How long a decision waits for predictions, from when the first is read.
        keep_hours: How long a decision is remembered once it is put.
        table: DynamoDB table of the cases.
        decisions_stream: Name of the output stream.
        failures_bucket: S3 bucket for rejections; None reports rejected records as failed.
        kinesis_endpoint_url: Endpoint of an emulator. `AWS_ENDPOINT_URL` is boto3's own.
        region: AWS region; None leaves it to boto3's configuration files.
    """

    key_field: str
    needed: tuple[str, ...]
    policy: str
    name: str
    version: str
    window_seconds: int
    keep_hours: int
    table: str
    decisions_stream: str
    failures_bucket: str | None
    kinesis_endpoint_url: str | None
    region: str | None

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; an empty variable counts as one that is not set.

        Raises:
            SettingsError: A variable is missing or wrong; the message has its name, its
                value and what is allowed.
        """
        read = Reader(environ)
        table = read.text("DECISIONS_TABLE", rule=NAME)
        if table is None:
            raise SettingsError(
                "DECISIONS_TABLE is not set; set it to the DynamoDB table that holds the cases"
            )
        key_field = read.required("DECISION_KEY", "ride_id", rule=_FIELD)
        return cls(
            key_field=key_field,
            needed=_needed(read, key_field),
            policy=read.required(
                "DECISION_POLICY", "decision_service.policy:worth_a_drive", rule=_FUNCTION
            ),
            name=read.required("DECISION_NAME", "ride_decision", rule=NAME),
            version=read.required("DECISION_VERSION", "1", rule=NAME),
            window_seconds=read.whole("WINDOW_SECONDS", 60, 1, 86_400),
            keep_hours=read.whole("KEEP_HOURS", 168, 1, 8760),
            table=table,
            decisions_stream=read.required("DECISIONS_STREAM_NAME", "ride_decisions", rule=NAME),
            failures_bucket=read.text("FAILURES_BUCKET", rule=BUCKET),
            kinesis_endpoint_url=read.text("KINESIS_ENDPOINT_URL", rule=URL),
            region=read.text("AWS_REGION", rule=NAME) or read.text("AWS_DEFAULT_REGION", rule=NAME),
        )


def _needed(read: Reader, key_field: str) -> tuple[str, ...]:
    text = read.required("NEEDED_PREDICTIONS", "ride_duration,ride_tip", rule=_FIELDS)
    names = tuple(text.split(","))
    if len(set(names)) < len(names) or key_field in names or len(names) > MAX_NEEDED:
        raise SettingsError(
            f"NEEDED_PREDICTIONS={text!r} is not allowed; it must be at most {MAX_NEEDED} names, "
            f"each once, and {key_field} none of them"
        )
    return names
