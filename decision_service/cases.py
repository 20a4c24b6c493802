"""A case: what is known of one ride, until it is decided and after. Pure functions change it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from decision_service.arrivals import Arrival, Key, decision_event_id
from decision_service.policy import Policy
from streams.errors import place_of

# A policy's answer in JSON.
MAX_ANSWER_BYTES = 2048
# What a case takes at most: ten event IDs of 512 characters, of up to seven bytes each where the
# decision is written as a text in JSON, their names and values, the key, and the policy's answer.
# A case of two predictions has some 700 bytes.
MAX_CASE_BYTES = 80_000


class Held(Struct, frozen=True, gc=False):
    """A prediction that a case holds."""

    value: float
    event_id: str


class Case(Struct, frozen=True, omit_defaults=True):
    """What is known of one ride.

    Attributes:
        due: When its window ends, in seconds since the epoch; a later time if the policy failed.
        predictions: By name, the first of each; once it is decided, the decision has them.
        late: Names of predictions that came after the window, and before the decision.
        decision: The decision event, as it is put; None until it is decided.
        missing: Names of predictions that the decision was made without.
        too_late: Event IDs, by name, of missing predictions that came after the decision.
        is_put: Whether the decision is known to be on the stream.
        revision: How often it was saved.
    """

    due: float
    predictions: Mapping[str, Held] = {}
    late: tuple[str, ...] = ()
    decision: str | None = None
    missing: tuple[str, ...] = ()
    too_late: Mapping[str, str] = {}
    is_put: bool = False
    revision: int = 0


class PolicyFailed(Exception):
    """The policy raised, or what it answered cannot be put."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How cases are decided; see `Settings`."""

    key_field: str
    needed: Sequence[str]
    policy: Policy
    name: str
    version: str
    window_seconds: float


def joined(case: Case, arrival: Arrival, now: float) -> Case:
    """A case with one more arrival; the very same case if that changes nothing.

    The first prediction of each name counts. Another one, be it the same event again or a second
    opinion, is passed over.
    """
    for name, value in arrival.values.items():
        if case.decision is not None:
            if name in case.missing and name not in case.too_late:
                case = replace(case, too_late={**case.too_late, name: arrival.event_id})
        elif name not in case.predictions:
            held = {**case.predictions, name: Held(value, arrival.event_id)}
            late = (*case.late, name) if now > case.due else case.late
            case = replace(case, predictions=held, late=late)
    return case


def is_ripe(case: Case, rules: Rules, now: float) -> bool:
    """Whether a case is to be decided now: all is there, or its window has ended."""
    is_open = case.decision is None
    return is_open and (now >= case.due or all(name in case.predictions for name in rules.needed))


def decided(case: Case, key: Key, rules: Rules) -> Case:
    """A case with its decision.

    Raises:
        PolicyFailed: There is none.
    """
    missing = [name for name in rules.needed if name not in case.predictions]
    event = {
        "policy": rules.name,
        "version": rules.version,
        "decision": {**_answer(case, missing, rules), rules.key_field: key},
        "predictions": {
            name: {"value": held.value, "event_id": held.event_id}
            for name, held in sorted(case.predictions.items())
        },
        "missing": missing,
        "late": sorted(case.late),
        "event_id": decision_event_id(rules.name, rules.version, key),
    }
    return replace(case, decision=_json(event), missing=tuple(missing), predictions={}, late=())


def _answer(case: Case, missing: Sequence[str], rules: Rules) -> Mapping[str, Any]:
    values = {name: held.value for name, held in case.predictions.items()}
    try:
        # Of its own: whatever a policy does to them, the event names what is missing.
        answer: Any = rules.policy(values, list(missing))
        fields = dict(answer) if isinstance(answer, Mapping) else None
    except Exception as error:  # whatever a user's function raises
        raise PolicyFailed(place_of(error)) from error
    if fields is None:
        raise PolicyFailed(f"the answer is of type {type(answer).__name__}; it must be a mapping")
    _require_event(fields, rules.key_field)
    return fields


def _require_event(answer: Mapping[str, Any], key_field: str) -> None:
    try:
        size = len(_json(answer).encode())
    except Exception as error:
        raise PolicyFailed(f"the answer is not JSON: {error}") from error
    if size > MAX_ANSWER_BYTES or key_field in answer:
        raise PolicyFailed(
            f"the answer has {size} bytes and the fields {', '.join(map(str, answer))[:200]}; it "
            f"must have at most {MAX_ANSWER_BYTES} bytes and no {key_field}"
        )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


encode_case = msgspec.json.Encoder().encode
decode_case = msgspec.json.Decoder(Case).decode
