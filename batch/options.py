"""What a command names: months, and a model by the function's settings or options that win."""

import argparse
import re
from collections.abc import Mapping

from batch.batch_errors import UsageError
from batch.months import Month
from model_service.settings import Settings
from streams.errors import SettingsError

OPTIONS = {
    "RUN_ID": "--run-id",
    "MODEL_SHA256": "--model-sha256",
    "MODEL_BUCKET": "--bucket",
    "MLFLOW_EXPERIMENT_ID": "--experiment",
    "MODEL_LOCATION": "--model-location",
}
_HELP = {
    "RUN_ID": "MLflow run ID, and the model version of the scored rides",
    "MODEL_SHA256": "digest the model must have",
    "MODEL_BUCKET": "bucket of MLflow's artifacts",
    "MLFLOW_EXPERIMENT_ID": "experiment of the run",
    "MODEL_LOCATION": "folder or s3:// URI of a model; wins over bucket and experiment",
}
_MINUTES = "ride_duration"


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for each setting that names a model."""
    for variable, option in OPTIONS.items():
        parser.add_argument(option, default="", help=f"{_HELP[variable]} ({variable})")


def add_month_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for the first and the last month."""
    parser.add_argument("--from", dest="first", metavar="MONTH", help="first month, as 2021-01")
    parser.add_argument(
        "--to", dest="last", metavar="MONTH", help="last month; none may be missing in between"
    )


def given_months(options: argparse.Namespace) -> tuple[Month | None, Month | None]:
    """The first and the last month; None where the option was not given.

    Raises:
        UsageError: One is not written as a month is.
    """
    given = {"--from": options.first, "--to": options.last}
    first, last = (
        None if text is None else Month.parse(option, text) for option, text in given.items()
    )
    return first, last


def model_variables(options: argparse.Namespace, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that name a model: the environment's, with those that options were given for.

    Raises:
        UsageError: An option asks for a run, and the environment for the model of some folder: its
            predictions would carry the name of a run that did not make them.
    """
    values = {
        variable: getattr(options, option[2:].replace("-", "_"))
        for variable, option in OPTIONS.items()
    }
    given = {variable: value for variable, value in values.items() if value}
    location = environ.get("MODEL_LOCATION")
    if "RUN_ID" in given and location and "MODEL_LOCATION" not in given:
        raise UsageError(
            f"--run-id (RUN_ID) is {given['RUN_ID']!r}, and the variable MODEL_LOCATION is "
            f"{location!r}: unset MODEL_LOCATION for that run's model, or give --model-location, "
            "too, to call the model of that folder by this ID"
        )
    return {**environ, **given}


def model_settings(environ: Mapping[str, str]) -> Settings:
    """Settings of a model that predicts minutes.

    Raises:
        UsageError: A value is missing or not allowed, or the model predicts something else.
    """
    try:
        settings = Settings.from_environ(environ)
    except SettingsError as error:
        raise UsageError(with_options(str(error))) from None
    if settings.prediction_field != _MINUTES:
        raise UsageError(
            f"PREDICTION_FIELD={settings.prediction_field!r} is not allowed; a file holds how long "
            f"rides took, so the model must predict {_MINUTES}"
        )
    return settings


def with_options(text: str) -> str:
    """An error about variables, as one about the options that can be given for them, too."""
    return re.sub(
        r"\b(" + "|".join(OPTIONS) + r")\b", lambda found: f"{OPTIONS[found[0]]} ({found[0]})", text
    )
