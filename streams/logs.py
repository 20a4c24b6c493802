"""What a Lambda function logs."""

import logging
from collections.abc import Mapping


def set_up_logging(*packages: str) -> None:
    """Log a line for each invocation of these packages.

    Lambda's runtime brings the handler and the format, by the function's `LoggingConfig`.

    Args:
        packages: Names of this project's packages.
    """
    for name in packages:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("botocore").setLevel(logging.WARNING)  # it logs where it found credentials


def log_fields(logger: logging.Logger, line: str, fields: Mapping[str, object]) -> None:
    """Log the result of an invocation as one line, with its fields as attributes of the record.

    Lambda's JSON log format shows these fields by name, and template.yaml turns them into metrics.

    Args:
        logger: The caller's logger.
        line: The text, which refers to fields as in `%(records)d`.
        fields: At least the fields that the text refers to.

    Raises:
        KeyError: A field has the name of an attribute of `logging.LogRecord`, such as `name`.
    """
    logger.info(line, fields, extra=fields, stacklevel=2)  # the caller's file and line
