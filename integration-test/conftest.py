"""One cloud, one deployed stack and two models for all tests."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.aws import Aws, remove_bucket
from harness.cloud import Cloud
from harness.commands import PROJECT
from harness.compose import ComposeLocalStack
from harness.emulated import EmulatedCloud
from harness.host import HostLocalStack
from harness.models import LoggedModel, train
from harness.stack import Stack

from event_source_mapping.emulator import leave_aws
from local.sample_models import stop_on_signals
from tests.plain_shell import leads_to_aws, user_variables

FOLDER = PROJECT / ".local/integration-test"
CLOUDS: dict[str, type[Cloud]] = {"host": HostLocalStack, "compose": ComposeLocalStack, "aws": Aws}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cloud", choices=CLOUDS, required=True, help="where to deploy")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "emulator: what only an emulator can be made to do")
    if config.getoption("cloud") != "aws":
        leave_aws()
    for name in user_variables(os.environ):
        if not leads_to_aws(name):
            del os.environ[name]


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say where it runs, and with what changes."""
    cloud = CLOUDS[config.getoption("cloud")]
    changes = [f"template.yaml is changed for it: {change}" for change in cloud.changes]
    return [f"deploying to {cloud.description}", *changes]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("cloud") == "aws":
        emulated = [item for item in items if item.get_closest_marker("emulator")]
        config.hook.pytest_deselected(items=emulated)
        items[:] = [item for item in items if item not in emulated]


@pytest.fixture(scope="session")
def folder() -> Path:
    """An empty folder for logs, which are kept until the next run."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    return FOLDER


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest, folder: Path) -> Iterator[Cloud]:
    """Where the stack is."""
    stop_on_signals()
    started = CLOUDS[request.config.getoption("cloud")](folder)
    request.config.stash[_CLOUD] = started
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="session")
def model_bucket(cloud: Cloud) -> Iterator[str]:
    """A bucket for models."""
    name = f"{cloud.stack_name}-models"
    region = cloud.environ["AWS_DEFAULT_REGION"]
    # The oldest region is the one that must not be named.
    elsewhere = region != "us-east-1"
    place: dict[str, Any] = (
        {"CreateBucketConfiguration": {"LocationConstraint": region}} if elsewhere else {}
    )
    cloud.client("s3").create_bucket(Bucket=name, **place)
    yield name
    if cloud.endpoint is None:
        remove_bucket(name)


@pytest.fixture(scope="session")
def model(cloud: Cloud, model_bucket: str, folder: Path) -> LoggedModel:
    """The model that is deployed first."""
    return train(cloud, model_bucket, folder, "duration", 3000)


@pytest.fixture(scope="session")
def next_model(cloud: Cloud, model_bucket: str, folder: Path) -> LoggedModel:
    """Another run of the same experiment, with other predictions."""
    return train(cloud, model_bucket, folder, "duration", 2000)


@pytest.fixture(scope="session")
def tip_model(cloud: Cloud, model_bucket: str, folder: Path) -> LoggedModel:
    """A run of a model of tips, which is deployed beside."""
    return train(cloud, model_bucket, folder, "tip", 2000)


@pytest.fixture(scope="session")
def come_again() -> set[int]:
    """IDs of rides whose batches come again on purpose: the only ones that may come out twice."""
    return set()


@pytest.fixture(scope="session")
def stack(
    cloud: Cloud,
    model: LoggedModel,
    tip_model: LoggedModel,
    model_bucket: str,
    come_again: set[int],
) -> Iterator[Stack]:
    """The project's template, deployed with both predictors."""
    try:
        cloud.deploy(
            {
                "RunId": model.run_id,
                "ModelSha256": model.sha256,
                "TipRunId": tip_model.run_id,
                "TipModelSha256": tip_model.sha256,
                "TipStartingPosition": "TRIM_HORIZON",
                "DecisionWindowSeconds": "30",
                "ExperimentId": model.experiment_id,
                "ModelBucket": model_bucket,
                **cloud.parameters,
            }
        )
        stack = Stack(cloud)
        yield stack
        assert stack.duplicates(come_again) == [], "events came out more than once"
    finally:
        cloud.delete()


@pytest.fixture
def throttled(cloud: EmulatedCloud) -> Iterator[None]:
    """Kinesis refuses every other call of PutRecords."""
    cloud.set("KINESIS_ERROR_PROBABILITY", 0.5)
    try:
        yield
    finally:
        cloud.set("KINESIS_ERROR_PROBABILITY", 0)


_CLOUD = pytest.StashKey[Cloud]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Show the logs of what failed."""
    report = yield
    cloud = item.config.stash.get(_CLOUD, None)
    if report.failed and cloud is not None:
        try:
            logs = cloud.logs()
        except Exception as error:
            logs = {"nothing": f"the logs cannot be had: {error}"}
        for title, text in logs.items():
            report.sections.append((f"last lines of {title}", "\n".join(text.splitlines()[-40:])))
    return report
