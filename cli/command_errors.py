"""What the commands here raise."""


class OpsError(Exception):
    """A command did not do what was asked of it; the message says why, and what to do."""
