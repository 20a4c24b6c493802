"""Every environment variable, read once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from streams.errors import SettingsError
from streams.variables import BUCKET, NAME, URL, Reader

_FIELD = (
    re.compile(r"(?!ride_id$)[A-Za-z_][A-Za-z0-9_]{0,127}"),
    "an identifier other than ride_id",
)
_SHA256 = (re.compile(r"[0-9a-f]{64}"), "64 lower-case hexadecimal digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one function predicts, with which model, and where its results go.

    Attributes:
        run_id: MLflow run ID; also the `version` of prediction events. None when
            `model_location` is to name it.
        model_bucket: S3 bucket of MLflow's artifacts. None only with `model_location`.
        experiment_id: MLflow experiment of the run.
        model_location: Folder or `s3://` URI that holds an `MLmodel` file.
        model_sha256: Pinned digest of the model's files (see `models/digest.py`).
        allow_pickle: Load pickled models that are not pinned.
        model_name: The `model` of prediction events.
        prediction_field: The name of the predicted value in prediction events.
        predictions_stream: Name of the output stream.
        aggregate_predictions: Put many predictions in one record, as the KPL does.
        failures_bucket: S3 bucket for rejections; None reports rejected records as failed.
        test_run: Predict, put nothing.
        return_predictions: Answer an invocation with its prediction events, too.
        kinesis_endpoint_url: Endpoint of an emulator. `AWS_ENDPOINT_URL` is boto3's own.
        region: AWS region of streams and buckets; None leaves it to boto3's configuration files.
    """

    run_id: str | None
    model_bucket: str | None
    experiment_id: str
    model_location: str | None
    model_sha256: str | None
    allow_pickle: bool
    model_name: str
    prediction_field: str
    predictions_stream: str
    aggregate_predictions: bool
    failures_bucket: str | None
    test_run: bool
    return_predictions: bool
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
        settings = cls(
            run_id=read.text("RUN_ID", rule=NAME),
            model_bucket=read.text("MODEL_BUCKET", rule=BUCKET),
            experiment_id=read.required("MLFLOW_EXPERIMENT_ID", "1", rule=NAME),
            model_location=read.text("MODEL_LOCATION"),
            model_sha256=read.text("MODEL_SHA256", rule=_SHA256),
            allow_pickle=read.flag("ALLOW_PICKLE", default=False),
            model_name=read.required("MODEL_NAME", "ride_duration_prediction_model", rule=NAME),
            prediction_field=read.required("PREDICTION_FIELD", "ride_duration", rule=_FIELD),
            predictions_stream=read.required(
                "PREDICTIONS_STREAM_NAME", "ride_predictions", rule=NAME
            ),
            aggregate_predictions=read.flag("AGGREGATE_PREDICTIONS", default=False),
            failures_bucket=read.text("FAILURES_BUCKET", rule=BUCKET),
            test_run=read.flag("TEST_RUN", default=False),
            return_predictions=read.flag("RETURN_PREDICTIONS", default=True),
            kinesis_endpoint_url=read.text("KINESIS_ENDPOINT_URL", rule=URL),
            region=read.text("AWS_REGION", rule=NAME) or read.text("AWS_DEFAULT_REGION", rule=NAME),
        )
        if settings.model_location is None:
            settings._require_run()
        return settings

    @property
    def trusts_pickles(self) -> bool:
        """Whether formats that run code when they are loaded are allowed."""
        return self.allow_pickle or self.model_sha256 is not None

    def _require_run(self) -> None:
        for name, value, meaning in (
            ("RUN_ID", self.run_id, "the MLflow run whose model is to be served"),
            ("MODEL_BUCKET", self.model_bucket, "the S3 bucket of MLflow's artifacts"),
        ):
            if value is None:
                raise SettingsError(
                    f"{name} is not set; set it to {meaning}, "
                    "or set MODEL_LOCATION to the folder or s3:// URI of a model"
                )
