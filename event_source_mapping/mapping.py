"""An event source mapping: polls a Kinesis stream and invokes a function, as Lambda does."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from event_source_mapping.checkpoints import SHARD_END, Checkpoints, MemoryCheckpoints
from event_source_mapping.clients import SourceClient
from event_source_mapping.destination import Destination
from event_source_mapping.function import Invoker
from event_source_mapping.lambda_records import SourceShard
from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.mapping_settings import MappingSettings
from event_source_mapping.poller import ShardPoller
from event_source_mapping.shards import shards_of

logger = logging.getLogger(__name__)


class EventSourceMapping:
    """Feeds a function from a stream: one poller a shard, parents before children.

    Args:
        kinesis: boto3's Kinesis client.
        function: What to invoke.
        settings: How.
        destination: Where batches go that are given up.
        checkpoints: Where it is kept how far each shard is done; a mapping with checkpoints of an
            earlier one goes on where that stopped.
        now: Seconds since the epoch.

    Raises:
        TemplateError: It would begin in the future.
    """

    def __init__(
        self,
        kinesis: SourceClient,
        function: Invoker,
        settings: MappingSettings,
        destination: Destination,
        checkpoints: Checkpoints | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._kinesis = kinesis
        self._function = function
        self._settings = settings
        self._destination = destination
        self._checkpoints = checkpoints or MemoryCheckpoints()
        self._now = now
        self._stop = threading.Event()
        self._pollers: dict[str, tuple[ShardPoller, threading.Thread]] = {}
        self._supervisor = threading.Thread(target=self._supervise, name=settings.name, daemon=True)
        _require_past(settings, now())
        answer = kinesis.describe_stream_summary(StreamName=settings.stream)
        summary = answer["StreamDescriptionSummary"]
        self._stream_arn = summary["StreamARN"]
        self._retention_seconds = summary["RetentionPeriodHours"] * 3600.0
        self._begin(self._shards())

    def start(self) -> None:
        """Begin to poll."""
        for _, thread in self._pollers.values():
            thread.start()
        self._supervisor.start()

    def stop(self) -> None:
        """End polling, once the invocations under way have ended."""
        self._stop.set()
        _join(self._supervisor)  # which begins no poller after this
        for poller, _ in self._pollers.values():
            poller.stop()
        for _, thread in self._pollers.values():
            _join(thread)

    def _begin(self, shards: Mapping[str, Any]) -> None:
        """Make the first pollers."""
        from_latest = self._settings.starting_position == "LATEST"
        # What a split or a merge makes later is new from its first record.
        later = replace(self._settings, starting_position="TRIM_HORIZON")
        if from_latest and any(map(self._checkpoints.load, shards)):
            # An earlier mapping began here: what it did not begin has come since.
            self._settings = later
        elif from_latest:
            self._pass_over_closed(shards)
        for shard_id in self._due(shards):
            self._add_poller(shard_id)
        if from_latest:
            self._settings = later

    def _supervise(self) -> None:
        while not self._stop.wait(self._settings.timings.discovery_seconds):
            try:
                self._follow(self._shards())
            except Exception:
                # An endpoint that is gone, a throttled call: look again with the next turn.
                logger.exception("the shards of %s cannot be listed", self._settings.stream)

    def _follow(self, shards: Mapping[str, Any]) -> None:
        """Begin to poll shards that are due; one that cannot be opened is with the next turn."""
        for shard_id in self._due(shards):
            try:
                self._add_poller(shard_id).start()
            except Exception:
                logger.exception("%s of %s cannot be opened", shard_id, self._settings.stream)

    def _due(self, shards: Mapping[str, Any]) -> list[str]:
        """Shards that have no poller, if their parents are done."""
        return [shard_id for shard_id in shards if self._is_due(shard_id, shards)]

    def _add_poller(self, shard_id: str) -> threading.Thread:
        poller = ShardPoller(
            self._kinesis,
            self._function,
            self._settings,
            self._destination,
            SourceShard(self._stream_arn, shard_id),
            self._checkpoints,
            retention_seconds=self._retention_seconds,
            now=self._now,
        )
        thread = threading.Thread(
            target=poller.run, name=f"{self._settings.name}-{shard_id}", daemon=True
        )
        self._pollers[shard_id] = poller, thread
        return thread

    def _is_due(self, shard_id: str, shards: Mapping[str, Any]) -> bool:
        if shard_id in self._pollers or self._is_done(shard_id):
            return False
        parents = (shards[shard_id].get(f"{kind}ShardId") for kind in ("Parent", "AdjacentParent"))
        # A parent that is not listed any more has outlived its retention.
        known = shards.keys() | self._pollers.keys()
        return all(self._is_done(parent) for parent in parents if parent in known)

    def _is_done(self, shard_id: str) -> bool:
        return self._checkpoints.load(shard_id) == SHARD_END

    def _pass_over_closed(self, shards: Mapping[str, Any]) -> None:
        """Count shards as done that get no records any more."""
        for shard_id, shard in shards.items():
            if shard["SequenceNumberRange"].get("EndingSequenceNumber") is not None:
                self._checkpoints.save(shard_id, SHARD_END)

    def _shards(self) -> dict[str, Any]:
        shards = shards_of(self._kinesis, self._settings.stream)
        return {shard["ShardId"]: shard for shard in shards}


def _require_past(settings: MappingSettings, now: float) -> None:
    if settings.starting_timestamp is not None and settings.starting_timestamp > now:
        raise TemplateError(
            f"{settings.name}: StartingPositionTimestamp is {settings.starting_timestamp:.0f}; "
            f"it must not be in the future, and it is {now:.0f} now"
        )


def _join(thread: threading.Thread) -> None:
    if thread.ident is not None:  # it was started
        thread.join()
