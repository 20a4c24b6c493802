"""What a store of cases promises: that in memory, and DynamoDB as moto has it."""

import dataclasses
import uuid
from collections.abc import Iterator
from threading import Barrier, Thread
from typing import Any

import pytest
from msgspec.structs import replace

from decision_service.cases import Case, Held
from decision_service.memory_store import MemoryStore
from decision_service.store import MAX_KEYS_A_CALL, DynamoStore, Store, slot
from event_source_mapping.emulator import Emulator
from event_source_mapping.sam.tables import create_table
from event_source_mapping.sam.template import read_template
from local.sample_models import PROJECT
from streams.deadline import Deadline
from tests.clock import ManualClock

ENOUGH = Deadline(60, clock=ManualClock())  # of time
CASE = Case(due=100.5, predictions={"a": Held(1.5, "x")}, late=("a",))
PUT = Case(due=100.5, decision="{}", missing=("b",), too_late={"b": "y"}, is_put=True)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as started:
        yield started


@pytest.fixture
def table(emulator: Emulator) -> str:
    """An empty table, made as template.yaml says."""
    parameters = {"RunId": "a", "TipRunId": "b", "ModelBucket": "models"}
    (declared,) = read_template(PROJECT / "template.yaml", parameters, "us-east-1").tables
    named = dataclasses.replace(declared, name=f"cases-{uuid.uuid4().hex}")
    create_table(emulator.client("dynamodb"), named)
    return named.name


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest, emulator: Emulator) -> Store:
    if request.param == "memory":
        return MemoryStore()
    name = request.getfixturevalue("table")
    return DynamoStore(emulator.client("dynamodb"), name, keep_seconds=3600)


def due(store: Store, now: float) -> list[str]:
    return [key for page in store.due(now) for key in page]


def test_case_that_is_saved_is_loaded_as_it_was(store: Store) -> None:
    """Every field survives, in each state of a case; whatever is not there is left out."""
    store.save({"1": CASE, '"ä"': PUT}, ENOUGH)

    loaded = store.load(["1", '"ä"', "2"])

    assert loaded == {"1": replace(CASE, revision=1), '"ä"': replace(PUT, revision=1)}


def test_save_answers_with_the_cases_as_they_are_now(store: Store) -> None:
    """So that a case can be saved again without being loaded."""
    saved = store.save({"1": CASE}, ENOUGH)

    assert saved == {"1": replace(CASE, revision=1)}
    assert store.save({"1": replace(saved["1"], due=7.0)}, ENOUGH)["1"].revision == 2
    assert store.load(["1"])["1"].due == 7.0


def test_save_new_case_that_somebody_else_saved_is_refused(store: Store) -> None:
    """Two invocations that both find no case: the second saves nothing, and is told."""
    store.save({"1": CASE}, ENOUGH)

    saved = store.save({"1": replace(CASE, due=7.0), "2": CASE}, ENOUGH)

    assert saved.keys() == {"2"}
    assert store.load(["1"])["1"].due == 100.5


def test_save_case_that_changed_since_it_was_loaded_is_refused(store: Store) -> None:
    """Two invocations that load the same case: the second saves nothing, and is told."""
    store.save({"1": CASE}, ENOUGH)
    first, second = store.load(["1"])["1"], store.load(["1"])["1"]
    store.save({"1": replace(first, due=7.0)}, ENOUGH)

    assert store.save({"1": replace(second, due=8.0)}, ENOUGH) == {}
    assert store.load(["1"])["1"].due == 7.0


def test_due_are_open_cases_whose_window_has_ended(store: Store) -> None:
    """A case is due from its time on, decided or not, until its decision is put."""
    store.save(
        {"1": CASE, "2": PUT, "3": replace(CASE, due=200.0), "4": replace(CASE, due=50.0)}, ENOUGH
    )

    assert due(store, 50.0) == ["4"]
    assert set(due(store, 100.5)) == {"1", "4"}
    decided = replace(store.load(["1"])["1"], decision="{}")
    saved = store.save({"1": decided}, ENOUGH)
    assert set(due(store, 150.0)) == {"1", "4"}
    store.save({"1": replace(saved["1"], is_put=True)}, ENOUGH)
    assert due(store, 150.0) == ["4"]


def test_many_cases_are_saved_loaded_and_due(store: Store) -> None:
    """More than go into one call, or into one page."""
    cases = {str(place): CASE for place in range(3 * MAX_KEYS_A_CALL + 1)}

    assert store.save(cases, ENOUGH).keys() == cases.keys()
    assert store.load(cases.keys()).keys() == cases.keys()
    assert set(due(store, 200.0)) == cases.keys()


def test_save_by_many_at_once_is_done_by_one(emulator: Emulator, table: str) -> None:
    """Of writers that race for a case, exactly one has it."""
    stores = [DynamoStore(emulator.client("dynamodb"), table, 3600) for _ in range(8)]
    ready = Barrier(len(stores))
    saved: list[Case] = []

    def race(store: DynamoStore, mine: float) -> None:
        ready.wait()
        saved.extend(store.save({"1": replace(CASE, due=mine)}, ENOUGH).values())

    threads = [Thread(target=race, args=(s, float(n))) for n, s in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (winner,) = saved
    assert stores[0].load(["1"]) == {"1": winner}


def test_item_expires_only_once_its_decision_is_put(emulator: Emulator, table: str) -> None:
    """DynamoDB may delete what is done, so long after it was put, and never what is open."""
    client = emulator.client("dynamodb")
    store = DynamoStore(client, table, keep_seconds=3600, clock=lambda: 500.5)

    def item() -> dict[str, Any]:
        found: dict[str, Any] = client.get_item(TableName=table, Key={"case": {"S": "1"}})["Item"]
        return found

    saved = store.save({"1": CASE}, ENOUGH)
    assert item().keys() == {"case", "revision", "body", "slot", "due"}
    assert item()["slot"] == {"N": str(slot("1"))}
    store.save({"1": replace(saved["1"], is_put=True)}, ENOUGH)
    assert item()["expires"] == {"N": "4100"}
    assert item().keys() == {"case", "revision", "body", "expires"}
    ttl = client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert ttl == {"AttributeName": "expires", "TimeToLiveStatus": "ENABLED"}


def test_save_that_dynamodb_does_not_take_is_told(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """A call that fails has saved nothing; it is neither raised nor forgotten, and says why."""
    store = DynamoStore(emulator.client("dynamodb"), "no-such-table", keep_seconds=3600)

    assert store.save({"1": CASE}, ENOUGH) == {}
    assert "a case could not be saved: ResourceNotFoundException" in caplog.text


def test_save_when_time_is_up_saves_nothing(store: Store) -> None:
    """Where each call takes seconds to fail, an invocation still has time to answer."""
    clock = ManualClock()
    deadline = Deadline(60, clock=clock)
    clock.now = 60

    assert store.save({"1": CASE}, deadline) == {}
    assert store.load(["1"]) == {}
