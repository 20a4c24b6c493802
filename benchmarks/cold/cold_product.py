"""The product, as Lambda starts it: import the entry, then hand it an event."""
# ruff: noqa: E402 - time runs from here

import time

START = time.perf_counter()

import json
import sys

from lambda_function import lambda_handler

with open(sys.argv[1]) as lines:  # noqa: PTH123 - no import that Lambda would not have
    lambda_handler(json.loads(next(lines)), None)
    seconds = time.perf_counter() - START
    lambda_handler(json.loads(next(lines)), None)

from benchmarks.memory import resident_mib

print(json.dumps({"seconds": seconds, "resident_mib": resident_mib()}))
