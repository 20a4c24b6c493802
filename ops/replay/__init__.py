"""Scores rides that a stream keeps with another run's model."""
