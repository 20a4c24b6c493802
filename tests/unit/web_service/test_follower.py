"""Following an alias, by a source that does as told."""

from collections.abc import Sequence

import pytest

from model_service.models.loading import Model
from model_service.models.model_errors import ModelNotFound, ModelRefused
from model_service.records.features import Features
from streams.errors import SettingsError
from web_service.follower import Follower
from web_service.registry import ModelVersion
from web_service.serving import Served, Serving


class Constant:
    """Predicts the same for every ride."""

    def __init__(self, value: float) -> None:
        self.value = value

    def predict(self, features: Features) -> Sequence[float]:
        return [self.value for _ in features["PU"]]


class FakeRegistry:
    """An alias that a test moves, and versions that can be loaded, or not."""

    def __init__(self) -> None:
        self.number = "1"
        self.run_id: str | None = None
        self.fault: Exception | None = None
        self.loads = 0

    def find(self) -> ModelVersion:
        if isinstance(self.fault, ModelNotFound):
            raise self.fault
        return ModelVersion("ride-duration", self.number, self.run_id, "s3://nowhere")

    def load(self, version: ModelVersion) -> Served:
        self.loads += 1
        if self.fault is not None:
            raise self.fault
        return served(version.number, version.run_id)


def served(number: str, run_id: str | None = None) -> Served:
    run_id = run_id or f"run{number}"
    model = Model("ride", run_id, "ride_duration", Constant(float(number)))
    return Served.warm(model, "models:/ride-duration@production", number)


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def serving() -> Serving:
    return Serving(served("1"))


@pytest.fixture
def follower(registry: FakeRegistry, serving: Serving) -> Follower:
    return Follower(registry, serving, every=1)


@pytest.mark.parametrize("run_id", ["run1", None])
def test_look_where_nothing_moved_loads_nothing(
    follower: Follower, registry: FakeRegistry, serving: Serving, run_id: str | None
) -> None:
    """The model that is served already stays the very same, also if the registry knows no run."""
    before = serving.current
    registry.run_id = run_id

    follower.look()

    assert serving.current is before
    assert registry.loads == 0


def test_look_where_the_alias_moved_swaps(
    follower: Follower, registry: FakeRegistry, serving: Serving
) -> None:
    """Another version takes the place of the first; what a request holds is still whole."""
    before = serving.current
    registry.number = "2"

    follower.look()

    assert serving.current.model.version == "run2"
    assert before.model.version == "run1"


def test_look_where_the_model_was_registered_anew_swaps(
    follower: Follower, registry: FakeRegistry, serving: Serving
) -> None:
    """Version 1 of a model that was deleted and made again is another run."""
    registry.run_id = "anew"

    follower.look()
    follower.look()

    assert serving.current.model.version == "anew"
    assert registry.loads == 1


@pytest.mark.parametrize(
    "fault", [ModelNotFound("no such model"), ModelRefused("a pickle"), ValueError("what?")]
)
def test_look_that_fails_keeps_the_old_model_and_says_why(
    follower: Follower, registry: FakeRegistry, serving: Serving, fault: Exception
) -> None:
    """Whatever is raised, the old model goes on, and the failure is there to be read."""
    registry.number, registry.fault = "2", fault

    follower.look()

    assert serving.current.model.version == "run1"
    assert serving.failure is not None
    assert str(fault) in serving.failure.detail


def test_look_after_a_failure_tries_again(
    follower: Follower, registry: FakeRegistry, serving: Serving
) -> None:
    """A registry or a bucket that was away is asked again; success forgets the failure."""
    registry.number, registry.fault = "2", ModelNotFound("away")
    follower.look()
    registry.fault = None

    follower.look()

    assert serving.current.model.version == "run2"
    assert serving.failure is None


@pytest.mark.parametrize("fault", [ModelRefused("a pickle"), SettingsError("it names no run")])
def test_look_loads_a_refused_model_once(
    follower: Follower, registry: FakeRegistry, serving: Serving, fault: Exception
) -> None:
    """Its files do not change: it is not brought from S3 again and again, and stays a failure."""
    registry.number, registry.fault = "2", fault

    for _ in range(3):
        follower.look()

    assert registry.loads == 1
    assert serving.failure is not None


def test_look_after_the_alias_moved_back_forgets_the_failure(
    follower: Follower, registry: FakeRegistry, serving: Serving
) -> None:
    """What is served is what the alias says: all is well again."""
    registry.number, registry.fault = "2", ModelRefused("a pickle")
    follower.look()
    registry.number = "1"

    follower.look()

    assert serving.failure is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_warm_model_that_predicts_no_number_is_refused(value: float) -> None:
    """A model that cannot predict the sample never takes over."""
    with pytest.raises(ModelRefused, match=r"the model of version run1 predicts (nan|inf)"):
        Served.warm(Model("ride", "run1", "ride_duration", Constant(value)), "somewhere")
