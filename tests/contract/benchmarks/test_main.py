"""The command's options."""

from pathlib import Path

import pytest

from benchmarks.__main__ import main


def test_main_one_file_of_rides_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Rides to train on and rides to predict are two files at least."""
    with pytest.raises(SystemExit) as stopped:
        main(["--rides", "january.parquet"])

    assert stopped.value.code == 2
    assert "--rides names 1 file; it must name 2 or more" in capsys.readouterr().err


def test_main_missing_file_of_rides_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Before anything is measured, a file that cannot be read is an error."""
    missing = str(tmp_path / "missing.parquet")

    assert main(["--quick", "--rides", missing, missing]) == 1
    assert "missing.parquet: cannot be read as a Parquet file" in caplog.text
