"""Errors about a model.

ModelError              never raised itself
├── ModelNotFound       no model where it was looked for
├── ModelRefused        a model that must not be loaded
└── ModelBroken         a loaded model that fails on every ride

Each message is one line: what was wrong, its value, and what to do about it.
"""

from streams.errors import ServiceError


class ModelError(ServiceError):
    """Base of the errors about a model."""


class ModelNotFound(ModelError):
    """There is no model where the settings say it is."""


class ModelRefused(ModelError):
    """A model was found, and loading it would be unsafe or would predict wrongly."""


class ModelBroken(ModelError):
    """The model raises on every ride of a batch."""
