"""`make template` and `make predictor NAME=surge`: write template.yaml for a list of predictors.

template.yaml is committed: `sam build` and `sam deploy` need only this file. A test fails if it is
not what deploy/template.yaml.j2 and deploy/predictors.yaml render to.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

PROJECT = Path(__file__).resolve().parent.parent
TEMPLATE = PROJECT / "template.yaml"
SOURCE = PROJECT / "deploy"
PREDICTORS = SOURCE / "predictors.yaml"

# Its parameters have no prefix, and it is always deployed.
_FIRST = "duration"
# Decisions join the predictions of durations and tips.
_DECIDED = "tip"
# Each reads the rides by enhanced fan-out, which Kinesis allows to 20 consumers of a stream.
_MOST = 20
# Logical IDs of batch scoring and of decisions begin with these; `ride_id` is the ride's.
_RESERVED = ("batch", "decision", "decisions", "id")


def render(names: Sequence[str]) -> str:
    """Return the SAM template of a stack with these predictors.

    Raises:
        ValueError: A name is not allowed or occurs twice, durations are not first, tips are
            missing, or there are too many.
    """
    _require_allowed(names)
    predictors = [_variables(name) for name in names]
    # CloudFormation uses braces itself.
    environment = Environment(
        loader=FileSystemLoader(SOURCE),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - the output is YAML, and the names are checked
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("template.yaml.j2").render(
        predictors=predictors, optional=predictors[1:]
    )


def _variables(name: str) -> dict[str, Any]:
    """Return what deploy/template.yaml.j2 knows of a predictor.

    `tip` has the model `ride_tip_prediction_model`, the value `ride_tip`, the function TipFunction
    and the parameter TipRunId. Only durations have parameters and alarms without a prefix.
    """
    title = name.capitalize()
    optional = name != _FIRST
    prefix = title if optional else ""
    return {
        "name": name,
        "optional": optional,
        "title": title,
        "prefix": prefix,
        "condition": f"Predicts{title}" if optional else "",
        "fans_out": f"Fans{prefix}Out",
        "shown": f"${{{title}}}" if optional else f"${{{title}Function}}",
    }


def _require_allowed(names: Sequence[str]) -> None:
    if not names or names[0] != _FIRST:
        raise ValueError(f"no template: predictors={names}; expected {_FIRST!r} to be the first")
    if _DECIDED not in names:
        raise ValueError(
            f"no template: predictors={names}; expected {_DECIDED!r} among them, because decisions "
            f"join durations and tips. To deploy no tip predictor, leave TipRunId empty"
        )
    if len(names) > _MOST:
        raise ValueError(
            f"no template: predictors={len(names)}; expected at most {_MOST}, because Kinesis "
            f"allows {_MOST} consumers of a stream. Deploy another stack for the others"
        )
    for number, name in enumerate(names):
        _require_name(name)
        if name in names[:number]:
            raise ValueError(f"no template: NAME={name!r} is there already; expected another name")


def _require_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]{0,19}", name) or name in _RESERVED:
        raise ValueError(
            f"no template: NAME={name!r}; expected a lower-case letter, then at most 19 "
            f"lower-case letters or digits, and not {', '.join(_RESERVED)}"
        )
    if (read := yaml.safe_load(name)) != name:
        raise ValueError(
            f"no template: NAME={name!r}; expected a name that YAML reads as text, not as {read}"
        )


def listed(predictors: Path = PREDICTORS) -> list[str]:
    """Return the names in a list of predictors.

    Raises:
        ValueError: The file is not a list of names in YAML.
    """
    return _names(predictors.read_text())


def _names(text: str) -> list[str]:
    try:
        names = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(
            f"no template: predictors={text!r}; expected YAML. Correct the list: {error}"
        ) from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"no template: predictors={names!r}; expected a list of names, such as '- surge'"
        )
    return names


def add(name: str, template: Path = TEMPLATE, predictors: Path = PREDICTORS) -> None:
    """Add a predictor to the list of predictors and to the template.

    Raises:
        ValueError: The name is not allowed, the list does not have one name a line, or the
            template has edits that would be lost.
    """
    names = listed(predictors)
    if template.read_text() != render(names):
        raise ValueError(
            f"no template: {template.name} differs from what deploy/ renders to; expected no edits "
            "by hand. Move them to deploy/template.yaml.j2 and run 'make template' first"
        )
    rendered = render([*names, name])
    longer = f"{predictors.read_text().rstrip()}\n- {name}\n"
    _names(longer)  # raises for a list in brackets, or with indented names
    predictors.write_text(longer)
    template.write_text(rendered)


def main() -> int:
    """Write template.yaml; return the exit status."""
    parser = argparse.ArgumentParser(prog="make template", description=__doc__)
    parser.add_argument("--add", metavar="NAME", help="a new predictor, such as surge")
    name = parser.parse_args().add
    try:
        if name is None:
            TEMPLATE.write_text(render(listed()))
        else:
            add(name)
            sys.stdout.write(
                f"template.yaml has {name}: deploy it with {name.capitalize()}RunId=…\n"
            )
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
