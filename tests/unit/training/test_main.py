"""The command's usage; what it logs is in tests/contract/training/test_training_mlflow.py."""

from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--train", "a.parquet"], "--train and --validate need each other"),
        (["--validate", "a.parquet"], "--train and --validate need each other"),
        (["--train", "a", "--validate", "b", "--rides", "50"], "--rides and --seed are for"),
        (["--train", "a", "--validate", "b", "--seed", "0"], "--rides and --seed are for"),
        (["--rides", "9"], "'9' is not an integer >= 10"),
        (["--rides", "many"], "'many' is not an integer >= 10"),
        (["--seed", "-1"], "'-1' is not an integer >= 0"),
        (["--target", "fare"], "--target"),
    ],
)
def test_main_wrong_usage_names_the_option(
    capsys: pytest.CaptureFixture[str], arguments: list[str], error: str
) -> None:
    """Options that make no sense end the command with status 2 and their names."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert error in capsys.readouterr().err


def test_main_too_few_usable_rides_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Files without enough usable rides end the command with status 1, and print no result."""
    noon = datetime(2021, 1, 1, 12)
    table = {
        "lpep_pickup_datetime": [noon],
        "lpep_dropoff_datetime": [noon + timedelta(minutes=10)],
        "PULocationID": [130],
        "DOLocationID": [205],
        "trip_distance": [3.66],
    }
    path = tmp_path / "trips.parquet"
    pq.write_table(pa.table(table), path)

    assert main(["--train", str(path), "--validate", str(path)]) == 1
    assert "trips.parquet: 1 usable rides; at least 10 are needed" in caplog.text
    assert capsys.readouterr().out == ""
