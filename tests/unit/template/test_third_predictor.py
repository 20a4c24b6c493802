"""A predictor of surge beside those of durations and tips: one command, a run ID, and no Python."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from event_source_mapping.sam.template import read_template
from ops.predictor import with_predictor
from tests.conftest import PROJECT
from tests.sam_transform import source, transformed
from tests.unit.template import (
    alarm_table,
    alarms,
    allow_list,
    conditions,
    dashboards,
    functions,
    least_privilege,
    limits,
    mappings,
    safeguards,
)
from tests.unit.template.test_alarm_table import ALARMS
from tests.unit.template.test_conditions import CONDITIONAL, CONDITIONS
from tests.unit.template.test_functions import ENVIRONMENTS, HANDLERS
from tests.unit.template.test_mappings import READINGS
from tests.unit.template.test_permissions import ALLOWED

TEXT = (PROJECT / "template.yaml").read_text()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The template with a third predictor."""
    path = tmp_path / "template.yaml"
    path.write_text(with_predictor(TEXT, "surge"))
    return path


@pytest.fixture
def third(path: Path) -> dict[str, Any]:
    """What CloudFormation gets."""
    return transformed(source(path))


def renamed(value: Any) -> Any:
    """What is said of the tip predictor, said of surge."""
    match value:
        case str():
            words = (("PredictsTips", "PredictsSurge"), ("FansTipsOut", "FansSurgeOut"))
            for old, new in (*words, ("Tip", "Surge"), ("tip", "surge")):
                value = value.replace(old, new)
            return value
        case dict():
            return {renamed(key): renamed(inner) for key, inner in value.items()}
        case list() | set() | frozenset():
            return type(value)(renamed(inner) for inner in value)
    return value


def with_surge(listed: dict[str, Any]) -> dict[str, Any]:
    """A table of the template, with what it says of tips said of surge, too."""
    return {**listed, **renamed({key: v for key, v in listed.items() if "Tip" in key})}


def test_third_predictor_is_a_function_as_the_others_are(third: dict[str, Any]) -> None:
    """It serves its own run, under its own name, and rejects to the same bucket."""
    listed = with_surge(ENVIRONMENTS)

    assert listed["SurgeFunction"]["PREDICTION_FIELD"] == {"ride_surge"}
    assert functions.problems(third, listed, HANDLERS) == []


def test_third_predictor_may_read_its_own_model_only(third: dict[str, Any]) -> None:
    """Its role is as narrow as that of tips, and nobody else's has grown."""
    grants = {
        name.replace("Tip", "Surge"): allow_list.Grant(
            renamed(grant.actions), renamed(grant.resources), renamed(grant.condition)
        )
        for name, grant in ALLOWED.items()
        if name.startswith("TipRole")
    }

    assert allow_list.problems(third, {**ALLOWED, **grants}) == []
    assert least_privilege.problems(third) == []


def test_third_predictor_reads_every_ride(third: dict[str, Any]) -> None:
    """Its mapping is on the stream of rides, begins where it is told to, and loses nothing."""
    tips = READINGS["TipFunctionRides"]
    surge = mappings.Reading(
        renamed(tips.function), renamed(tips.streams), renamed(tips.starting_position)
    )

    assert mappings.problems(third, {**READINGS, "SurgeFunctionRides": surge}) == []
    assert safeguards.problems(third) == []
    assert limits.problems(third) == []


def test_third_predictor_is_watched_by_every_alarm_that_watches_tips(
    third: dict[str, Any],
) -> None:
    """Whoever is called for tips is called for surge, by the same thresholds."""
    for name, watch in ALARMS.items():
        both = {**watch.metrics, **renamed({k: v for k, v in watch.metrics.items() if "tip" in k})}
        found = alarm_table.watch_of(third["Resources"][name])
        assert found.metrics == both
    assert alarms.problems(third) == []
    assert dashboards.problems(third) == []


def test_third_predictor_is_left_out_without_a_run(third: dict[str, Any]) -> None:
    """Nothing of it is deployed until it has a run ID."""
    surge = {renamed(name): renamed(names) for name, names in CONDITIONAL.items() if "Tip" in name}

    assert conditions.problems(third, with_surge(CONDITIONS), {**CONDITIONAL, **surge}) == []


def test_third_predictor_runs_on_the_local_stack(path: Path) -> None:
    """With its run ID it is one of the functions that are fed."""
    parameters = {"ModelBucket": "models", "RunId": "a", "TipRunId": "b", "SurgeRunId": "c"}

    surge = read_template(path, parameters, "us-east-1").function("SurgeFunction")

    assert surge.environment["RUN_ID"] == "c"
    assert [mapping.stream for mapping in surge.mappings] == ["ride_events"]


def test_fourth_predictor_is_added_in_the_same_way(tmp_path: Path) -> None:
    """Each is a copy of that of tips, also where there are more."""
    path = tmp_path / "template.yaml"
    path.write_text(with_predictor(with_predictor(TEXT, "surge"), "fare"))

    template = transformed(source(path))

    assert {"SurgeFunction", "FareFunction"} <= template["Resources"].keys()
    assert alarms.problems(template) == []
    assert dashboards.problems(template) == []
    assert json.dumps(template).count("ride_surge_prediction_model") == json.dumps(template).count(
        "ride_fare_prediction_model"
    )


NAMES = st.from_regex(r"(tip)?[a-z][a-z0-9]{0,5}", fullmatch=True).filter(
    lambda name: name not in ("tip", "tips", "id")
)


@given(st.lists(NAMES, min_size=2, max_size=2, unique=True))
@example(["tipping", "surge"])
def test_predictors_are_added_without_touching_each_other(names: list[str]) -> None:
    """Two have the lines that each has alone, be one of them called much as that of tips is."""
    one, other = names

    assert lines(with_predictor(with_predictor(TEXT, one), other)) + lines(TEXT) == (
        lines(with_predictor(TEXT, one)) + lines(with_predictor(TEXT, other))
    )


def lines(template: str) -> Counter[str]:
    """The lines of a template, but for what says that there is another one in a list."""
    return Counter(line.rstrip("],}") for line in template.splitlines())


def test_predictor_for_which_alarms_have_no_room_is_refused(tmp_path: Path) -> None:
    """Four are watched by each alarm, within what CloudWatch takes; a fifth is not added."""
    four = with_predictor(with_predictor(TEXT, "surge"), "fare")
    (tmp_path / "template.yaml").write_text(four)

    assert alarms.problems(transformed(source(tmp_path / "template.yaml"))) == []
    with pytest.raises(ValueError, match="^NAME='tolls' is one too many: the template has 4"):
        with_predictor(four, "tolls")


@pytest.mark.parametrize(
    "name",
    ["", "Surge", "sur-ge", "1st", "a" * 21, "tip", "duration", "batch", "decision", "id", "tips"],
)
def test_name_that_cannot_be_a_predictor_is_refused(name: str) -> None:
    """A name that is not allowed, or taken, changes nothing."""
    with pytest.raises(ValueError, match=f"NAME={name!r} is "):
        with_predictor(TEXT, name)
