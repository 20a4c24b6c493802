"""Files of trips in, scored files out: the same model as on the stream, a month at a time."""
