"""What can be wrong with a question about capacity."""


class CapacityError(Exception):
    """The file of prices cannot be used; the message names the place, and what is allowed."""
