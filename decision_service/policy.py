"""What is decided: a pure function of predictions, which a user replaces by another."""

import importlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streams.errors import SettingsError

# Called with the predicted values by name, and the names of those that did not come in time.
# Answers with what a decision event is to say under `decision`: JSON, at most 2,048 bytes.
Policy = Callable[[Mapping[str, float], Sequence[str]], Mapping[str, Any]]

# What a ride has to bring: dollars of tip for an hour of driving.
WORTH_DOLLARS_AN_HOUR = 10.0


def worth_a_drive(values: Mapping[str, float], missing: Sequence[str]) -> Mapping[str, Any]:
    """Whether a ride is worth a driver's while: its tip for its time against a threshold.

    Args:
        values: `ride_duration` in minutes, `ride_tip` in dollars; others are ignored.
        missing: Those of the needed values that did not come in time.

    Returns:
        `take`, which is None when that cannot be told, and `tip_an_hour` in dollars.
    """
    if "ride_duration" in missing or "ride_tip" in missing:
        return {"take": None, "tip_an_hour": None}
    hours = max(values["ride_duration"], 1.0) / 60
    tip_an_hour = values["ride_tip"] / hours
    return {"take": tip_an_hour >= WORTH_DOLLARS_AN_HOUR, "tip_an_hour": round(tip_an_hour, 2)}


def load_policy(name: str) -> Policy:
    """The policy that a setting names.

    Args:
        name: `module:function`.

    Raises:
        SettingsError: There is no such function, or it does not take what policies take.
    """
    module_name, _, attribute = name.partition(":")
    try:
        policy: Policy = getattr(importlib.import_module(module_name), attribute)
        inspect.signature(policy).bind({}, [])
        if inspect.iscoroutinefunction(policy):
            raise TypeError("it is async")
    except Exception as error:  # a user's module may raise anything when it is imported
        raise SettingsError(
            f"DECISION_POLICY={name!r} is not allowed ({type(error).__name__}: {error}); "
            "it must be module:function of a function that takes values and missing"
        ) from error
    return policy
