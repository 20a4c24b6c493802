"""Rides -> features -> scikit-learn -> MLflow run. `python -m training --help` says how."""
