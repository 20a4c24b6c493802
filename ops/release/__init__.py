"""Changes which run a deployed predictor serves."""
