"""The `MLmodel` file that MLflow writes beside each model."""

import re
from typing import Any, Self

import msgspec
import yaml
from msgspec import Struct

from model_service.models.model_errors import ModelRefused
from streams.errors import brief

MLMODEL = "MLmodel"

# MLflow's own files have some hundred values and some thousand characters. A value counts as a
# hundred characters, for that is what it takes in memory at the least.
MAX_MLMODEL_CHARACTERS = 1_000_000
_VALUE_CHARACTERS = 100
_MAX_REASON_CHARACTERS = 300


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
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    @property
    def input_types(self) -> dict[str, str]:
        """MLflow's types of the columns that it takes, such as `long`; empty if it names none."""
        try:
            columns = msgspec.json.decode((self.signature or {}).get("inputs") or "[]")
            return {str(column["name"]): str(column["type"]) for column in columns}
        except (ValueError, KeyError, TypeError, RecursionError):
            return {}

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
            document = yaml.load(content, _Loader)  # noqa: S506 - it makes nothing but text
            return msgspec.convert(document, type=cls)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            reason = brief(" ".join(str(error).split()), _MAX_REASON_CHARACTERS)
            raise ModelRefused(f"{location} is not an MLmodel file: {reason}") from None


class _Loader(yaml.BaseLoader):
    """Reads text, null, lists and objects, and nothing else that YAML has.

    YAML's numbers and dates are text here, which is what the fields above hold: what they would
    be made of fails in many ways, and some take very long to make. Aliases count as what they
    stand for, so that no short file becomes a large one when it is shown in an error message.

    It is Python's own loader, though slower: libyaml crashes on deep nesting.
    """

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self._characters = 0
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        before, is_alias = self._characters, self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if node is not None:
            self._characters += self._size_of_alias(node) if is_alias else _size(node)
            self._sizes[id(node)] = self._characters - before
            if self._characters > MAX_MLMODEL_CHARACTERS:
                raise _refusal(node, f"more than {MAX_MLMODEL_CHARACTERS} characters and values")
        return node

    def _size_of_alias(self, node: yaml.Node) -> int:
        if id(node) not in self._sizes:
            raise _refusal(node, "a value that holds itself")
        return self._sizes[id(node)]


def _size(node: yaml.Node) -> int:
    return _VALUE_CHARACTERS + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)


def _refusal(node: yaml.Node, found: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=f"found {found}", problem_mark=node.start_mark)


def _nothing(loader: _Loader, node: yaml.Node) -> None:
    """What YAML's null stands for."""


_NULL = "tag:yaml.org,2002:null"
_Loader.add_implicit_resolver(_NULL, re.compile(r"(~|null|Null|NULL|)\Z"), ["~", "n", "N", ""])
_Loader.add_constructor(_NULL, _nothing)
