"""Real components under test: moto's AWS over HTTP, and models that MLflow wrote."""

from collections.abc import Iterator

import pytest

from event_source_mapping.emulator import Emulator


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """AWS's S3 and Kinesis, empty, with this process's AWS variables leading there."""
    with Emulator() as emulator:
        for name, value in emulator.environ.items():
            monkeypatch.setenv(name, value)
        yield emulator
