"""Start one contender and print seconds to its first prediction and its memory, as JSON.

Usage: `cold_start.py CONTENDER EVENTS`. EVENTS is a file with a Kinesis event of one ride and
another of 1,000 rides, one a line.
"""
# ruff: noqa: E402 - time runs from here

import time

START = time.perf_counter()

import json
import os
import sys
from collections.abc import Callable
from typing import Any

Handle = Callable[[Any], object]


def clients() -> Handle:
    """Import boto3 and make two clients, which every function in Python on AWS needs."""
    import boto3

    boto3.client("kinesis")
    boto3.client("s3")
    return lambda event: None  # noqa: ARG005


def product() -> Handle:
    """Import the entry point, as Lambda does."""
    from lambda_function import lambda_handler

    return lambda event: lambda_handler(event, None)


def reference() -> Handle:
    """Load the model from S3 by its run ID with MLflow, and make a client."""
    import boto3

    from benchmarks.reference import PyfuncModel, Reference

    names = ("MODEL_BUCKET", "MLFLOW_EXPERIMENT_ID", "RUN_ID")
    bucket, experiment, run_id = (os.environ[name] for name in names)
    model = PyfuncModel(f"s3://{bucket}/{experiment}/{run_id}/artifacts/model")
    kinesis = boto3.client("kinesis", endpoint_url=os.environ["KINESIS_ENDPOINT_URL"])
    handle = Reference(model, run_id, kinesis).handle
    # Its memory does not grow with the batch, and with a forest 1,000 rides would take minutes.
    return lambda event: handle({"Records": event["Records"][:100]})


def resident_mib() -> float:
    """Return the resident memory of this process."""
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib would count
        (line,) = [line for line in status if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


handle = {"clients": clients, "product": product, "reference": reference}[sys.argv[1]]()
with open(sys.argv[2]) as events:  # noqa: PTH123 - pathlib would count
    handle(json.loads(next(events)))
    seconds = time.perf_counter() - START
    handle(json.loads(next(events)))
print(json.dumps({"seconds": seconds, "resident_mib": resident_mib()}))
