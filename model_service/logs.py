"""What a Lambda function logs."""

import logging


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
