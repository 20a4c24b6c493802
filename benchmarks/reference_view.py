"""The reference as tutorials have it: a Flask view that predicts one ride through mlflow.pyfunc.

It is its own gunicorn configuration, with the web service's settings.
"""

import os
from typing import Any

import mlflow.pyfunc
from flask import Flask, Response, jsonify, request

from model_service.records.features import ride_features, rows
from model_service.records.ride_events import Ride
from web_service.gunicorn_conf import *  # noqa: F403 - a configuration's settings are its names

app = Flask("reference")
model = mlflow.pyfunc.load_model(os.environ["MODEL_LOCATION"])
version = model.metadata.run_id


@app.post("/predict")
def predict() -> Response:
    """Predict the ride of the body."""
    ride = Ride(**request.get_json())
    values = model.predict(list(rows(ride_features([ride]))))
    return jsonify({"duration": float(values[0]), "model_version": version})


def post_fork(server: Any, worker: Any) -> None:  # type: ignore[no-redef] # replaces the hook
    """Do not follow a model, which the web service does here."""
