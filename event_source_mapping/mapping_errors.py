"""What can be wrong with a template, and with what is kept of an earlier run."""


class TemplateError(Exception):
    """The template cannot be run locally; the message names the place."""


class CheckpointsError(Exception):
    """The file of checkpoints cannot be read; the message names it."""
