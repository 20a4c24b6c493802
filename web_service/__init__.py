"""The same model over HTTP: Flask under gunicorn."""
