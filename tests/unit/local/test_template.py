from pathlib import Path

import pytest

from local.intrinsics import TemplateError
from local.settings import MappingSettings
from local.template import Stream, read_template

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  RunId: {Type: String}
  Size: {Type: Number, Default: 10}
Resources:
  In: {Type: AWS::Kinesis::Stream, Properties: {Name: rides, ShardCount: 2}}
  Out: {Type: AWS::Kinesis::Stream}
  Failures: {Type: AWS::S3::Bucket}
  Table: {Type: AWS::DynamoDB::Table, Properties: {Any: !Split [",", thing]}}
  Predict:
    Type: AWS::Serverless::Function
    Properties:
      PackageType: Image
      ImageConfig: {Command: [lambda_function.lambda_handler]}
      Timeout: 30
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
    assert function.timeout_seconds == 30


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
        batching_window_seconds=0,
        bisect_on_error=False,
        report_item_failures=False,
        max_retries=-1,
        max_record_age_seconds=-1,
        failure_bucket=None,
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("!Join", "!Select", "Fn::Select is not known to the local stack"),
        ("!Ref Out", "!Ref Nothing", "no such parameter or resource"),
        ("!GetAtt Out.Arn", "!GetAtt Out.Name", "only Arn"),
        ("!Ref Out", "!Ref Table", "AWS::DynamoDB::Table, which does not run locally"),
        ("LATEST", "AT_TIMESTAMP", "it must be TRIM_HORIZON or LATEST"),
        ("BatchSize:", "TumblingWindowInSeconds:", "not simulate TumblingWindowInSeconds"),
        ("!GetAtt Failures.Arn", "arn:aws:sqs:r:1:queue", "not the ARN of a s3 resource"),
        ("Parameters:", "Globals: {Function: {Timeout: 7}}\nParameters:", "has Globals"),
        ("{Type: AWS::S3::Bucket}", "{Type: AWS::S3::Bucket, Condition: Prod}", "a Condition"),
        ("AWS::DynamoDB::Table", "AWS::Lambda::EventSourceMapping", "Table is a AWS::Lambda::"),
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
