"""The generator of template.yaml: what a list of predictors renders to, and what it refuses."""

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from event_source_mapping.sam.template import read_template
from ops.stack_template import PREDICTORS, TEMPLATE, add, listed, render
from tests.sam_transform import parsed, transformed

TWO = ["duration", "tip"]
# Not in the project's list, which users add to.
UNLISTED = "unlisted"
MANY = [*TWO, *(f"extra{number}" for number in range(18))]


def test_template_is_what_deploy_renders_to() -> None:
    """template.yaml is generated: an edit by hand, or of deploy/ without `make template`, fails."""
    assert TEMPLATE.read_text() == render(listed()), "run 'make template' and review the diff"


def test_added_predictor_leaves_the_others_as_they_are() -> None:
    """Another predictor adds its own resources, and changes nothing but the dashboard."""
    before, after = (
        transformed(parsed(render(names)))["Resources"] for names in (TWO, [*TWO, "surge"])
    )

    assert {name for name in before if before[name] != after[name]} == {"Dashboard"}
    assert {name for name in after.keys() - before.keys() if not name.startswith("Surge")} == set()


def test_predictors_differ_by_name_only() -> None:
    """Surge has the same resources as tip, with another name."""
    with_surge = transformed(parsed(render([*TWO, "surge"])))["Resources"]
    tip = {name: body for name, body in with_surge.items() if name.startswith("Tip")}
    renamed = str(tip).replace("Tip", "Surge").replace("tip", "surge")

    assert renamed == str({name: with_surge[name] for name in with_surge if "Surge" in name})


def test_twenty_predictors_fit_into_one_stack() -> None:
    """A stack of twenty predictors, each with its alarms, is within CloudFormation's quotas."""
    text = render(MANY)
    template = transformed(parsed(text))

    assert len(MANY) == 20
    assert len(template["Resources"]) < 500
    assert len(template["Parameters"]) < 200
    assert len(template["Outputs"]) < 200
    assert len(text.encode()) < 1_000_000


def test_local_stack_runs_an_added_predictor(tmp_path: Path) -> None:
    """With its run ID, an added predictor reads the stream of rides on the local stack."""
    path = tmp_path / "template.yaml"
    path.write_text(render([*TWO, "surge"]))
    parameters = {"ModelBucket": "models", "RunId": "a", "TipRunId": "b", "SurgeRunId": "c"}

    surge = read_template(path, parameters, "us-east-1").function("SurgeFunction")

    assert surge.environment["RUN_ID"] == "c"
    assert [mapping.stream for mapping in surge.mappings] == ["ride_events"]


@pytest.mark.parametrize("section", ["Parameters", "Conditions", "Resources", "Outputs"])
def test_name_of_a_predictor_clashes_with_no_other_logical_id(section: str) -> None:
    """Every first word of a logical ID makes a predictor without duplicate IDs, or is refused."""
    ids = parsed(render(TWO))[section]
    words = {words[0].lower() for name in ids if (words := re.findall("[A-Z][a-z0-9]*", name))}

    for word in words - {*TWO}:
        try:
            text = render([*TWO, word])
        except ValueError:
            continue
        body = re.split(r"^\w+:.*\n", text.partition(f"\n{section}:\n")[2], flags=re.MULTILINE)[0]
        repeated = Counter(re.findall(r"^  (\w+):", body, re.MULTILINE))
        assert max(repeated.values()) == 1, word


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "^no template: predictors=\\[\\]; expected 'duration' to be the first$"),
        (["tip", "duration"], "expected 'duration' to be the first$"),
        (["duration", "surge"], "expected 'tip' among them, because decisions join"),
        ([*MANY, "surge"], "^no template: predictors=21; expected at most 20, because Kinesis"),
        ([*TWO, "tip"], "^no template: NAME='tip' is there already; expected another name$"),
        *(
            (
                [*TWO, name],
                f"^no template: NAME='{name}'; expected a lower-case letter, then at most",
            )
            for name in ("", "Surge", "sur-ge", "1st", "a" * 21, "batch", "decision", "id")
        ),
        *(
            ([*TWO, name], f"^no template: NAME='{name}'; expected a name that YAML reads as text")
            for name in ("on", "off", "yes", "no", "true", "false", "null")
        ),
    ],
)
def test_list_of_predictors_that_is_not_allowed_is_refused(names: list[str], message: str) -> None:
    """A list that is too long, lacks a needed name, or has a wrong or repeated one is refused."""
    with pytest.raises(ValueError, match=message):
        render(names)


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Return a copy of template.yaml, which a test may change."""
    return Path(shutil.copy(TEMPLATE, tmp_path))


@pytest.fixture
def predictors(tmp_path: Path) -> Path:
    """Return a copy of the list of predictors, which a test may change."""
    return Path(shutil.copy(PREDICTORS, tmp_path))


def test_add_writes_the_list_and_the_template(template: Path, predictors: Path) -> None:
    """An added predictor is the last of the list, whose comments stay."""
    add(UNLISTED, template, predictors)

    assert predictors.read_text() == f"{PREDICTORS.read_text()}- {UNLISTED}\n"
    assert template.read_text() == render([*listed(), UNLISTED])


def test_add_refuses_a_template_that_was_edited_by_hand(template: Path, predictors: Path) -> None:
    """An edit of template.yaml is not overwritten: the message says where it belongs."""
    edited = template.read_text() + "# mine\n"
    template.write_text(edited)

    with pytest.raises(ValueError, match=r"Move them to deploy/template\.yaml\.j2"):
        add(UNLISTED, template, predictors)
    assert template.read_text() == edited
    assert predictors.read_text() == PREDICTORS.read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "^no template: predictors=None; expected a list of names"),
        ("duration: 1\n", "^no template: predictors={'duration': 1}; expected a list of names"),
        ("- duration\n- on\n", "predictors=\\['duration', True\\]; expected a list of names"),
        ("- [\n", "^no template: predictors='- \\[\\\\n'; expected YAML"),
    ],
)
def test_file_that_is_not_a_list_of_names_is_refused(
    predictors: Path, text: str, message: str
) -> None:
    """The message shows what YAML reads instead of a list of names."""
    predictors.write_text(text)

    with pytest.raises(ValueError, match=message):
        listed(predictors)


@pytest.mark.parametrize("text", ["[duration, tip]\n", "  - duration\n  - tip\n"])
def test_add_refuses_a_list_that_another_line_would_break(
    template: Path, predictors: Path, text: str
) -> None:
    """A list in brackets or with indented names is refused, and both files stay unchanged."""
    predictors.write_text(text)
    template.write_text(before := render(TWO))

    with pytest.raises(ValueError, match="^no template: predictors=.* expected YAML"):
        add(UNLISTED, template, predictors)
    assert predictors.read_text() == text
    assert template.read_text() == before
