import pytest

from local.demo_rides import BAD_EVERY, sample_rides
from model_service.records.ride_events import decode_ride_event
from streams.errors import Rejected


def test_sample_rides_are_the_same_each_time() -> None:
    """Two runs send the same rides, and a longer one begins like a shorter one."""
    assert sample_rides(2500)[:300] == sample_rides(300)


def test_sample_rides_are_bad_exactly_where_they_say_so() -> None:
    """Good rides decode, bad ones are rejected, and the bad ones are few."""
    rides = sample_rides(2000)

    for ride in rides:
        if ride.is_bad:
            with pytest.raises(Rejected):
                decode_ride_event(ride.data)
        else:
            assert str(decode_ride_event(ride.data).ride_id) == ride.partition_key
    assert sum(ride.is_bad for ride in rides) == 2000 // BAD_EVERY


def test_sample_rides_are_bad_in_every_way_there_is() -> None:
    """A thousand rides show each kind of fault."""
    bad = [ride.data for ride in sample_rides(1000) if ride.is_bad]

    reasons = set()
    for data in bad:
        with pytest.raises(Rejected) as caught:
            decode_ride_event(data)
        reasons.add(caught.value.detail.split(" is ")[0].split(":")[0])
    assert reasons == {
        "ride.PULocationID",
        "ride.trip_distance",
        "ride_id",
        "the data",
        "the event",
    }
