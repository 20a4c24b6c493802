import json

from local.demo_rides import SampleRide
from local.ledger import Ledger

GOOD = SampleRide("1", b"{}", is_bad=False)
BAD = SampleRide("2", b"", is_bad=True)


def prediction(sequence_number: str, model: str = "model") -> bytes:
    return json.dumps({"event_id": f"{model}:version:shard:{sequence_number}"}).encode()


def decision(ride_id: int, *missing: str) -> bytes:
    return json.dumps({"decision": {"ride_id": ride_id}, "missing": missing}).encode()


def rejection(*sequence_numbers: str, model: str = "model") -> bytes:
    lines = [
        {"reason": "bad", "model": model, "source": {"sequence_number": n}}
        for n in sequence_numbers
    ]
    return "\n".join(json.dumps(line) for line in lines).encode()


def ledger(*models: str) -> Ledger:
    """A run of one good and one bad ride that were sent and have no fate yet."""
    sent = Ledger(models, is_deciding=True) if models else Ledger()
    sent.take_sent("100", GOOD, now=1.0)
    sent.take_sent("101", BAD, now=1.0)
    return sent


def test_ledger_is_clean_when_good_is_predicted_and_bad_rejected() -> None:
    """A run adds up when each good ride has a prediction and each bad one a rejection."""
    run = ledger()

    run.take_prediction(prediction("100"), now=1.5)
    run.take_rejections(rejection("101"))

    assert run.faults() == []
    assert run.settled() == 2


def test_ledger_names_each_ride_without_a_fate() -> None:
    """A ride that is neither predicted nor rejected is named."""
    assert ledger().faults() == [
        "good ride 1 (100) is not predicted and not rejected",
        "bad ride 2 (101) is not predicted and not rejected",
    ]


def test_ledger_names_the_wrong_fate() -> None:
    """A good ride that is rejected, and a bad one that is predicted, do not add up."""
    run = ledger()

    run.take_prediction(prediction("101"), now=1.5)
    run.take_rejections(rejection("100"))

    assert run.faults() == [
        "good ride 1 (100) is not predicted and rejected",
        "bad ride 2 (101) is predicted and not rejected",
    ]


def test_ledger_names_a_prediction_of_nothing() -> None:
    """A prediction for a record that was never sent does not add up."""
    run = ledger()
    run.take_prediction(prediction("100"), now=1.5)
    run.take_rejections(rejection("101"))

    run.take_prediction(prediction("999"), now=1.5)

    assert run.faults() == ["999 was predicted or rejected, and never sent"]


def test_ledger_summary_has_counts_reasons_and_speed() -> None:
    """The summary tells what was sent, what became of it, and how fast."""
    run = ledger()
    run.take_prediction(prediction("100"), now=1.25)
    run.take_rejections(rejection("101"))

    assert run.summary().splitlines() == [
        "sent              2 rides, 1 of them deliberately bad",
        "predicted         1",
        "rejected          1 (1 bad)",
        "unaccounted       0",
        "throughput        8 rides/s, first put to last read",
        "latency         250 ms from put to readable, median (250 ms p99)",
    ]


def test_ledger_summary_of_nothing_predicted_has_no_speed() -> None:
    """Without a prediction there is nothing to time."""
    assert len(ledger().summary().splitlines()) == 4


def test_ledger_of_two_predictors_waits_for_both_and_for_the_decision() -> None:
    """A ride is settled when each predictor had its say, and it is decided on."""
    run = ledger("a", "b")
    run.take_rejections(rejection("101", model="a"))
    run.take_prediction(prediction("100", "a"), now=1.5)
    run.take_prediction(prediction("100", "b"), now=2.0)
    assert run.settled() == 0

    run.take_rejections(rejection("101", model="b"))
    run.take_decision(decision(1))

    assert run.settled() == 2
    assert run.faults() == []
    assert run.readable_at == {"100": 2.0}
    assert run.summary().splitlines()[1:4] == [
        "predicted         1 by each of 2 predictors",
        "decided           1",
        "rejected          1 (1 bad)",
    ]


def test_ledger_names_decisions_that_do_not_add_up() -> None:
    """A ride without a decision, with two, or with an incomplete one is named."""
    run = ledger("a")
    run.take_prediction(prediction("100", "a"), now=1.5)
    run.take_rejections(rejection("101", model="a"))
    assert run.faults() == ["ride 1 (100) has 0 decisions; it must have 1"]

    run.take_decision(decision(1, "tip"))
    run.take_decision(decision(1))
    run.take_decision(decision(2))

    assert run.faults() == [
        "ride 1 (100) has 2 decisions; it must have 1",
        "ride 1 (100) was decided without all its predictions",
        "ride 2 (101) has 1 decisions; it must have 0",
    ]
