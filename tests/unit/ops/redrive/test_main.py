from collections import Counter
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoRegionError

from ops.redrive.__main__ import main
from ops.redrive.put_log import LEASE_SECONDS
from streams.fakes import FakeKinesis, refuse
from tests.unit.ops.redrive.bucket import AWS_KEY, SHARD, FakeBucket, given_up, rejected, rejection

BAD = b'{"ride": {"trip_distance": "3.66"}}'


class FakeStream(FakeKinesis):
    """The streams `rides` and `trial`, and no other."""

    def describe_stream_summary(self, StreamName: str) -> dict[str, Any]:
        if StreamName not in ("rides", "trial"):
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "Describe")
        return {"StreamDescriptionSummary": {"MaxRecordSizeInKiB": 1}}

    @property
    def meta(self) -> Any:
        return SimpleNamespace(region_name="eu-west-1")


class Aws:
    """The failures bucket and the stream."""

    def __init__(self, *objects: dict[str, bytes]) -> None:
        self.bucket = FakeBucket({key: body for each in objects for key, body in each.items()})
        self.stream = FakeStream()

    def __call__(self, service: str) -> Any:
        return {"s3": self.bucket, "kinesis": self.stream}[service]

    def run(self, *arguments: str) -> int:
        return main(["--bucket", "failures", "--stream", "rides", *arguments], self)


def bad_rides() -> Aws:
    return Aws(
        rejected(rejection(1, BAD, key="a"), rejection(2, BAD, key="b")),
        rejected(rejection(2, BAD, key="b", model="tips")),
    )


def test_list_counts_what_is_alike(capsys: pytest.CaptureFixture[str]) -> None:
    """A row has kind, reason, model, version, stream, shard, day, times and counts."""
    aws = bad_rides()
    aws.bucket.objects |= given_up(b"9", first=9)

    assert aws.run("list") == 0

    heading, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    alike = ["rides", SHARD, "2022-06-02", "09:18:34", "09:18:34"]
    assert heading[:4] == ["KIND", "REASON", "MODEL", "VERSION"]
    assert rows == [
        ["batch", "RetryAttemptsExhausted", "myfunction", "$LATEST", *alike, "1", "0"],
        ["rejection", "invalid_event", "durations", "run1", *alike, "2", "0"],
        ["rejection", "invalid_event", "tips", "run1", *alike, "1", "0"],
    ]


def test_list_tells_what_was_put_again(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever looks sees what is left to do."""
    aws = bad_rides()
    aws.run("put", "--yes", "--model", "tips")
    capsys.readouterr()

    aws.run("list")

    _, durations, tips = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert (durations[-2:], tips[-2:]) == (["2", "1"], ["1", "1"])


def test_list_each_has_positions_for_show(capsys: pytest.CaptureFixture[str]) -> None:
    """A line says when, which, by whom, why."""
    bad_rides().run("list", "--each", "--model", "tips")

    assert capsys.readouterr().out == (
        f'2022-06-02T09:18:34Z  {SHARD}:2  tips/run1  invalid_event  ride.trip_distance is "3.66"\n'
    )


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [(["--reason", "none"], 1), (["--model", "fares"], 1), (["--each", "--shard", "none"], 0)],
)
def test_list_that_nothing_matches_says_what_there_is(
    capsys: pytest.CaptureFixture[str], arguments: list[str], lines: int
) -> None:
    """A filter with a slip in it does not look like a bucket without failures."""
    aws = bad_rides()
    aws.bucket.objects |= given_up(b"9", first=9)

    assert aws.run("list", *arguments) == 0

    out, error = capsys.readouterr()
    assert out.count("\n") == lines
    assert error == (
        "nothing matches; in s3://failures there are --stream rides; --kind batch, rejection; "
        "--reason RetryAttemptsExhausted, invalid_event; "
        f"--model durations/run1, myfunction/$LATEST, tips/run1; --shard {SHARD}\n"
    )


def test_list_of_an_empty_bucket_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """A filter is not blamed where there is nothing to find."""
    assert Aws().run("list") == 0

    error = capsys.readouterr().err
    assert error == "there is nothing in s3://failures: no rejection, and no batch\n"


def test_show_has_the_payload(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that is known of a record, its bytes decoded."""
    assert bad_rides().run("show", f"{SHARD}:1") == 0

    out = capsys.readouterr().out
    assert '\ndetail    ride.trip_distance is "3.66"\n' in out
    assert "\nput again no\n" in out
    assert out.endswith(f"\ndata      {BAD.decode()}\n")


def test_show_has_every_model_that_rejected_the_record(capsys: pytest.CaptureFixture[str]) -> None:
    """They may say different things of it; a filter leaves one."""
    aws = bad_rides()
    aws.run("show", f"{SHARD}:2")
    both = capsys.readouterr().out
    aws.run("show", f"{SHARD}:2", "--model", "tips")
    one = capsys.readouterr().out

    assert (both.count("\nby "), one.count("\nby ")) == (2, 1)


def test_show_takes_an_object_and_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that are no text, or would move a terminal's cursor, come in escapes."""
    aws = Aws(given_up(b"\xff", b"\x1b[2J\n", b"1\n2\n"))

    assert [aws.run("show", AWS_KEY, place) for place in "012"] == [0, 0, 0]

    out = capsys.readouterr().out
    assert "data      b'\\xff'\n" in out
    assert "data      '\\x1b[2J\\n'\n" in out
    assert out.endswith("data      1\n2\n")


def test_put_is_a_dry_run_unless_told(capsys: pytest.CaptureFixture[str]) -> None:
    """It counts, puts nothing, and remembers nothing."""
    aws = bad_rides()

    assert aws.run("put") == 0

    assert capsys.readouterr().out.splitlines()[-1] == "dry run: nothing is put; --yes puts"
    assert (aws.stream.calls, [k for k in aws.bucket.objects if "redriven" in k]) == ([], [])


def test_put_twice_puts_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The second run finds what the first one remembers."""
    aws = bad_rides()

    assert aws.run("put", "--yes") == aws.run("put", "--yes") == 0

    assert [(e["PartitionKey"], e["Data"]) for e in aws.stream.records] == [("a", BAD), ("b", BAD)]
    assert capsys.readouterr().out.splitlines() == [
        "put                2  onto rides",
        "met twice          1  another model or batch gave the same record up",
        "put                0  onto rides",
        "put before         2  by an earlier put",
        "met twice          1  another model or batch gave the same record up",
    ]


def test_put_keeps_the_order_of_a_key_over_objects_and_shards() -> None:
    """A record of a given-up batch comes before its key's later rejections, a parent's first."""
    child = "shardId-000000000001"
    later = rejected(rejection(3, b"3", key="key-0"), rejection(10, b"10", key="key-0"))
    of_child = {
        key.replace(SHARD, child): body.replace(SHARD.encode(), child.encode())
        for key, body in rejected(rejection(1, b"child's 1", key="key-0", model="a")).items()
    }
    aws = Aws(of_child, later, given_up(b"2", first=2), given_up(b"9", first=9, key=f"{AWS_KEY}1"))

    assert aws.run("put", "--yes") == 0

    puts = [entry["Data"] for entry in aws.stream.records]
    assert puts == [b"2", b"3", b"9", b"10", b"child's 1"]


@pytest.mark.parametrize(
    "failures",
    [
        pytest.param(rejected(*(rejection(n, bytes([n])) for n in range(3))), id="records"),
        pytest.param(rejected(*(rejection(1, bytes([n]), sub=n) for n in range(3))), id="rides"),
    ],
)
def test_put_keeps_the_order_of_a_key_when_the_stream_refuses(failures: dict[str, bytes]) -> None:
    """Records of one key, and rides of one aggregated record, arrive in order after a refusal."""
    aws = Aws(failures)
    aws.stream = FakeStream([refuse(0)])

    assert aws.run("put", "--yes") == 0

    assert [entry["Data"] for entry in aws.stream.records] == [b"\0", b"\1", b"\2"]


def test_put_that_leaves_something_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """A record that cannot be fixed is told, the exit status too, and the others are put."""
    aws = Aws(rejected(rejection(1, b"{"), rejection(2, b"32")))

    assert aws.run("put", "--yes", "--fix", "binascii:unhexlify") == 1

    out, error = capsys.readouterr()
    assert [entry["Data"] for entry in aws.stream.records] == [b"2"]
    assert error.startswith(f"{SHARD}:1: not fixed: the fix-up raised Error: ")
    assert out.splitlines() == [
        "put                1  onto rides",
        "not fixed          1  the fix-up failed",
    ]


@pytest.mark.parametrize("command", [["list"], ["put"]])
def test_object_that_cannot_be_read_is_told_and_fails(
    capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    """What nobody has looked at is not done."""
    assert Aws({AWS_KEY: b"{"}).run(*command) == 1
    assert capsys.readouterr().err.startswith(f"s3://failures/{AWS_KEY} is passed over: ")


def test_put_takes_many_reports_in_a_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A thousand faults of one kind are not a thousand lines."""
    aws = Aws(rejected(*(rejection(n, "?") for n in range(1, 31))))

    assert aws.run("put", "--yes") == 1

    out, error = capsys.readouterr()
    assert "unfit             30  a stream cannot take it" in out
    assert len(error.splitlines()) == 21
    assert error.endswith("… and 10 more like these\n")


def test_put_that_is_killed_puts_one_call_again_at_most(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Killed between a call and remembering it, only this call's records are put once more."""

    class Killed(BaseException):
        pass

    class DyingBucket(FakeBucket):
        def put_object(self, **request: Any) -> Any:
            if b'"done"' in request["Body"] and len(aws.stream.calls) == 2:
                raise Killed
            return super().put_object(**request)

    bad = [rejection(n, str(n).encode(), key=str(n)) for n in range(1, 1102)]
    aws = Aws(rejected(*bad))
    calm, aws.bucket = aws.bucket, DyingBucket(aws.bucket.objects)
    with pytest.raises(Killed):
        aws.run("put", "--yes")
    assert aws.run("put", "--yes") == 1
    too_soon = capsys.readouterr().err
    calm.objects = aws.bucket.objects
    calm.now += timedelta(seconds=LEASE_SECONDS)
    aws.bucket = calm

    assert aws.run("put", "--yes") == aws.run("put", "--yes") == 0

    puts = Counter(int(entry["Data"]) for entry in aws.stream.records)
    assert puts == {n: 2 if 500 < n <= 1000 else 1 for n in range(1, 1102)}
    assert "another put, by process" in too_soon
    first, *_, again, second, _ = capsys.readouterr().out.splitlines()
    assert (first.split()[:2], second.split()[:2]) == (["put", "601"], ["put", "0"])
    assert again.startswith("500 of them may have been put before: that put was cut off")


def test_put_onto_another_stream_is_remembered_for_its_source(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The records of a stream that is gone go onto its successor, once."""
    aws = Aws(rejected(rejection(1)))
    gone = aws.bucket.objects
    aws.bucket.objects = {
        key.replace("/rides/", "/gone/"): body.replace(b'"rides"', b'"gone"')
        for key, body in gone.items()
    }

    for _ in range(2):
        assert (
            main(["--bucket", "b", "--stream", "gone", "put", "--onto", "rides", "--yes"], aws) == 0
        )

    assert len(aws.stream.records) == 1
    capsys.readouterr()


def test_put_onto_one_stream_is_none_onto_another(capsys: pytest.CaptureFixture[str]) -> None:
    """Who tried a fix-up elsewhere has brought nothing back yet; list tells of either stream."""
    aws = Aws(rejected(rejection(1)))

    assert aws.run("put", "--yes", "--onto", "trial") == aws.run("list") == 0
    assert aws.run("list", "--onto", "trial") == aws.run("show", f"{SHARD}:1") == 0
    assert aws.run("put", "--yes") == aws.run("put", "--yes", "--onto", "trial") == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-2:] for line in (lines[2], lines[4])] == [["1", "0"], ["1", "1"]]
    assert "put again no" in lines
    puts = [line.split() for line in lines if line.startswith("put  ")]
    assert puts == [
        ["put", "1", "onto", "trial"],
        ["put", "1", "onto", "rides"],
        ["put", "0", "onto", "trial"],
    ]


def test_missing_bucket_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option, the variable, and where the value is to be found."""
    monkeypatch.delenv("FAILURES_BUCKET", raising=False)

    assert main(["list"], Aws()) == 1
    assert capsys.readouterr().err.startswith(
        "no bucket: --bucket is not given and FAILURES_BUCKET is not set; it must be the failures "
        "bucket, which is local-failuresbucket after 'make up'"
    )


def test_bucket_may_come_from_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAILURES_BUCKET is what the function calls it, too."""
    monkeypatch.setenv("FAILURES_BUCKET", "failures")

    assert main(["list"], Aws()) == 0
    assert capsys.readouterr().out.startswith("KIND")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["put", "--onto", "nowhere"], "there is no stream 'nowhere' in eu-west-1"),
        (["put", "--fix", "nothing"], "--fix 'nothing' is not allowed; it must be module:function"),
        (["show", "nonsense"], "there is no failure 'nonsense' in s3://failures; it must be"),
        (["show", f"{SHARD}:77"], f"there is no failure '{SHARD}:77' in s3://failures"),
        (["show", "rejected/x"], "there is no failure 'rejected/x'"),
        (["show", AWS_KEY], f"there is no failure '{AWS_KEY}'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """The value and what is allowed are named."""
    assert bad_rides().run(*arguments) == 1

    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.count("\n") == 1


def test_aws_that_does_not_answer_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What AWS or its settings lack is told with the bucket."""

    def connect(_: str) -> Any:
        raise NoRegionError

    assert main(["--bucket", "failures", "list"], connect) == 1
    assert capsys.readouterr().err.startswith(
        "AWS refuses, or does not answer: You must specify a region; set AWS_DEFAULT_REGION"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--since", "yesterday"], "argument --since: 'yesterday' is not allowed; it must"),
        (
            ["list", "--kind", "other"],
            "argument --kind: 'other' is not allowed; it must be rejection or batch",
        ),
        (["show", AWS_KEY, "x"], "argument index: 'x' is not allowed; it must be a number from 0"),
    ],
)
def test_wrong_option_is_named(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    """Its value and what is allowed, too."""
    with pytest.raises(SystemExit):
        Aws().run(*arguments)

    assert said in capsys.readouterr().err
