"""The records of a span, from the shards of a stream through a scorer, and the account of it."""

import time
from collections.abc import Callable, Iterator

from cli.moments import written
from cli.terminal import OpsError, Progress
from model_service.models.loading import Model
from ops.replay.score import Score, Scorer
from ops.replay.span import Span
from streams.shard_reader import Page, StreamReader, pages, shards_of

# A shard gives all of its readers 2 MB and five calls a second: half of them are left to others.
PAGE_RECORDS = 1000
PAUSE_SECONDS = 0.4


def replay(
    kinesis: StreamReader,
    scorer: Scorer,
    stream: str,
    span: Span,
    *,
    only: str | None = None,
    progress: Progress,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Score what a stream keeps of a span, a page at a time.

    Args:
        kinesis: boto3's Kinesis client.
        scorer: Scores pages.
        stream: Name of the stream.
        span: Which records.
        only: The shard to read; None is all of them.
        progress: Shows how far it is.
        pause: Waits for some seconds.

    Raises:
        OpsError: There is no such shard, or the output does not take the predictions.
    """
    ids = [shard["ShardId"] for shard in shards_of(kinesis, stream)]
    if only is not None and only not in ids:
        raise OpsError(f"--shard {only!r} is not one of {stream}; it has {', '.join(ids)}")
    try:
        for place, shard in enumerate(ids, start=1):
            if only in (None, shard):
                for page in _pages(kinesis, stream, shard, span, pause):
                    scorer.take(shard, page)
                    text = f"{scorer.score.rides} rides, shard {place} of {len(ids)}"
                    progress.show(0, 0, text)
    finally:
        progress.clear()


def _pages(
    kinesis: StreamReader, stream: str, shard: str, span: Span, pause: Callable[[float], None]
) -> Iterator[Page]:
    for page in pages(
        kinesis,
        stream,
        shard,
        start=span.iterator,
        pause=pause,
        pause_seconds=PAUSE_SECONDS,
        limit=PAGE_RECORDS,
    ):
        if span.ends_before(page):
            return
        yield span.part_of(page)


def summary(model: Model, score: Score, where: str) -> Iterator[str]:
    """The account of a replay, a line a figure.

    Args:
        model: What the rides were scored with.
        score: What came of them.
        where: What became of the predictions, such as `written to` a file.
    """
    yield f"model      {model.name}, version {model.version}"
    if score.records:
        came = f", which came from {written(score.first)} to {written(score.last)}"
        yield f"records    {score.records:>8}{came}"
    else:
        yield f"records    {score.records:>8}"
    yield f"rides      {score.rides:>8}, predictions {where}"
    reasons = ", ".join(f"{count} {reason}" for reason, count in score.rejected.most_common())
    yield f"rejected   {score.rejected.total():>8}{f'  ({reasons})' if reasons else ''}"
    if score.mean is not None:
        yield f"mean       {score.mean:>8.2f}  {model.field}"
