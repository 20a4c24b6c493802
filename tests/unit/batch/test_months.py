import pytest

from batch.batch_errors import TripsError, UsageError
from batch.months import Month, TripFile, choose

NAMES = [f"green_tripdata_2021-{month:02}.parquet" for month in (1, 2, 4)]


def names(files: list[TripFile]) -> list[str]:
    return [file.name for file in files]


def test_choose_without_months_takes_all_files_of_tlc() -> None:
    """What TLC would not call so is left out, and the order is that of type and month."""
    found = ["zones.csv", "yellow_tripdata_2020-12.parquet", *reversed(NAMES)]

    assert names(choose(found, "here")) == [*NAMES, "yellow_tripdata_2020-12.parquet"]


@pytest.mark.parametrize(
    ("first", "last", "chosen"),
    [("2021-01", "2021-02", NAMES[:2]), ("2021-04", None, NAMES[2:]), (None, "2021-02", NAMES[:2])],
)
def test_choose_months_takes_those(first: str | None, last: str | None, chosen: list[str]) -> None:
    """An end that is not given is that of what there is."""
    ends = [Month.parse("--from", text) if text else None for text in (first, last)]

    assert names(choose(NAMES, "here", *ends)) == chosen


def test_choose_missing_months_names_all_of_them() -> None:
    """Before anything is scored, every month of the span that is not there is named."""
    with pytest.raises(TripsError) as raised:
        choose(NAMES, "here", Month(2020, 12), Month(2021, 4))

    assert str(raised.value) == (
        "here lacks green_tripdata_2020-12.parquet, green_tripdata_2021-03.parquet; "
        "add them, or choose other months"
    )


def test_choose_thousands_of_missing_months_names_some() -> None:
    """A slip in a year is a line that can be read."""
    with pytest.raises(TripsError) as raised:
        choose(NAMES, "here", Month(1021, 1), Month(2021, 2))

    assert str(raised.value).count(".parquet") == 24
    assert str(raised.value).endswith(" and 11976 more; add them, or choose other months")


def test_choose_each_type_of_taxi_needs_every_month() -> None:
    """A month of green taxis does not stand for one of yellow taxis."""
    found = [*NAMES[:2], "yellow_tripdata_2021-01.parquet"]

    with pytest.raises(TripsError, match=r"here lacks yellow_tripdata_2021-02\.parquet;"):
        choose(found, "here", Month(2021, 1), Month(2021, 2))


def test_choose_no_file_says_what_they_are_called() -> None:
    """A folder without trips is an error, not an empty success."""
    with pytest.raises(TripsError, match=r"here holds no file.* green_tripdata_2021-01\.parquet"):
        choose(["trips.parquet"], "here")


def test_choose_months_that_end_before_they_begin_are_refused() -> None:
    """A span the wrong way round is named."""
    with pytest.raises(UsageError, match="end with 2021-01, before they begin with 2021-02"):
        choose(NAMES, "here", Month(2021, 2), Month(2021, 1))


@pytest.mark.parametrize("text", ["2021-1", "2021-13", "2021-00", "21-01", "2021-01-01", "may"])
def test_month_written_otherwise_is_refused(text: str) -> None:
    """The message has the value and how a month is written."""
    with pytest.raises(UsageError, match=f"--to='{text}' is not a month; it must be written"):
        Month.parse("--to", text)
