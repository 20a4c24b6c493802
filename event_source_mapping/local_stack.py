"""The resources of a SAM template on an emulator, with its functions being fed."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from event_source_mapping.destination import (
    Destination,
    NoDestination,
    S3Destination,
    SqsDestination,
)
from event_source_mapping.emulator import Emulator
from event_source_mapping.environment import ACCOUNT, REGION
from event_source_mapping.function import InProcessFunction
from event_source_mapping.mapping import EventSourceMapping
from event_source_mapping.mapping_settings import MappingSettings
from event_source_mapping.sam.tables import create_table
from event_source_mapping.sam.template import Function, Template, read_template
from event_source_mapping.schedule import Schedule


class Stack:
    """The resources of a template on an emulator, and its functions being fed.

    Args:
        emulator: A running emulator.
        parameters: Values of the template's parameters.
        path: The template.

    Raises:
        TemplateError: The template cannot be run locally.
        Exception: A function refuses to start.
    """

    def __init__(
        self,
        emulator: Emulator,
        parameters: Mapping[str, str],
        path: Path,
    ) -> None:
        self.emulator = emulator
        self.template: Template = read_template(path, parameters, REGION)
        self._create_resources()
        self.mappings: list[EventSourceMapping] = []
        self.schedules: list[Schedule] = []
        for function in self.template.functions:
            self._feed(function, path.parent)

    def __enter__(self) -> Self:
        for mapping in self.mappings:
            mapping.start()
        for schedule in self.schedules:
            schedule.start()
        return self

    def __exit__(self, *_: object) -> None:
        for schedule in self.schedules:
            schedule.stop()
        for mapping in self.mappings:
            mapping.stop()

    def _create_resources(self) -> None:
        kinesis, s3 = self.emulator.client("kinesis"), self.emulator.client("s3")
        for stream in self.template.streams:
            kinesis.create_stream(StreamName=stream.name, ShardCount=stream.shards)
            kinesis.get_waiter("stream_exists").wait(
                StreamName=stream.name, WaiterConfig={"Delay": 1}
            )
        for bucket in self.template.buckets:
            s3.create_bucket(Bucket=bucket)
        for table in self.template.tables:
            create_table(self.emulator.client("dynamodb"), table)
        for queue in self.template.queues:
            self.emulator.client("sqs").create_queue(QueueName=queue)

    def _feed(self, function: Function, folder: Path) -> None:
        loaded = InProcessFunction(function, folder, self.emulator.environ)
        self.mappings += [
            EventSourceMapping(
                self.emulator.client("kinesis"),
                loaded,
                settings,
                self._destination(function, settings),
            )
            for settings in function.mappings
        ]
        self.schedules += [
            Schedule(name, loaded, seconds) for name, seconds in function.schedules.items()
        ]

    def _destination(self, function: Function, settings: MappingSettings) -> Destination:
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{function.name}"
        if settings.failure_bucket is not None:
            return S3Destination(
                self.emulator.client("s3"),
                settings.failure_bucket,
                mapping_id=str(uuid.uuid5(uuid.NAMESPACE_URL, settings.name)),
                function_arn=arn,
            )
        if settings.failure_queue is not None:
            sqs = self.emulator.client("sqs")
            url = sqs.get_queue_url(QueueName=settings.failure_queue)["QueueUrl"]
            return SqsDestination(sqs, url, function_arn=arn)
        return NoDestination()
