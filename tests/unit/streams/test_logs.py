"""What functions log."""

import logging

import pytest

from streams.logs import log_fields

FIELDS = {"records": 3, "model": "duration"}
logger = logging.getLogger("model_service.test")


def test_log_fields_shows_the_fields_and_the_caller(caplog: pytest.LogCaptureFixture) -> None:
    """The record has the line, its fields as attributes, and the function that logged it."""
    with caplog.at_level(logging.INFO, logger.name):
        log_fields(logger, "%(records)d records", FIELDS)

    (record,) = caplog.records
    assert (record.name, record.levelname) == (logger.name, "INFO")
    assert record.getMessage() == "3 records"
    assert FIELDS.items() <= vars(record).items()
    assert record.funcName == test_log_fields_shows_the_fields_and_the_caller.__name__


def test_fields_are_not_logged_where_only_warnings_are(caplog: pytest.LogCaptureFixture) -> None:
    """As any line of information."""
    with caplog.at_level(logging.WARNING, logger.name):
        log_fields(logger, "%(records)d records", FIELDS)

    assert not caplog.records


def test_line_that_cannot_be_made_fails_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """Predictions are on the stream by then: an error would have them put again."""
    alone = logging.Logger("alone", logging.INFO)
    alone.addHandler(logging.StreamHandler())

    log_fields(alone, "%(unknown)d records", FIELDS)

    assert "--- Logging error ---" in capsys.readouterr().err
