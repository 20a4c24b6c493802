"""SAM's Globals: properties that all functions of a template have.

Source: "Globals section of the AWS SAM template" (AWS SAM Developer Guide).
"""

from collections.abc import Mapping
from typing import Any

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.sam.values import intrinsic

# Of what SAM takes from Globals.Function, this is what a function here depends on.
_TAKEN = ("Environment", "Handler", "Timeout")
# A function here depends on these, too, and SAM wants them in the function.
_NOT_GLOBAL = {"Events", "ImageConfig"}


def with_globals(
    name: str, function: Mapping[str, Any], globals_: Mapping[str, Any]
) -> dict[str, Any]:
    """A function's properties with the global ones: maps are merged, and the function's own win.

    Args:
        name: The function's logical ID.
        function: The resource.
        globals_: The template's Globals.

    Raises:
        TemplateError: The globals, or which of them the function takes, are not known here.
    """
    _require_known(globals_)
    if "IgnoreGlobals" in function:
        raise TemplateError(f"{name} has IgnoreGlobals, which the local stack does not know")
    given = globals_.get("Function", {})
    taken = {key: given[key] for key in _TAKEN if key in given}
    merged: dict[str, Any] = _merged(taken, function.get("Properties", {}))
    return merged


def _require_known(globals_: Mapping[str, Any]) -> None:
    unknown = globals_.keys() - {"Function"}
    if unknown:
        raise TemplateError(
            f"Globals has {', '.join(sorted(unknown))}; the local stack knows Function there"
        )
    misplaced = globals_.get("Function", {}).keys() & _NOT_GLOBAL
    if misplaced:
        raise TemplateError(
            f"Globals.Function has {', '.join(sorted(misplaced))}, which SAM takes from a function "
            "only"
        )


def _merged(general: Any, own: Any) -> Any:
    if not (_is_map(general) and _is_map(own)):
        return own
    both = general.keys() & own.keys()
    return {**general, **own, **{key: _merged(general[key], own[key]) for key in both}}


def _is_map(value: Any) -> bool:
    """Whether SAM looks into it; an intrinsic function is one value to SAM."""
    return isinstance(value, dict) and intrinsic(value) is None
