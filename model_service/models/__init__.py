"""Run ID to predictor: find the files, verify them, load them."""
