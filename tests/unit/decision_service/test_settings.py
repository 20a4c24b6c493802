import pytest

from decision_service.settings import Settings
from streams.errors import SettingsError


def test_from_environ_without_a_table_says_so() -> None:
    """What has no default is asked for by name."""
    with pytest.raises(SettingsError, match="DECISIONS_TABLE is not set; set it to the DynamoDB"):
        Settings.from_environ({})


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("NEEDED_PREDICTIONS", "a,a", "each once, and ride_id none of them"),
        ("NEEDED_PREDICTIONS", "a,ride_id", "each once, and ride_id none of them"),
        ("NEEDED_PREDICTIONS", ",".join("abcdefghijk"), "at most 10 names"),
        ("NEEDED_PREDICTIONS", "a, b", "names of predicted values with commas between"),
        ("DECISION_KEY", "ride id", "an identifier"),
        ("DECISION_POLICY", "module.function", "module:function"),
        ("DECISION_NAME", "a/b", "letters, digits"),
        ("DECISION_VERSION", "a b", "letters, digits"),
        ("WINDOW_SECONDS", "0", "a whole number from 1 to 86400"),
        ("WINDOW_SECONDS", "1.5", "a whole number from 1 to 86400"),
        ("WINDOW_SECONDS", "86401", "a whole number from 1 to 86400"),
        ("KEEP_HOURS", "0", "a whole number from 1 to 8760"),
        ("DECISIONS_TABLE", "a b", "letters, digits"),
        ("KINESIS_ENDPOINT_URL", "localhost:4566", "an http:// or https:// URL"),
    ],
)
def test_from_environ_wrong_value_is_refused_by_name(name: str, value: str, allowed: str) -> None:
    """The message has the variable, its value and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environ({"DECISIONS_TABLE": "cases", name: value})

    assert f"{name}={value!r} is not allowed; it must be" in str(caught.value)
    assert allowed in str(caught.value)
