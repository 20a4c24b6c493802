"""Teaches LocalStack's CloudFormation `UsePreviousTemplate`, which `make release` asks for."""

from typing import Any

from localstack.runtime import hooks
from localstack.services.cloudformation.v2.provider import CloudformationProviderV2
from localstack.utils.patch import patch


@hooks.on_infra_start()
def use_previous_template() -> None:
    """Give a change set the template that its stack has."""

    @patch(CloudformationProviderV2.create_change_set)
    def create_change_set(original: Any, self: Any, context: Any, request: Any) -> Any:
        if request.pop("UsePreviousTemplate", False):
            stack = self.get_template(context, stack_name=request["StackName"])
            request["TemplateBody"] = stack["TemplateBody"]
        return original(self, context, request)
