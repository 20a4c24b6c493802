"""Commands for whoever is on call."""
