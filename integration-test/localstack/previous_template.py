"""Teaches LocalStack's CloudFormation `UsePreviousTemplate`, which `make release` asks for."""

from typing import Any

from localstack.aws.connect import connect_to
from localstack.runtime import hooks
from localstack.services.cloudformation.v2.provider import CloudformationProviderV2
from localstack.utils.patch import patch

BUCKET = "previous-templates"


@hooks.on_infra_start()
def use_previous_template() -> None:
    """Give a change set the template that its stack has."""

    @patch(CloudformationProviderV2.create_change_set)
    def create_change_set(original: Any, self: Any, context: Any, request: Any) -> Any:
        if request.pop("UsePreviousTemplate", False):
            stack = self.get_template(context, stack_name=request["StackName"])
            request["TemplateURL"] = _put(stack["TemplateBody"])
        return original(self, context, request)


def _put(template: str) -> str:
    """Put a template where it may be larger than in a request, which takes 51,200 bytes."""
    s3 = connect_to(region_name="us-east-1").s3
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="template", Body=template.encode())
    return f"https://{BUCKET}.s3.amazonaws.com/template"
