"""`make predictor NAME=surge`: adds a predictor to template.yaml, as the one of tips is there.

CloudFormation's loops (`Fn::ForEach`) are in the way of what else reads this template: cfn-lint
1.58 does not expand them in a SAM template, and the SAM CLI only with an option. So a predictor is
some lines in many places. This copies those of the tip predictor; nobody writes them by hand.

"""

import argparse
import re
import sys
from pathlib import Path

# CloudWatch takes ten metrics in an alarm, of which decisions and each predictor have two.
MOST = 4

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"

# A resource, parameter or output that is the tip predictor's, with all that is indented under it.
_OWN = r"^  Tip[A-Z]\w+:\n(?:(?:    .*)?\n)+"
# What an alarm watches of it, and its part in a list of parameters.
_WATCHED = (
    r"^        - !If\n          - PredictsTips\n(?:          .*\n)+?          - !Ref AWS::NoValue\n"
)
_GROUP = r"^      - Label: .*\n        Parameters: \[TipRunId.*\n"
# Its conditions, and its lines on the dashboard.
_CONDITION = (
    r"^  (?:\w*: !Not \[!Equals \[!Ref Tip[A-Z]|FansTipsOut: !And \[!Condition FansOut).*\n"
)
_SHOWN = r"^ +\[.*(?:\$\{Tip\}|ride_tip_prediction_model).*\n"
_NAMED = r"^        - Tip: .*\n"
# What each predictor has, and nothing else.
_PREDICTS = "Command: [lambda_function.lambda_handler]"
# A value `ride_id` would hide the ride's, and the condition PredictsTips is there.
_RESERVED = ("id", "tips")
_PLACES = re.compile("|".join((_OWN, _WATCHED, _GROUP, _CONDITION, _SHOWN, _NAMED)), re.MULTILINE)


def with_predictor(template: str, name: str) -> str:
    """A template with one more predictor.

    Args:
        template: Its text, in which there is the tip predictor.
        name: In lower case, such as `surge`: the model is `ride_surge_prediction_model`, the value
            `ride_surge`, and the parameters begin with `Surge`.

    Raises:
        ValueError: The name is not allowed, or taken.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]{0,19}", name) or name in _RESERVED:
        raise ValueError(
            f"NAME={name!r} is not allowed; it must be a lower-case letter, and at most 19 of such "
            f"and of digits, and none of {', '.join(_RESERVED)}"
        )
    if f"  {name.capitalize()}Function:\n" in template:
        raise ValueError(f"NAME={name!r} is taken: the template has such a function")
    if template.count(_PREDICTS) >= MOST:
        raise ValueError(
            f"NAME={name!r} is one too many: the template has {MOST} predictors, and CloudWatch "
            "takes ten metrics in an alarm, two for each of them and for decisions"
        )
    return _PLACES.sub(lambda place: _both(place[0], name), template)


def _both(text: str, name: str) -> str:
    """A text and its copy for another predictor; the last in a list is followed by no comma."""
    copy = _renamed(text, name)
    if text.startswith("        - Tip: "):
        return text + copy.replace("        - ", "          ", 1)
    ends = re.search(r"(\]+\}+,?|\])\n$", text) if text.lstrip().startswith("[") else None
    if ends is None or text.endswith("],\n"):
        return text + copy
    return f"{text[: ends.start()]}],\n{copy}"


def _renamed(text: str, name: str) -> str:
    text = text.replace("PredictsTips", f"Predicts{name.capitalize()}")
    text = text.replace("FansTipsOut", f"Fans{name.capitalize()}Out")
    text = re.sub(r"Tip(?=[A-Z}:]|s?\b)s?", name.capitalize(), text)
    return re.sub(r"(?<![A-Za-z])tips?(?=[A-Z_\"\n.,; ]|$)", name, text)


def main() -> int:
    """Change template.yaml; answer with the exit status."""
    parser = argparse.ArgumentParser(prog="make predictor", description=__doc__)
    parser.add_argument("name", help="what it predicts, such as surge")
    name = parser.parse_args().name
    try:
        TEMPLATE.write_text(with_predictor(TEMPLATE.read_text(), name))
    except ValueError as error:
        parser.error(str(error))
    parameter = f"{name.capitalize()}RunId"
    sys.stdout.write(f"template.yaml has a predictor of {name}; deploy it with {parameter}=…\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
