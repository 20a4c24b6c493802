"""Everything this package raises on purpose.

BatchError               never raised itself
├── UsageError           an option, an event or a variable asks for what cannot be done
├── TripsError           a file of trips is missing, or is not what TLC publishes
└── OutputError          scored files cannot be written, or not be read back

Each message is one line: what was wrong, where, and what is allowed.
"""


class BatchError(Exception):
    """Base of this package's errors."""


class UsageError(BatchError):
    """An option, an event or a variable has a value that is not allowed."""


class TripsError(BatchError):
    """A file of trips is missing, cannot be read, or lacks a column."""


class OutputError(BatchError):
    """A scored file cannot be written, or is not one of ours."""
