"""What can be wrong with a template."""


class TemplateError(Exception):
    """The template cannot be run locally; the message names the place."""
