"""`make template` and `make predictor NAME=surge`: write template.yaml for a list of predictors.

template.yaml is committed, so that `sam build` and `sam deploy` need nothing else. A test fails if it is
not what deploy/template.yaml.j2 and deploy/predictors.yaml render to.

"""

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

PROJECT = Path(__file__).resolve().parent.parent
TEMPLATE = PROJECT / "template.yaml"
SOURCE = PROJECT / "deploy"
PREDICTORS = SOURCE / "predictors.yaml"

# Its parameters have no prefix, and it is always deployed.
_FIRST = "duration"
# Logical IDs of batch scoring and of decisions begin with these; `ride_id` is the ride's.
_RESERVED = ("batch", "decision", "decisions", "id")


@dataclass(frozen=True, slots=True)
class Predictor:
    """One predictor as deploy/template.yaml.j2 names it.

    Attributes:
        name: In lower case: `tip` has the model `ride_tip_prediction_model` and the value `ride_tip`.
    """

    name: str

    @property
    def optional(self) -> bool:
        """Whether it is deployed only when it has a run."""
        return self.name != _FIRST

    @property
    def title(self) -> str:
        """Return the beginning of its resources' logical IDs."""
        return self.name.capitalize()

    @property
    def prefix(self) -> str:
        """Return the beginning of its parameters and alarms."""
        return self.title if self.optional else ""

    @property
    def condition(self) -> str:
        """Return the condition of its resources; empty if they are always there."""
        return f"Predicts{self.title}" if self.optional else ""

    @property
    def fans_out(self) -> str:
        """Return the condition of its own consumer."""
        return f"Fans{self.prefix}Out"

    @property
    def shown(self) -> str:
        """Return what the dashboard substitutes by the function's name."""
        return f"${{{self.title}}}" if self.optional else f"${{{self.title}Function}}"


def render(names: Sequence[str]) -> str:
    """Return the SAM template of a stack with these predictors.

    Raises:
        ValueError: A name is not allowed, occurs twice, or durations are not first.
    """
    _require_allowed(names)
    predictors = [Predictor(name) for name in names]
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


def _require_allowed(names: Sequence[str]) -> None:
    if not names or names[0] != _FIRST:
        raise ValueError(f"no template: predictors={names}; expected {_FIRST!r} to be the first")
    for number, name in enumerate(names):
        if not re.fullmatch(r"[a-z][a-z0-9]{0,19}", name) or name in _RESERVED:
            raise ValueError(
                f"no template: NAME={name!r}; expected a lower-case letter, then at most 19 lower-case "
                f"letters or digits, and not {', '.join(_RESERVED)}"
            )
        if name in names[:number]:
            raise ValueError(f"no template: NAME={name!r} is there already; expected another name")


def listed() -> list[str]:
    """Return the names in deploy/predictors.yaml."""
    return [str(name) for name in yaml.safe_load(PREDICTORS.read_text())]


def add(name: str) -> None:
    """Add a predictor to deploy/predictors.yaml and template.yaml.

    Raises:
        ValueError: The name is not allowed, or template.yaml has edits that would be lost.
    """
    names = listed()
    if TEMPLATE.read_text() != render(names):
        raise ValueError(
            "no template: template.yaml differs from what deploy/ renders to; expected no edits by "
            "hand. Move them to deploy/template.yaml.j2 and run 'make template' first"
        )
    template = render([*names, name])
    PREDICTORS.write_text(f"{PREDICTORS.read_text().rstrip()}\n- {name}\n")
    TEMPLATE.write_text(template)


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
            sys.stdout.write(f"template.yaml has {name}: deploy with {name.capitalize()}RunId=…\n")
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
