"""The OpenAPI document, and a client that holds the service to it."""

from pathlib import Path

import msgspec

from tests.commands import finished
from tests.conftest import PROJECT
from tests.web import EVENT, RIDE, Web

# By its interpreter: a command names the place where it was set up, and a checkout may be moved.
SCHEMATHESIS = (PROJECT / ".tools/schemathesis/bin/python", "-m", "schemathesis.cli")


def test_service_does_as_its_document_says(web: Web, tmp_path: Path) -> None:
    """Schemathesis asks every address in every way, right and wrong, and finds nothing."""
    done = finished(
        [
            *SCHEMATHESIS,
            *("run", f"{web.url}/openapi.json", "--seed", "1", "--no-color"),
            *("--max-examples", "50", "--generation-database", "none"),
        ],
        cwd=tmp_path,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout


def test_document_describes_every_address(web: Web) -> None:
    """What the document lists is what there is, and its examples are answered."""
    document = web.get("/openapi.json").json

    assert document["openapi"] == "3.1.0"
    for path in document["paths"].keys() - {"/predict"}:
        assert web.get(path).status == 200
    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]
    examples = [example["value"] for example in content["examples"].values()]
    assert [web.post(example).status for example in examples] == [200] * 3


def test_document_names_what_predict_answers(web: Web) -> None:
    """The schemas of answers have the keys that answers have."""
    schemas = msgspec.json.decode(web.get("/openapi.json").body)["components"]["schemas"]

    assert schemas["Prediction"]["properties"].keys() == web.post(RIDE).json.keys()
    assert schemas["Event"]["properties"].keys() == web.post(EVENT).json.keys()
    assert schemas["Problem"]["properties"].keys() == web.post([5]).json.keys()
