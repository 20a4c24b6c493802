"""A short run of the fuzz targets; `fuzz/` has the long one, which coverage guides."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS

CORPUS = Path(__file__).resolve().parents[3] / "fuzz/corpus"
SEEDS = {
    target: sorted(path.read_bytes() for path in (CORPUS / target).iterdir()) for target in TARGETS
}

# 20,000 inputs in all: hypothesis draws 400 examples a target, and each is tried at ten places.
EXAMPLES, PLACES = 400, 10

_JSON = [b"null", b"1e400", b"-0", b'"ride":', b'"ride_id":1,', b"\\ud800", b"[" * 500, b"9" * 5000]
_YAML = [b"*a", b"&a ", b"<<: ", b"!!int ''", b"? ", b"- ", b"\n  ", b"1:59:59"]
_BYTES = [b"\0", b"\xff", b"\x80" * 11, b"\x1a\x00", b"\x1a\x04\x08\x00\x1a\x00" * 2000]
_PIECES = st.binary(max_size=40) | st.sampled_from([*_JSON, *_YAML, *_BYTES])


def _spliced(seed: bytes, place: int, length: int, piece: bytes) -> bytes:
    start = place * len(seed) // PLACES
    return seed[:start] + piece + seed[start + length :]


def _bases(target: str) -> st.SearchStrategy[bytes]:
    """Any bytes, a seed, or one that has another piece somewhere."""
    seeds = st.sampled_from(SEEDS[target])
    places, lengths = st.integers(0, PLACES), st.integers(0, 60)
    return st.binary(max_size=300) | seeds | st.builds(_spliced, seeds, places, lengths, _PIECES)


@pytest.mark.parametrize("target", TARGETS)
def test_target_lets_out_documented_errors_only(target: str) -> None:
    """Whatever a reader is given, it reads it right or raises its own error, within its rules."""

    @settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
    @given(_bases(target), st.integers(0, 60), _PIECES)
    def run(base: bytes, length: int, piece: bytes) -> None:
        for place in range(PLACES):
            TARGETS[target](_spliced(base, place, length, piece))

    run()


@pytest.mark.parametrize("target", TARGETS)
def test_target_takes_its_corpus(target: str) -> None:
    """Each seed is an input like any other, and there are some for each target."""
    assert SEEDS[target]
    for seed in SEEDS[target]:
        TARGETS[target](seed)
