"""Joins the predictions of several models about one ride, and decides once."""
