"""The reference way: MLflow brings the model from S3 by its run ID, then predicts an event."""
# ruff: noqa: E402 - time runs from here

import time

START = time.perf_counter()

import json
import os
import sys

import boto3

from benchmarks.reference import PyfuncModel, Reference

bucket, experiment, run_id = (
    os.environ[name] for name in ("MODEL_BUCKET", "MLFLOW_EXPERIMENT_ID", "RUN_ID")
)
model = PyfuncModel(f"s3://{bucket}/{experiment}/{run_id}/artifacts/model")
kinesis = boto3.client("kinesis", endpoint_url=os.environ["KINESIS_ENDPOINT_URL"])
handle = Reference(model, run_id, kinesis).handle

with open(sys.argv[1]) as lines:  # noqa: PTH123 - as in product.py
    handle(json.loads(next(lines)))
    seconds = time.perf_counter() - START
    # A record at a time, so that memory does not grow with them, but minutes would with a forest.
    handle({"Records": json.loads(next(lines))["Records"][:100]})

from benchmarks.memory import resident_mib

print(json.dumps({"seconds": seconds, "resident_mib": resident_mib()}))
