import pytest

from model_service.settings import Settings
from streams.errors import SettingsError
from streams.variables import Reader

BY_RUN = {"RUN_ID": "Test123", "MODEL_BUCKET": "mlflow-models"}


def test_settings_every_variable_is_read() -> None:
    """Each variable reaches its own setting."""
    settings = Settings.from_environ(
        {
            "RUN_ID": "r",
            "MODEL_BUCKET": "models",
            "MLFLOW_EXPERIMENT_ID": "7",
            "MODEL_LOCATION": "s3://b/somewhere",
            "MODEL_SHA256": "0" * 64,
            "ALLOW_PICKLE": "True",
            "MODEL_NAME": "ride_tip_prediction_model",
            "PREDICTION_FIELD": "ride_tip",
            "PREDICTIONS_STREAM_NAME": "out",
            "AGGREGATE_PREDICTIONS": "yes",
            "FAILURES_BUCKET": "failures",
            "TEST_RUN": "yes",
            "RETURN_PREDICTIONS": "False",
            "KINESIS_ENDPOINT_URL": "http://127.0.0.1:4566/",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
    )

    assert settings == Settings(
        run_id="r",
        model_bucket="models",
        experiment_id="7",
        model_location="s3://b/somewhere",
        model_sha256="0" * 64,
        allow_pickle=True,
        model_name="ride_tip_prediction_model",
        prediction_field="ride_tip",
        predictions_stream="out",
        aggregate_predictions=True,
        failures_bucket="failures",
        test_run=True,
        return_predictions=False,
        kinesis_endpoint_url="http://127.0.0.1:4566/",
        region="eu-west-1",
    )


def test_settings_model_location_alone_is_enough() -> None:
    """A model's location stands in for run ID and bucket."""
    settings = Settings.from_environ({"MODEL_LOCATION": "model"})

    assert (settings.run_id, settings.model_bucket) == (None, None)


@pytest.mark.parametrize("missing", ["RUN_ID", "MODEL_BUCKET"])
def test_settings_missing_variable_is_named_with_the_remedy(missing: str) -> None:
    """A missing variable is an error that names it and the alternative, not a None in a path."""
    environ = {name: value for name, value in BY_RUN.items() if name != missing}

    with pytest.raises(SettingsError, match=rf"^{missing} is not set; .*MODEL_LOCATION"):
        Settings.from_environ(environ)


def test_settings_region_is_lambdas_own_first() -> None:
    """AWS_REGION, which Lambda sets, wins over AWS_DEFAULT_REGION."""
    environ = {**BY_RUN, "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "us-east-1"}

    assert Settings.from_environ(environ).region == "eu-west-1"


def test_settings_empty_variable_counts_as_not_set() -> None:
    """A template's empty parameter means the same as no variable."""
    assert Settings.from_environ({**BY_RUN, "MODEL_SHA256": ""}).model_sha256 is None
    with pytest.raises(SettingsError, match="RUN_ID is not set"):
        Settings.from_environ({**BY_RUN, "RUN_ID": ""})


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "1", "yes", "on"])
def test_settings_flag_yes_is_true(text: str) -> None:
    """Every usual way to say yes means yes."""
    assert Settings.from_environ({**BY_RUN, "TEST_RUN": text}).test_run is True


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "off"])
def test_settings_flag_no_is_false(text: str) -> None:
    """Every usual way to say no means no."""
    settings = Settings.from_environ({**BY_RUN, "RETURN_PREDICTIONS": text})
    assert settings.return_predictions is False


@pytest.mark.parametrize("bucket", ["abc", "b" * 63, "0.my-bucket.9"])
def test_settings_every_bucket_of_s3s_rules_is_taken(bucket: str) -> None:
    """The shortest name and the longest, dots and dashes."""
    settings = Settings.from_environ({**BY_RUN, "FAILURES_BUCKET": bucket, "MODEL_BUCKET": bucket})

    assert (settings.failures_bucket, settings.model_bucket) == (bucket, bucket)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TEST_RUN", "maybe"),
        ("RETURN_PREDICTIONS", "2"),
        ("ALLOW_PICKLE", " True"),
        ("MODEL_SHA256", "abc"),
        ("MODEL_SHA256", "A" * 64),
        ("RUN_ID", "../other"),
        ("RUN_ID", "a:b"),
        ("MLFLOW_EXPERIMENT_ID", "1/2"),
        ("MODEL_NAME", "two words"),
        ("PREDICTION_FIELD", "ride_id"),
        ("PREDICTION_FIELD", "ride-duration"),
        ("PREDICTIONS_STREAM_NAME", "a/b"),
        ("FAILURES_BUCKET", "s3://bucket"),
        ("FAILURES_BUCKET", "my_failures"),
        ("FAILURES_BUCKET", "Failures"),
        ("FAILURES_BUCKET", "no"),
        ("FAILURES_BUCKET", "f" * 64),
        ("FAILURES_BUCKET", "failures-"),
        ("MODEL_BUCKET", "my models"),
        ("MODEL_BUCKET", ".models"),
        ("KINESIS_ENDPOINT_URL", "localhost:4566"),
        ("MODEL_LOCATION", " model"),
    ],
)
def test_settings_wrong_value_is_refused_with_name_value_and_what_is_allowed(
    name: str, value: str
) -> None:
    """A wrong value is an error with the variable's name, its value and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({**BY_RUN, name: value})

    assert str(caught.value).startswith(f"{name}={value!r} is not allowed; it must be ")


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("12", 12), ("007", 7), ("", 5)])
def test_reader_whole_number_within_its_limits_is_taken(text: str, number: int) -> None:
    """The limits themselves, too; an empty variable has the default."""
    assert Reader({"SECONDS": text}).whole("SECONDS", 5, 0, 12) == number


@pytest.mark.parametrize("text", ["13", "-1", "1.5", "1_0", " 1", "٣", "9" * 5000])
def test_reader_any_other_number_is_refused_with_the_limits(text: str) -> None:
    """Also what Python would take for a number, and what it would not make one of."""
    with pytest.raises(SettingsError) as caught:
        Reader({"SECONDS": text}).whole("SECONDS", 5, 0, 12)

    assert str(caught.value) == (
        f"SECONDS={text!r} is not allowed; it must be a whole number from 0 to 12"
    )
