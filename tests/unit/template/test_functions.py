from typing import Any

import pytest

from tests.unit.template.changes import GONE, change
from tests.unit.template.functions import problems

EVERY = {
    "MODEL_BUCKET": {"${ModelBucket}"},
    "MLFLOW_EXPERIMENT_ID": {"${ExperimentId}"},
    "PREDICTIONS_STREAM_NAME": {"${RidePredictions}"},
    "AGGREGATE_PREDICTIONS": {"${AggregatePredictions}"},
    "FAILURES_BUCKET": {"${FailuresBucket}"},
    "RETURN_PREDICTIONS": {"False"},
}
MODELS = "s3://${ModelBucket}/${ExperimentId}/models"
# All that the functions are told. ALLOW_PICKLE, TEST_RUN and endpoints of emulators are for
# elsewhere.
ENVIRONMENTS = {
    "DurationFunction": {
        **EVERY,
        "RUN_ID": {"${RunId}"},
        "MODEL_LOCATION": {
            f"{MODELS}/${{ModelId}}/artifacts if HasModelId",
            " unless HasModelId",
        },
        "MODEL_SHA256": {"${ModelSha256}"},
        "MODEL_NAME": {"ride_duration_prediction_model"},
        "PREDICTION_FIELD": {"ride_duration"},
    },
    "TipFunction": {
        **EVERY,
        "RUN_ID": {"${TipRunId}"},
        "MODEL_LOCATION": {
            f"{MODELS}/${{TipModelId}}/artifacts if HasTipModelId",
            " unless HasTipModelId",
        },
        "MODEL_SHA256": {"${TipModelSha256}"},
        "MODEL_NAME": {"ride_tip_prediction_model"},
        "PREDICTION_FIELD": {"ride_tip"},
    },
    "DecisionFunction": {
        **EVERY,
        "NEEDED_PREDICTIONS": {"${NeededPredictions}"},
        "WINDOW_SECONDS": {"${DecisionWindowSeconds}"},
        "DECISION_POLICY": {"${DecisionPolicy}"},
        "DECISION_VERSION": {"${DecisionVersion}"},
        "DECISION_NAME": {"ride_decision"},
        "DECISIONS_TABLE": {"${DecisionCases}"},
        "DECISIONS_STREAM_NAME": {"${RideDecisions}"},
    },
}
ENVIRONMENTS["BatchFunction"] = {
    **ENVIRONMENTS["DurationFunction"],
    "BATCH_INPUT": {"s3://${TripsBucket}/trips"},
    "BATCH_OUTPUT": {"s3://${TripsBucket}/scored"},
}
HANDLERS = {
    "BatchFunction": "batch_function.lambda_handler",
    "DecisionFunction": "decision_function.lambda_handler",
}
VARIABLES = "DurationFunction/Environment/Variables"
LOGGING = "TipFunction/LoggingConfig"
CAPACITY = "TipFunction/ReservedConcurrentExecutions"


def test_functions_are_set_up_as_predictors(template: dict[str, Any]) -> None:
    """Every variable, the image and the log are what the service is written for."""
    assert problems(template, ENVIRONMENTS, HANDLERS) == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{VARIABLES}/FAILURES_BUCKET", GONE, "DurationFunction: FAILURES_BUCKET is not set"),
        (
            f"{VARIABLES}/FAILURES_BUCKET",
            {"Ref": "ModelBucket"},
            "it must be ['${FailuresBucket}']",
        ),
        (f"{VARIABLES}/MODEL_SHA256", GONE, "DurationFunction: MODEL_SHA256 is not set"),
        (f"{VARIABLES}/MODEL_SHA256", "", "MODEL_SHA256 is ['']; it must be ['${ModelSha256}']"),
        (f"{VARIABLES}/MODEL_SHA256", {"Ref": "TipModelSha256"}, "is ['${TipModelSha256}']"),
        (f"{VARIABLES}/RUN_ID", "${RunId}", "RUN_ID is ['${!RunId}']; it must be ['${RunId}']"),
        (f"{VARIABLES}/MODEL_LOCATION/Fn::If/0", "HasTipModelId", "MODEL_LOCATION is ["),
        (f"{VARIABLES}/MODEL_NAME", "ride_tip_prediction_model", "MODEL_NAME is ['ride_tip"),
        (f"{VARIABLES}/RETURN_PREDICTIONS", "True", "RETURN_PREDICTIONS is ['True']"),
        (f"{VARIABLES}/ALLOW_PICKLE", "True", "ALLOW_PICKLE is not on the list"),
        (f"{VARIABLES}/TEST_RUN", "False", "TEST_RUN is not on the list"),
        (f"{VARIABLES}/KINESIS_ENDPOINT_URL", "http://a", "KINESIS_ENDPOINT_URL is not on"),
        ("DurationFunction/Environment", GONE, "DurationFunction: RUN_ID is not set"),
        (f"{LOGGING}/LogFormat", "Text", "TipFunction.LoggingConfig.LogFormat is Text"),
        (f"{LOGGING}/LogFormat", GONE, "TipFunction.LoggingConfig.LogFormat is None"),
        (LOGGING, GONE, "TipFunction.LoggingConfig.LogFormat is None"),
        (f"{LOGGING}/ApplicationLogLevel", "WARN", "TipFunction.ApplicationLogLevel is WARN"),
        (f"{LOGGING}/ApplicationLogLevel", {"Ref": "Level"}, "ApplicationLogLevel is ${Level}"),
        (f"{LOGGING}/SystemLogLevel", "WARN", "TipFunction.SystemLogLevel is WARN"),
        (CAPACITY, 0, "TipFunction.ReservedConcurrentExecutions may be 0"),
        (CAPACITY, {"Ref": "BatchWindowSeconds"}, "may be 0 (MinValue of BatchWindowSeconds)"),
        ("TipFunction/PackageType", "Zip", "TipFunction.PackageType is Zip; it must be Image"),
        ("TipFunction/PackageType", GONE, "TipFunction.PackageType is None; it must be Image"),
        ("TipFunction/ImageConfig/Command", ["sh"], "TipFunction.ImageConfig is {"),
        ("TipFunction/ImageConfig/EntryPoint", ["sh"], "TipFunction.ImageConfig is {"),
        (
            "BatchFunction/ImageConfig/Command",
            ["lambda_function.lambda_handler"],
            "BatchFunction.ImageConfig is {",
        ),
        ("Resources/TipFunction", GONE, "TipFunction is gone"),
        ("Resources/More", {"Type": "AWS::Lambda::Function"}, "More is not on the list"),
    ],
)
def test_problems_change_of_a_function_is_named(
    template: dict[str, Any], path: str, value: Any, message: str
) -> None:
    """A function that loses its model's pin, its rejections or its log is found."""
    change(template, path, value)

    assert any(message in problem for problem in problems(template, ENVIRONMENTS, HANDLERS))


@pytest.mark.parametrize("level", ["TRACE", "DEBUG", "INFO"])
def test_problems_log_level_that_keeps_info_is_fine(template: dict[str, Any], level: str) -> None:
    """More may be logged than by default."""
    change(template, f"{LOGGING}/ApplicationLogLevel", level)
    change(template, f"{LOGGING}/SystemLogLevel", level)
    change(template, CAPACITY, 1)

    assert problems(template, ENVIRONMENTS, HANDLERS) == []
