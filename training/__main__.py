"""Train a model and log it to MLflow; the last line, on standard output, is JSON."""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.examples import Examples, Target
from training.kinds import Kind
from training.synthetic_rides import synthetic_rides
from training.training_errors import TrainingError, TripsError

DEFAULT_RIDES = 20_000
DEFAULT_SEED = 1
MIN_RIDES = 10
# One ride is validated on for this many that are trained on.
VALIDATE_EVERY = 5

# MLflow reads these when it is imported.
_QUIET = {
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}

_log = logging.getLogger("training")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 1 for an error with data or MLflow, 2 for usage."""
    options = _parse(arguments)
    logging.basicConfig(stream=sys.stderr, format="%(message)s")
    _log.setLevel(logging.INFO)
    try:
        result = _train(options)
    except TrainingError as error:
        _log.error("training: error: %s", error)
        return 1
    # The path in the file system's own bytes: scripts cut it out of this line, as the README does.
    sys.stdout.buffer.write(os.fsencode(json.dumps(result, ensure_ascii=False) + "\n"))
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train a model on taxi rides and log it to MLflow.",
        epilog="MLFLOW_TRACKING_URI (default: sqlite:///mlflow.db) names MLflow's database, "
        "MODEL_BUCKET the S3 bucket for its artifacts (default: the folder mlartifacts).",
    )
    for name, purpose in (("--train", "to learn from"), ("--validate", "to score the model on")):
        parser.add_argument(
            name, type=Path, nargs="+", metavar="FILE", help=f"TLC trip files (Parquet) {purpose}"
        )
    parser.add_argument(
        "--target", choices=[target.value for target in Target], default=Target.DURATION.value,
        help="what to predict: minutes, or the dollars of credit card tips (default: duration)",
    )  # fmt: skip
    parser.add_argument(
        "--model", choices=[kind.value for kind in Kind], default=Kind.RIDGE.value,
        help="what to train (default: ridge)",
    )  # fmt: skip
    parser.add_argument(
        "--rides", type=_at_least(MIN_RIDES), metavar="N",
        help=f"without files: synthetic rides to learn from (default: {DEFAULT_RIDES})",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=_at_least(0), metavar="N",
        help=f"without files: seed of the synthetic rides (default: {DEFAULT_SEED})",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    if bool(options.train) != bool(options.validate):
        parser.error("--train and --validate need each other: give both, or neither")
    if options.train and (options.rides, options.seed) != (None, None):
        parser.error("--rides and --seed are for synthetic rides, without --train and --validate")
    return options


def _at_least(minimum: int) -> Callable[[str], int]:
    def integer(text: str) -> int:
        if not text.isdecimal() or int(text) < minimum:
            raise argparse.ArgumentTypeError(f"{text!r} is not an integer >= {minimum}")
        return int(text)

    return integer


def _train(options: argparse.Namespace) -> dict[str, Any]:
    target = Target(options.target)
    train, validate = _examples(options)
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    # Late, because these imports take seconds: a wrong file is told of at once.
    from training import model, tracking

    tracker = tracking.Tracker.open(os.environ)
    kind = Kind(options.model)
    pipeline = model.fit(train, kind)
    scores = asdict(model.score(pipeline, validate))
    said = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
    _log.info("%s: %s (rmse and mae in %s)", target, said, target.unit)
    run = tracker.log(
        pipeline,
        target=target,
        params={"model": kind.value, **kind.parameters, **_params(train, validate)},
        metrics=scores,
        held_out=validate.rides,
    )
    return asdict(run) | scores


def _examples(options: argparse.Namespace) -> tuple[Examples, Examples]:
    """What to train on, and what to validate on."""
    target = Target(options.target)
    if options.train:
        return _read(options.train, target), _read(options.validate, target)
    count = DEFAULT_RIDES if options.rides is None else options.rides
    seed = DEFAULT_SEED if options.seed is None else options.seed
    return (
        _synthesize(count, seed, target),
        _synthesize(count // VALIDATE_EVERY, seed + 1, target),
    )


def _read(paths: Sequence[Path], target: Target) -> Examples:
    from training.trips import read_trips

    parts = []
    for path in paths:
        examples, report = read_trips(path, target)
        _log.info("%s", report)
        parts.append(examples)
    joined = Examples.join(parts)
    if len(joined.rides) < MIN_RIDES:
        raise TripsError(
            f"{', '.join(map(str, paths))}: {len(joined.rides)} usable rides; "
            f"at least {MIN_RIDES} are needed"
        )
    return joined


def _synthesize(count: int, seed: int, target: Target) -> Examples:
    source = f"synthetic rides of seed {seed}"
    _log.info("%s: %d rides", source, count)
    rides = synthetic_rides(count, seed)
    labels = [ride.duration if target is Target.DURATION else ride.tip for ride in rides]
    return Examples(source, [ride.ride for ride in rides], labels)


def _params(train: Examples, validate: Examples) -> dict[str, Any]:
    return {
        "train": train.source,
        "train_rides": len(train.rides),
        "validate": validate.source,
        "validate_rides": len(validate.rides),
    }


if __name__ == "__main__":
    sys.exit(main())
