import msgspec
from hypothesis import given
from hypothesis import strategies as st

from model_service.records.prediction_events import (
    PredictionEncoder,
    PredictionEvent,
    prediction_of,
)

_names = st.text(st.characters(exclude_categories=["Cs"]))
_ride_ids = st.integers(-(2**63), 2**64 - 1) | _names
_predictions = st.lists(
    st.tuples(st.floats(allow_nan=False, allow_infinity=False), _ride_ids, st.integers(0))
)


@given(_names, _names, st.from_regex(r"[A-Za-z_]\w*", fullmatch=True), _predictions)
def test_encode_is_what_each_event_is_by_itself(
    model: str, version: str, field: str, predictions: list[tuple[float, int | str, int]]
) -> None:
    """Whatever the names and ride IDs hold, each event is encoded as its wire type would be."""
    prediction = prediction_of(field)
    positions = [f"shardId-000000000000:{number}.1" for _, _, number in predictions]

    encoded = PredictionEncoder(model, version, field).encode(
        [value for value, _, _ in predictions], [id_ for _, id_, _ in predictions], positions
    )

    assert encoded == [
        msgspec.json.encode(
            PredictionEvent(
                model, version, prediction(value, ride_id), f"{model}:{version}:{position}"
            )
        )
        for (value, ride_id, _), position in zip(predictions, positions, strict=True)
    ]
