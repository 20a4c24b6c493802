from pathlib import Path

import pytest

from event_source_mapping.mapping_errors import TemplateError
from event_source_mapping.mapping_settings import MappingSettings
from event_source_mapping.sam.stream_resources import Stream
from event_source_mapping.sam.template import Template, read_template
from tests.conftest import PROJECT

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  RunId: {Type: String}
  Size: {Type: Number, Default: 10}
Resources:
  In: {Type: AWS::Kinesis::Stream, Properties: {Name: rides, ShardCount: 2}}
  Out: {Type: AWS::Kinesis::Stream, Properties: {ShardCount: 1}}
  Failures: {Type: AWS::S3::Bucket}
  Topic: {Type: AWS::SNS::Topic, Properties: {Any: !Split [",", thing]}}
  Predict:
    Type: AWS::Serverless::Function
    Properties:
      PackageType: Image
      ImageConfig: {Command: [lambda_function.lambda_handler]}
      Timeout: 30
      MemorySize: 512
      Environment:
        Variables:
          RUN_ID: !Ref RunId
          OUT: !Ref Out
          ARN: !GetAtt Out.Arn
          PLACE: !Sub "${AWS::Region}/${Failures}/${In.Arn}/${!literal}/${x}"
          PLACE2: !Sub ["${x}", {x: !Ref RunId}]
          LIST: !Join ["-", [a, !Ref RunId]]
          SIZE: !Ref Size
      Events:
        Rides:
          Type: Kinesis
          Properties:
            Stream: !GetAtt In.Arn
            StartingPosition: LATEST
            BatchSize: !Ref Size
            MaximumBatchingWindowInSeconds: 2
            FunctionResponseTypes: [ReportBatchItemFailures]
            BisectBatchOnFunctionError: true
            MaximumRetryAttempts: 4
            MaximumRecordAgeInSeconds: 60
            DestinationConfig: {OnFailure: {Destination: !GetAtt Failures.Arn}}
        Web: {Type: Api, Properties: {Path: /, Method: get}}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "template.yaml"
    path.write_text(TEMPLATE.replace("/${x}", ""))
    return path


def test_read_template_has_streams_and_buckets_by_name(path: Path) -> None:
    """Streams and buckets have their own names, or made-up ones."""
    template = read_template(path, {"RunId": "r1"}, "eu-west-1")

    assert template.streams == [Stream("rides", 2), Stream("local-out", 1)]
    assert template.buckets == ["local-failures"]


def test_read_template_resolves_the_functions_environment(path: Path) -> None:
    """Environment variables are what CloudFormation would make of them."""
    function = read_template(path, {"RunId": "r1"}, "eu-west-1").function("Predict")

    arn = "arn:aws:kinesis:eu-west-1:123456789012:stream"
    assert function.environment == {
        "RUN_ID": "r1",
        "OUT": "local-out",
        "ARN": f"{arn}/local-out",
        "PLACE": f"eu-west-1/local-failures/{arn}/rides/${{literal}}",
        "PLACE2": "r1",
        "LIST": "a-r1",
        "SIZE": "10",
    }
    assert function.handler == "lambda_function.lambda_handler"
    assert (function.timeout_seconds, function.memory_mb) == (30, 512)


def test_read_template_reads_every_property_of_the_mapping(path: Path) -> None:
    """The mapping runs locally with the numbers that are deployed."""
    function = read_template(path, {"RunId": "r1"}, "eu-west-1").function("Predict")

    assert function.mappings == [
        MappingSettings(
            name="PredictRides",
            stream="rides",
            starting_position="LATEST",
            batch_size=10,
            batching_window_seconds=2,
            bisect_on_error=True,
            report_item_failures=True,
            max_retries=4,
            max_record_age_seconds=60,
            failure_bucket="local-failures",
        )
    ]


def test_mapping_without_optional_properties_has_lambdas_defaults() -> None:
    """What a template leaves out has the default that Lambda documents."""
    settings = MappingSettings.from_properties(
        "Rides",
        {"Stream": "arn:aws:kinesis:r:1:stream/rides", "StartingPosition": "TRIM_HORIZON"},
    )

    assert settings == MappingSettings(
        name="Rides",
        stream="rides",
        starting_position="TRIM_HORIZON",
        batch_size=100,
        poll_seconds=0.05,
        batching_window_seconds=0,
        bisect_on_error=False,
        report_item_failures=False,
        max_retries=-1,
        max_record_age_seconds=-1,
        failure_bucket=None,
    )


def test_mapping_of_large_batches_needs_no_batching_window() -> None:
    """The API asks for one with a BatchSize over 10, and its own defaults have none."""
    settings = MappingSettings.from_properties(
        "Rides",
        {"Stream": "arn:aws:kinesis:r:1:s/rides", "StartingPosition": "LATEST", "BatchSize": 11},
    )

    assert (settings.batch_size, settings.batching_window_seconds) == (11, 0)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("!Join", "!Select", "Fn::Select is not known to the local stack"),
        ("!Ref Out", "!Ref Nothing", "no such parameter or resource"),
        ("!GetAtt Out.Arn", "!GetAtt Out.Name", "only Arn"),
        ("!Ref Out", "!Ref Topic", "AWS::SNS::Topic, which does not run locally"),
        ("LATEST", "SOMEWHERE", "it must be one of TRIM_HORIZON, LATEST, AT_TIMESTAMP"),
        ("StartingPosition: LATEST", "BatchSize: 10", "StartingPosition is None; it must be one"),
        ("[ReportBatchItemFailures]", "[Report]", r"FunctionResponseTypes is \['Report'\]; it"),
        ("[ReportBatchItemFailures]", "ReportBatchItemFailures", "it must be a list that is empty"),
        ("LATEST", "AT_TIMESTAMP", "StartingPositionTimestamp goes with StartingPosition AT_TIM"),
        ("BatchSize:", "ProvisionedPollerConfig:", "not simulate ProvisionedPollerConfig"),
        ("!GetAtt Failures.Arn", "arn:aws:sns:r:1:topic", "not the ARN of a s3 or sqs resource"),
        (
            "BatchSize: !Ref Size",
            "FilterCriteria: [1]",
            "FilterCriteria is .*; it must have Filters",
        ),
        (
            "BatchSize: !Ref Size",
            "ParallelizationFactor: 11",
            "PredictRides: ParallelizationFactor is 11; it must be from 1 to 10",
        ),
        ("BatchSize: !Ref Size", "BatchSize: 20000", "BatchSize is 20000; it must be from 1 to"),
        (
            "MaximumRecordAgeInSeconds: 60",
            "MaximumRecordAgeInSeconds: 5",
            "AgeInSeconds is 5; it must be -1, or from 60 to 604800",
        ),
        (
            "BatchSize: !Ref Size",
            "TumblingWindowInSeconds: 901",
            "TumblingWindowInSeconds is 901; it must be from 0 to 900",
        ),
        (
            "BatchSize: !Ref Size",
            "TumblingWindowInSeconds: 60\n            ParallelizationFactor: 2",
            "ParallelizationFactor is 2; with tumbling windows it must be 1",
        ),
        ("OnFailure:", "OnSuccess:", "DestinationConfig has OnSuccess; .* OnFailure alone"),
        (
            "!GetAtt In.Arn",
            "arn:aws:kinesis:r:1:stream/in/consumer/c:1",
            "is a stream consumer; enhanced fan-out is not simulated",
        ),
        (
            "BatchSize: !Ref Size",
            "BatchSize: 1.5",
            "PredictRides: BatchSize is 1.5; it must be a w",
        ),
        ("Timeout: 30", "Timeout: soon", "Predict: Timeout is 'soon'; it must be a whole number"),
        ("Size: 512", "Size: big", "Predict: MemorySize is 'big'; it must be a whole number"),
        ("SIZE: !Ref Size", "SIZE:", "Predict: SIZE is None; it must be a string"),
        ("{Type: Api, ", "{Type: SQS, ", "the event Web of type SQS; the local stack feeds"),
        ("{Type: Api, ", "{", "Predict: the event Web is .*; it must say its Type"),
        ("Parameters:", "Globals: {Api: {Name: x}}\nParameters:", "Globals has Api"),
        ("{Type: AWS::S3::Bucket}", "{Type: AWS::S3::Bucket, Condition: Prod}", "condition Prod"),
        ("AWS::SNS::Topic", "AWS::Lambda::EventSourceMapping", "Topic is a AWS::Lambda::"),
        ("!GetAtt Out.Arn", "!GetAtt Out", "only Arn"),
        ("ImageConfig: {Command: [lambda_function.lambda_handler]}", "", "must name"),
    ],
)
def test_read_template_what_is_not_simulated_is_refused(
    path: Path, old: str, new: str, message: str
) -> None:
    """A template that would run differently here than on AWS does not run here at all."""
    path.write_text(path.read_text().replace(old, new, 1))

    with pytest.raises(TemplateError, match=message):
        read_template(path, {"RunId": "r1"}, "eu-west-1")


def test_read_template_without_what_its_conditions_leave_out(path: Path) -> None:
    """A resource whose condition is false is neither run nor refused."""
    conditions = 'Conditions: {Never: !Equals ["a", "b"]}\nParameters:'
    changed = path.read_text().replace("Parameters:", conditions, 1)
    changed = changed.replace("AWS::SNS::Topic", "AWS::Lambda::Function, Condition: Never")
    path.write_text(
        changed.replace("Serverless::Function", "Serverless::Function\n    Condition: Never")
    )

    assert read_template(path, {"RunId": "r1"}, "eu-west-1").functions == []


def test_read_template_mapping_may_count_and_must_not_run_in_parallel(path: Path) -> None:
    """Metrics change nothing of what is delivered, and one batch at a time is what runs here."""
    accepted = "ParallelizationFactor: 1\n            MetricsConfig: {Metrics: [EventCount]}"
    path.write_text(path.read_text().replace("BatchSize: !Ref Size", accepted))

    template = read_template(path, {"RunId": "r1"}, "eu-west-1")

    assert template.function("Predict").mappings[0].batch_size == 100


def test_read_template_missing_parameter_is_named(path: Path) -> None:
    """A parameter without a default must be given."""
    with pytest.raises(TemplateError, match="parameter RunId has no default and is not given"):
        read_template(path, {}, "eu-west-1")


def test_read_template_unknown_parameter_is_named(path: Path) -> None:
    """A parameter that the template does not have is a mistake, not a wish."""
    with pytest.raises(TemplateError, match="no parameter RunID"):
        read_template(path, {"RunId": "r1", "RunID": "r1"}, "eu-west-1")


def test_template_unknown_function_is_named(path: Path) -> None:
    """Asking for a function that is not there is an error with its name."""
    with pytest.raises(TemplateError, match="no function 'Other'"):
        read_template(path, {"RunId": "r1"}, "eu-west-1").function("Other")


def deployed(**parameters: str) -> Template:
    given = {"RunId": "r1", "ModelBucket": "models", **parameters}
    return read_template(PROJECT / "template.yaml", given, "eu-west-1")


def test_deployed_template_predicts_durations_only_by_default() -> None:
    """Without a run for tips there is one function, with the globals and its own variables."""
    template = deployed(ModelId="m-1")

    assert [function.name for function in template.functions] == ["DurationFunction"]
    assert template.functions[0].timeout_seconds == 60
    assert template.functions[0].environment == {
        "MODEL_BUCKET": "models",
        "MLFLOW_EXPERIMENT_ID": "1",
        "PREDICTIONS_STREAM_NAME": "ride_predictions",
        "AGGREGATE_PREDICTIONS": "false",
        "FAILURES_BUCKET": "local-failuresbucket",
        "RETURN_PREDICTIONS": "False",
        "RUN_ID": "r1",
        "MODEL_LOCATION": "s3://models/1/models/m-1/artifacts",
        "MODEL_SHA256": "",
        "MODEL_NAME": "ride_duration_prediction_model",
        "PREDICTION_FIELD": "ride_duration",
    }


def test_deployed_template_with_a_run_for_tips_has_both_predictors() -> None:
    """Both functions read the same rides the same way, and differ in run, name and field."""
    template = deployed(TipRunId="t1")

    duration, tip = (template.function(name) for name in ("DurationFunction", "TipFunction"))
    differing = duration.environment.items() ^ tip.environment.items()
    assert {name for name, _ in differing} == {"RUN_ID", "MODEL_NAME", "PREDICTION_FIELD"}
    assert tip.environment["RUN_ID"] == "t1"
    assert [mapping.stream for mapping in tip.mappings] == ["ride_events"]
    assert [mapping.name for mapping in tip.mappings] == ["TipFunctionRides"]


@pytest.mark.parametrize(
    ("parameters", "shards"),
    [
        ({}, 1),
        ({"ShardCount": "3"}, 3),
        ({"StreamMode": "ON_DEMAND", "ShardCount": "3"}, 4),
    ],
)
def test_deployed_template_has_the_shards_of_its_mode(
    parameters: dict[str, str], shards: int
) -> None:
    """The number of shards counts for provisioned streams only."""
    assert deployed(**parameters).streams == [
        Stream("ride_events", shards),
        Stream("ride_predictions", shards),
    ]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ModelBucket", "My_Models", "parameter ModelBucket is 'My_Models'; it must match"),
        ("BatchSize", "10000", "parameter BatchSize is '10000'; it must be at most 8500"),
        ("Parallelization", "11", "parameter Parallelization is '11'; it must be at most 10"),
    ],
)
def test_deployed_template_refuses_what_does_not_run(name: str, value: str, message: str) -> None:
    """A parameter that CloudFormation or the local stack cannot take is refused by name."""
    with pytest.raises(TemplateError, match=message):
        deployed(**{name: value})
