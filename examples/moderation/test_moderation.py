"""Services give scores to videos, and what is done with each video is decided once."""

# ruff: noqa: S101 - a test asserts
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from examples.moderation.policy import moderate

if TYPE_CHECKING:
    from event_source_mapping.pytest_plugin import LocalStack, StartStack

pytest_plugins = ["event_source_mapping.pytest_plugin"]

TEMPLATE = Path(__file__).with_name("template.yaml")


def score(service: str, value: float, video: str) -> bytes:
    """What a service says of a video; it knows of no other service."""
    event = {
        "model": service,
        "version": "1",
        "prediction": {service: value, "video_id": video},
        "event_id": f"{service}:{video}",
    }
    return json.dumps(event).encode()


def decided(stack: "LocalStack", count: int) -> dict[str, Any]:
    """Decisions by video, as soon as there are so many."""
    events = map(json.loads, stack.wait_for_records("decisions", count))
    return {event["decision"].pop("video_id"): event["decision"] for event in events}


def test_three_services_decide_together_on_each_video(local_stack: "StartStack") -> None:
    """A video that nobody objects to is published, another is blocked, with who objects."""
    stack = local_stack(TEMPLATE)

    for service, cat, fight in [("nsfw", 0.1, 0.2), ("copyright", 0.0, 0.9), ("violence", 0.3, 1)]:
        stack.put("scores", score(service, cat, "cat"), key="cat")
        stack.put("scores", score(service, fight, "fight"), key="fight")

    assert decided(stack, 2) == {
        "cat": {"action": "publish", "because": []},
        "fight": {"action": "block", "because": ["copyright", "violence"]},
    }


def test_fourth_service_is_added_without_touching_the_others(local_stack: "StartStack") -> None:
    """Only the list of services grows: the three put what they did, and the fourth has its say."""
    stack = local_stack(TEMPLATE, {"Services": "copyright,nsfw,violence,spam"})

    for service in ("copyright", "nsfw", "violence"):
        stack.put("scores", score(service, 0.1, "ad"), key="ad")
    stack.put("scores", score("spam", 0.9, "ad"), key="ad")

    assert decided(stack, 1) == {"ad": {"action": "block", "because": ["spam"]}}


@pytest.mark.parametrize(("score", "action"), [(0.1, "hold"), (0.9, "block")])
def test_video_that_not_all_have_seen_is_held_unless_one_objects(score: float, action: str) -> None:
    """At the end of the window, a missing service is no consent."""
    assert moderate({"nsfw": score}, ["copyright", "violence"])["action"] == action
