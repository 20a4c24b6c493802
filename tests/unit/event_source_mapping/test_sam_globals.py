from typing import Any

import pytest

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.sam_globals import with_globals

NO_VALUE = {"Ref": "AWS::NoValue"}


def merged(general: Any, own: Any) -> Any:
    return with_globals("Predict", {"Properties": own}, {"Function": general})


def test_globals_maps_are_merged_and_the_functions_own_values_win() -> None:
    """Environment variables of both are there, and a function's variable hides a global one."""
    general = {"Timeout": 60, "Environment": {"Variables": {"A": "all", "B": "all"}}}
    own = {"Timeout": 5, "Environment": {"Variables": {"B": "own", "C": "own"}}, "Events": {}}

    assert merged(general, own) == {
        "Timeout": 5,
        "Environment": {"Variables": {"A": "all", "B": "own", "C": "own"}},
        "Events": {},
    }


def test_globals_intrinsic_functions_are_replaced_as_one_value() -> None:
    """What an intrinsic function gives is not known to SAM, so that the function's own one wins."""
    general = {"Timeout": {"Ref": "Seconds"}, "Environment": {"Variables": {"A": {"Ref": "A"}}}}
    own = {"Timeout": NO_VALUE, "Environment": {"Variables": {"A": {"Fn::Sub": "a"}}}}

    assert merged(general, own) == own


def test_globals_reach_a_function_that_says_nothing() -> None:
    """A function without a property has the global one, and nothing that no function here needs."""
    assert merged({"Timeout": 60, "Tracing": "Active"}, {}) == {"Timeout": 60}


@pytest.mark.parametrize(
    ("globals_", "message"),
    [
        ({"Function": {}, "Functions": {}}, "Globals has Functions; the local stack knows"),
        ({"Function": {"Events": {}}}, "Globals.Function has Events, which SAM takes from"),
        ({"Function": {"ImageConfig": {}}}, "Globals.Function has ImageConfig"),
    ],
)
def test_globals_that_are_not_known_are_refused(globals_: Any, message: str) -> None:
    """Globals that would not be applied are an error."""
    with pytest.raises(TemplateError, match=message):
        with_globals("Predict", {}, globals_)


def test_function_that_ignores_globals_is_refused() -> None:
    """A function that does not take all globals is not simulated."""
    with pytest.raises(TemplateError, match="Predict has IgnoreGlobals"):
        with_globals("Predict", {"IgnoreGlobals": "*"}, {})
