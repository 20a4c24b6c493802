"""The reference, as tutorials have it: a Flask view that predicts a ride through mlflow.pyfunc."""

import os

import mlflow.pyfunc
from flask import Flask, Response, jsonify, request

from model_service.records.features import ride_features, rows
from model_service.records.ride_events import Ride

app = Flask("reference")
model = mlflow.pyfunc.load_model(os.environ["MODEL_LOCATION"])
version = model.metadata.run_id


@app.post("/predict")
def predict() -> Response:
    """Predict the ride of the body."""
    ride = Ride(**request.get_json())
    values = model.predict(list(rows(ride_features([ride]))))
    return jsonify({"duration": float(values[0]), "model_version": version})
