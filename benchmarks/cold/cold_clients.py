"""What no function in Python on AWS can do without: boto3, and the two clients."""
# ruff: noqa: E402 - time runs from here

import time

START = time.perf_counter()

import json

import boto3

clients = [boto3.client("kinesis"), boto3.client("s3")]
seconds = time.perf_counter() - START

from benchmarks.memory import resident_mib

print(json.dumps({"seconds": seconds, "resident_mib": resident_mib()}))
