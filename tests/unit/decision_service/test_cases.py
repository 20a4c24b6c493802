import json

from hypothesis import given
from hypothesis import strategies as st

from decision_service.arrivals import (
    MAX_EVENT_ID_CHARACTERS,
    Arrival,
    arrival_decoder,
    key_of,
    key_text,
)
from decision_service.cases import (
    MAX_ANSWER_BYTES,
    MAX_CASE_BYTES,
    Case,
    Rules,
    decided,
    decode_case,
    encode_case,
    joined,
)
from decision_service.policy import worth_a_drive
from decision_service.settings import MAX_NEEDED
from tests.unit.decision_service.world import prediction

NAMES = [f"{place:x}" * 128 for place in range(10, 10 + 6)] + [c * 128 for c in "ghij"]
# Whatever is written longest in JSON, twice over.
EVENT_IDS = "\x01" * MAX_EVENT_ID_CHARACTERS


def rules(answer: dict[str, str]) -> Rules:
    return Rules("ride_id", NAMES, lambda _values, _missing: answer, "r" * 128, "v" * 128, 60)


def test_case_is_never_larger_than_its_bound() -> None:
    """The longest of everything that is accepted, in any state of a case, stays in bounds."""
    decode = arrival_decoder("ride_id", NAMES)
    ride_id = "\x01" * 256
    answer = {"": "\\" * ((MAX_ANSWER_BYTES - 7) // 2)}
    sizes = []
    for there in range(MAX_NEEDED + 1):
        case = Case(due=1.0)
        for name in NAMES[:there]:
            event = prediction(name, -1.2345678901234567e-300, ride_id, EVENT_IDS)
            case = joined(case, decode(event), 2.0)
        sizes.append(len(encode_case(case)))
        case = decided(case, ride_id, rules(answer))
        for name in NAMES[there:]:
            case = joined(case, Arrival(ride_id, EVENT_IDS, {name: 1.0}), 3.0)
        sizes.append(len(encode_case(case)))

    assert len(NAMES) == MAX_NEEDED
    assert MAX_CASE_BYTES / 2 < max(sizes) <= MAX_CASE_BYTES
    assert decode_case(encode_case(case)) == case


@given(
    st.permutations([("a", "1"), ("a", "2"), ("b", "3"), ("b", "4"), ("a", "1"), ("b", "3")]),
    st.integers(1, 6),
)
def test_joined_order_of_names_and_cuts_do_not_matter(
    arrivals: list[tuple[str, str]], cut: int
) -> None:
    """Of each name the first counts, wherever batches are cut."""
    whole = Case(due=9.0)
    for name, event_id in arrivals:
        whole = joined(whole, Arrival(1, event_id, {name: 1.0}), 1.0)
    parts = Case(due=9.0)
    for part in (arrivals[:cut], arrivals[cut:]):
        parts = decode_case(encode_case(parts))
        for name, event_id in part:
            parts = joined(parts, Arrival(1, event_id, {name: 1.0}), 1.0)

    assert parts == whole
    firsts = dict(reversed(arrivals))
    assert {name: held.event_id for name, held in whole.predictions.items()} == firsts


def test_decided_is_the_same_text_for_the_same_case() -> None:
    """Whoever decides a case writes the same bytes, whatever came first."""
    policy = Rules("ride_id", ["ride_duration", "ride_tip"], worth_a_drive, "d", "1", 60)
    first, second = Arrival(1, "x", {"ride_tip": 3.0}), Arrival(1, "y", {"ride_duration": 6.0})

    one = joined(joined(Case(due=9.0), first, 1.0), second, 1.0)
    other = joined(joined(Case(due=9.0), second, 1.0), first, 1.0)

    assert decided(one, 1, policy).decision == decided(other, 1, policy).decision


@given(st.integers(-(10**80), 10**80) | st.text(min_size=1, max_size=50))
def test_key_text_of_a_key_leads_back_to_it(key: int | str) -> None:
    """Any ride ID is itself again, with its type."""
    again = key_of(key_text(key))

    assert again == key
    assert type(again) is type(key)
    assert json.loads(key_text(key)) == key
