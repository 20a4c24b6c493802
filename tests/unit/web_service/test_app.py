"""The application without a server: what models can do to it."""

import logging
from collections.abc import Sequence
from typing import Any

import pytest
from flask.testing import FlaskClient

from model_service.models.loading import Model
from model_service.records.features import Features
from tests.web import EVENT, RIDE
from web_service.app import create_app
from web_service.serving import Served, Serving


class Moody:
    """Predicts as told, or raises."""

    def __init__(self) -> None:
        self.values: Sequence[float] = [21.3]
        self.fault: Exception | None = None

    def predict(self, features: Features) -> Sequence[float]:
        if self.fault is not None:
            raise self.fault
        return self.values


@pytest.fixture
def predictor() -> Moody:
    return Moody()


@pytest.fixture(params=["ride_duration"])
def client(predictor: Moody, request: pytest.FixtureRequest) -> FlaskClient:
    model = Model("some_model", "Test123", request.param, predictor)
    return create_app(Serving(Served.warm(model, "here")), 1000).test_client()


def test_predict_model_that_raises_is_an_error_without_the_ride(
    client: FlaskClient, predictor: Moody, caplog: pytest.LogCaptureFixture
) -> None:
    """500 and the log say that the model failed and where, and nothing of the ride."""
    predictor.fault = ValueError("ride from 10 to 50")
    caplog.set_level(logging.ERROR)

    answer = client.post("/predict", json=RIDE)

    assert (answer.status_code, answer.get_json()["reason"]) == (500, "model_error")
    assert "from 10" not in answer.text + caplog.text
    assert "the model failed on 1 rides: ValueError at" in caplog.text


def test_predict_value_that_is_no_number_is_an_error(client: FlaskClient, predictor: Moody) -> None:
    """What JSON cannot hold is not answered as null."""
    predictor.values = [1.0, float("nan")]

    answer = client.post("/predict", json=[RIDE, RIDE])

    assert (answer.status_code, answer.get_json()["reason"]) == (500, "prediction_not_finite")


def test_predict_too_few_values_is_an_error(client: FlaskClient, predictor: Moody) -> None:
    """A model that answers fewer values than rides gives nobody another's."""
    answer = client.post("/predict", json=[RIDE, RIDE])

    assert (answer.status_code, answer.get_json()["reason"]) == (500, "model_error")


def test_ready_model_that_fails_is_not_ready(client: FlaskClient, predictor: Moody) -> None:
    """503 takes the process out of service; it is alive all the same."""
    predictor.fault = ValueError("broken")

    assert client.get("/ready").status_code == 503
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize("client", ["ride_tip"], indirect=True)
def test_other_predictors_have_names_of_their_own(client: FlaskClient) -> None:
    """A predictor of tips answers tips: to a ride, to an event, in the document and on the page."""
    event: Any = client.post("/predict", json=EVENT).get_json()

    assert client.post("/predict", json=RIDE).get_json() == {
        "tip": 21.3,
        "model_version": "Test123",
    }
    assert event["prediction"] == {"ride_tip": 21.3, "ride_id": 256}
    schemas = client.get("/openapi.json").get_json()["components"]["schemas"]
    assert schemas["Prediction"]["required"] == ["tip", "model_version"]
    assert "dollars" in client.get("/").text
