"""Brings back what failed, from the failures bucket onto the input stream."""
