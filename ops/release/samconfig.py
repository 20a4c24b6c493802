"""What `sam deploy --guided` saved in samconfig.toml."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# As `sam deploy --guided` writes them, Key="value", or as CloudFormation's own tools do.
_OVERRIDE = re.compile(
    r'(?<!\S)(?:ParameterKey=)?(\w+)(?:,ParameterValue)?=("(?:\\.|[^"\\])*"|[^\s"]+)'
)


def stale_overrides(path: Path, stack: str, parameters: Mapping[str, str]) -> list[str]:
    """The parameters that a saved `sam deploy` of the stack would set back to something else.

    `sam deploy --guided` saves its answers, and the next `sam deploy` gives them all again.

    Args:
        path: samconfig.toml.
        stack: Name of the stack.
        parameters: What the stack has; others are not looked at.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is not TOML.
    """
    if not path.is_file():
        return []
    stale: set[str] = set()
    for environment in tomllib.loads(path.read_text(encoding="utf-8")).values():
        options = {**_options(environment, "global"), **_options(environment, "deploy")}
        if options.get("stack_name", stack) == stack:
            saved = _overrides(options.get("parameter_overrides", ""))
            stale |= {name for name in saved if parameters.get(name, saved[name]) != saved[name]}
    return [name for name in parameters if name in stale]


def _options(environment: Any, command: str) -> dict[str, Any]:
    """What samconfig.toml has in `[<environment>.<command>.parameters]`."""
    for name in (command, "parameters"):
        environment = environment.get(name) if isinstance(environment, dict) else None
    return environment if isinstance(environment, dict) else {}


def _overrides(saved: Any) -> dict[str, str]:
    """Parameter overrides, which samconfig.toml may have as a string, a table or a list of such."""
    if isinstance(saved, list):
        return {name: value for item in saved for name, value in _overrides(item).items()}
    if isinstance(saved, dict):
        return {name: str(value) for name, value in saved.items()}
    return {name: value.strip('"') for name, value in _OVERRIDE.findall(str(saved))}
