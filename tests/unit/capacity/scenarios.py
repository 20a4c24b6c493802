"""Scenarios for tests, with the project's own prices unless one says otherwise."""

from dataclasses import replace
from typing import Any

import msgspec

from capacity.prices import Prices, read
from capacity.scenario import Scenario

PRICES = read().prices


def scenario(rides_per_second: float = 1000, **changes: Any) -> Scenario:
    """At 100 % of a shard, so that figures are round."""
    defaults = msgspec.structs.asdict(PRICES.defaults) | {"fill": 1.0}
    return replace(Scenario(rides_per_second=rides_per_second, **defaults), **changes)


def priced(section: str, **changes: Any) -> Prices:
    """The prices, but for some of a section."""
    part = msgspec.structs.replace(getattr(PRICES, section), **changes)
    return msgspec.structs.replace(PRICES, **{section: part})
