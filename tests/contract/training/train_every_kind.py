"""Trains each kind of model on synthetic rides and prints its predictions as one line of JSON."""

import json
import sys

from training.examples import Examples, Target
from training.kinds import Kind
from training.model import fit, predict
from training.synthetic_rides import SyntheticRide, synthetic_rides

# OpenBLAS divides a sum among threads from 10,000 values on: so many features take 20,000 rides.
RIDES = {Kind.RIDGE: 20_000, Kind.FOREST: 2_000, Kind.BOOSTING: 2_000}


def examples(rides: list[SyntheticRide], target: Target) -> Examples:
    return Examples("", [ride.ride for ride in rides], [getattr(ride, target) for ride in rides])


if __name__ == "__main__":
    known, others = synthetic_rides(max(RIDES.values()), seed=1), synthetic_rides(1_000, seed=2)
    predictions = {
        f"{kind} {target}": predict(
            fit(examples(known[: RIDES[kind]], target), kind), [ride.ride for ride in others]
        ).tolist()
        for kind in Kind
        for target in Target
    }
    json.dump({"rides": repr(known + others), "predictions": predictions}, sys.stdout)
