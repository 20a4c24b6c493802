"""What a Lambda function logs."""

import logging
from collections.abc import Mapping


def set_up_logging(*packages: str) -> None:
    """Have packages log what they do, and not look up for each line what no line shows.

    Lambda's runtime brings the handler and the format, by the function's `LoggingConfig`.

    Args:
        packages: Names of this project's packages.
    """
    for name in packages:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("botocore").setLevel(logging.WARNING)  # where it found credentials is no news
    # "Optimization" (logging, Python's library reference).
    logging.logThreads = logging.logProcesses = False
    logging.logMultiprocessing = False
    logging.logAsyncioTasks = False  # type: ignore[attr-defined]  # new in 3.12


def log_fields(logger: logging.Logger, line: str, fields: Mapping[str, object]) -> None:
    """Log what an invocation came to, as one line and as its fields.

    In Lambda's JSON log format these stand by themselves; template.yaml makes metrics of them.

    Args:
        logger: Whose line it is.
        line: Its text, in which fields are named as in `%(records)d`.
        fields: Those, and others that the line leaves out. None is called as an attribute of
            `logging.LogRecord`, such as `name` or `args`.
    """
    # Not by `logger.info`, which looks through the stack for its caller, and checks those names:
    # a fourth of what a line costs.
    if logger.isEnabledFor(logging.INFO):
        nowhere = ("(unknown file)", 0)  # as logging says it
        record = logger.makeRecord(logger.name, logging.INFO, *nowhere, line, (fields,), None)
        vars(record).update(fields)
        logger.handle(record)
