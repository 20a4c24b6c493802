"""The payloads of a batch, decoded in one go."""

from collections.abc import Sequence

import msgspec

from model_service.events import MAX_PARTITION_KEY_CHARACTERS, RideEvent

# What a plain event has of these: two objects of five fields between them, the ride first or last.
_RIDE_FIRST, _RIDE_LAST = b"{:{:::}:}\n", b"{::{:::}}\n"
_ALL_ELSE = bytes(set(range(256)) - set(b"{}:\n"))

_decode_lines = msgspec.json.Decoder(RideEvent).decode_lines


def decode_plain_events(payloads: Sequence[bytes]) -> list[RideEvent] | None:
    """Decode the payloads of a batch, if a glance shows that each is one plain event.

    That is one on a line, with each field once and no more. Their braces tell: those of each line
    match, so that no event ends on another line than it began. (Neither does a text: a line break
    in one is malformed.) And five fields that must be there are there once if five is all there is.

    Returns:
        An event for each payload; None where one may be something else, which
        `decode_ride_event` is to look at by itself.
    """
    # What has so few bytes has no ride ID that is too long for a key.
    if not payloads or max(map(len, payloads)) > MAX_PARTITION_KEY_CHARACTERS:
        return None
    lines = b"\n".join(payloads)
    structure = lines.translate(None, _ALL_ELSE) + b"\n"
    if structure not in (_RIDE_FIRST * len(payloads), _RIDE_LAST * len(payloads)):
        return None
    try:
        events = _decode_lines(lines)
    except (ValueError, RecursionError):
        return None
    return events if len(events) == len(payloads) else None
