"""Everything this package raises on purpose.

TrainingError            never raised itself
├── TripsError           a file of trips cannot be learned from
├── TrackingError        MLflow cannot take the run
└── CannotConvert        a model has no twin

Each message is one line: what was wrong, where, and what is allowed.
"""


class TrainingError(Exception):
    """Base of this package's errors."""


class TripsError(TrainingError):
    """A file of trips is missing, is not what TLC publishes, or has too few usable rides."""


class CannotConvert(TrainingError):
    """A model cannot have a twin, or would not predict the same there."""


class TrackingError(TrainingError):
    """The tracking database or the artifact store refuses the run."""
