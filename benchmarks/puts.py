"""Ways to put records onto a stream, side by side: what a record costs, and the code a way costs.

Ten calls of five hundred prediction events, to a stub on loopback that takes everything: at once,
or after 15 ms, as a service of the same Region may. The ways take turns; the figures are medians.
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from benchmarks.stub import kinesis_stub
from streams.put_records import quicken
from streams.writer import KinesisWriter

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient
    from types_boto3_kinesis.type_defs import PutRecordsRequestEntryTypeDef

CALLS = 10
ENTRIES = 500
ROUNDS = 7
THREADS = 4
LATENCIES = (0.0, 0.015)
REGION = "us-east-1"


def main() -> None:
    """Measure, and print a table of microseconds a record."""
    os.environ.update(
        AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local", AWS_DEFAULT_REGION=REGION
    )
    columns = [measure(latency) for latency in LATENCIES]
    print(f"{'':<36}{'at once':>9}{'15 ms a call':>14}   us a record")
    for way, quick in columns[0].items():
        print(f"{way:<36}{quick:9.2f}{columns[1][way]:14.2f}")


def measure(latency: float) -> dict[str, float]:
    """Microseconds a record, by way.

    Args:
        latency: Seconds that the stub takes for a call.
    """
    with kinesis_stub(latency) as endpoint, ThreadPoolExecutor(THREADS) as pool:
        ways = _ways(endpoint, pool)
        taken: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS + 1):
            for way, put_all in ways.items():
                taken[way].append(_seconds(put_all))
    records = CALLS * ENTRIES
    return {way: statistics.median(seconds[1:]) / records * 1e6 for way, seconds in taken.items()}


def _ways(endpoint: str, pool: ThreadPoolExecutor) -> dict[str, Callable[[], object]]:
    plain = _client(endpoint)
    unchecked = _client(endpoint, parameter_validation=False)
    quick = quicken(_client(endpoint, max_pool_connections=THREADS))
    signed = SignedPosts(endpoint)
    return {
        "boto3": partial(_in_turn, plain),
        "boto3 without parameter validation": partial(_in_turn, unchecked),
        "boto3 with msgspec (the product)": partial(_in_turn, quick),
        f"the same, {THREADS} calls at once": partial(_at_once, quick, pool),
        "no boto3: signed by hand": partial(_in_turn, signed),
    }


class SignedPosts:
    """PutRecords with nothing around it: no retries, no endpoints, no errors."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._http = URLLib3Session()
        credentials = boto3.Session().get_credentials()
        if credentials is None:
            raise RuntimeError("AWS_ACCESS_KEY_ID is not set; set it and AWS_SECRET_ACCESS_KEY")
        self._credentials = credentials

    def put_records(self, **request: Any) -> Any:
        """Put entries; answers with the JSON of the answer."""
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "Kinesis_20131202.PutRecords",
        }
        post = AWSRequest("POST", self._endpoint, headers, msgspec.json.encode(request))
        frozen = self._credentials.get_frozen_credentials()
        SigV4Auth(frozen, "kinesis", REGION).add_auth(post)
        return msgspec.json.decode(self._http.send(post.prepare()).content)


def _client(endpoint: str, **options: Any) -> "KinesisClient":
    return boto3.client("kinesis", endpoint_url=endpoint, config=Config(**options))


def _in_turn(kinesis: KinesisWriter) -> None:
    for _ in range(CALLS):
        _put(kinesis)


def _at_once(kinesis: KinesisWriter, pool: ThreadPoolExecutor) -> None:
    list(pool.map(_put, [kinesis] * CALLS))


def _put(kinesis: KinesisWriter) -> None:
    answer = kinesis.put_records(StreamName="ride_predictions", Records=_BATCH)
    if len(answer["Records"]) != ENTRIES:
        raise ValueError(f"{len(answer['Records'])} results for {ENTRIES} entries")


def _seconds(put_all: Callable[[], object]) -> float:
    start = time.perf_counter()
    put_all()
    return time.perf_counter() - start


def _event(ride_id: int) -> bytes:
    model, run = "ride_duration_prediction_model", "a" * 32
    place = f"shardId-000000000000:{49630081666084879290581185630324770398608704880802529282}"
    return json.dumps(
        {
            "model": model,
            "version": run,
            "prediction": {"ride_duration": 21.312345678, "ride_id": ride_id},
            "event_id": f"{model}:{run}:{place}",
        }
    ).encode()


_BATCH: "Sequence[PutRecordsRequestEntryTypeDef]" = [
    {"Data": _event(n), "PartitionKey": str(n)} for n in range(ENTRIES)
]


if __name__ == "__main__":
    main()
