"""What CloudFormation makes of this project's SAM template, without AWS."""

from pathlib import Path
from typing import Any

import yaml
from boto3 import Session
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import intrinsics_multi_constructor

from tests.conftest import PROJECT

# The policies of AWS that SAM itself attaches, to a function without a role of its own.
_MANAGED_POLICIES = {
    name: f"arn:aws:iam::aws:policy/{name}"
    for name in ("AmazonKinesisFullAccess", "AWSLambdaBasicExecutionRole")
}


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def parsed(text: str) -> dict[str, Any]:
    """Return a SAM template in YAML, with the image that `sam build` would add."""
    document: dict[str, Any] = yaml.load(text, _Loader)
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"].setdefault("ImageUri", "built-by-sam")
    return document


def source(path: Path = PROJECT / "template.yaml") -> dict[str, Any]:
    """Return the template in a file, as `parsed` does."""
    return parsed(path.read_text())


def transformed(document: dict[str, Any]) -> dict[str, Any]:
    """The CloudFormation template of a SAM template, which is used up."""
    session = Session(region_name="us-east-1")
    translator = Translator(_MANAGED_POLICIES, Parser(), boto_session=session)
    result: dict[str, Any] = translator.translate(document, parameter_values={})
    return result
