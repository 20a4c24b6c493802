"""The `MLmodel` file that MLflow writes beside each model."""

from typing import Any, Self

import msgspec
import yaml
from msgspec import Struct

from model_service.errors import ModelRefused

MLMODEL = "MLmodel"


class MLmodel(Struct, frozen=True):
    """What is needed of the file: the run, and how to load the model.

    Attributes:
        flavors: Settings by flavour (`sklearn`, `python_function`, …).
        run_id: The run that logged the model; None for a model that was saved without a run.
        signature: What the model takes and gives, as JSON by part.
    """

    flavors: dict[str, dict[str, Any]]
    run_id: str | None = None
    signature: dict[str, Any] | None = None

    @property
    def output_name(self) -> str | None:
        """The name of what it predicts, such as `duration`; None where its signature has none."""
        try:
            (output,) = msgspec.json.decode((self.signature or {}).get("outputs") or "[]")
            return str(output["name"])
        except (ValueError, KeyError, TypeError):
            return None

    @classmethod
    def parse(cls, content: bytes, location: str) -> Self:
        """Read the file's content.

        Args:
            content: YAML.
            location: Where it came from, for the error message.

        Raises:
            ModelRefused: It is not the file of a model.
        """
        try:
            # Python's own loader, though slower: libyaml crashes on deep nesting.
            return msgspec.convert(yaml.load(content, yaml.SafeLoader), type=cls)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())
            raise ModelRefused(f"{location} is not an MLmodel file: {reason}") from None
