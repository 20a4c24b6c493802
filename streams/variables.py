"""Read typed environment variables, naming the variable that is wrong."""

import re
from collections.abc import Mapping

from streams.errors import SettingsError

_YES = frozenset({"true", "yes", "1", "on"})


_NO = frozenset({"false", "no", "0", "off"})


# A name that ends up in S3 keys and in event IDs: no slash, no colon, no leading dot.
NAME = (re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}"), "letters, digits and _ . - (at most 128)")


# As AWS's template takes it, and "Bucket naming rules" (Amazon S3 User Guide).
BUCKET = (
    re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"),
    "the name of an S3 bucket: 3 to 63 of a-z, 0-9, . and -, none of the last two at an end",
)


URL = (re.compile(r"https?://\S+"), "an http:// or https:// URL")


_TEXT = (re.compile(r"\S(.*\S)?"), "text without spaces around it")


# As many as any limit needs, and few enough to be made a number of.
_DIGITS = re.compile(r"[0-9]{1,12}")


Rule = tuple[re.Pattern[str], str]


class Reader:
    """Reads typed values and names the variable when it refuses one.

    Args:
        environ: The environment; an empty variable counts as one that is not set.

    Raises:
        SettingsError: From each method: the value is not allowed.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, *, rule: Rule = _TEXT) -> str | None:
        """A text; None if it is not set."""
        value = self._environ.get(name, "")
        pattern, allowed = rule
        if value and not pattern.fullmatch(value):
            raise SettingsError(f"{name}={value!r} is not allowed; it must be {allowed}")
        return value or None

    def required(self, name: str, default: str, *, rule: Rule) -> str:
        """A text that has a default."""
        return self.text(name, rule=rule) or default

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number that has a default, within limits."""
        text = self._environ.get(name) or str(default)
        if not _DIGITS.fullmatch(text) or not least <= int(text) <= most:
            raise SettingsError(
                f"{name}={text!r} is not allowed; it must be a whole number from {least} to {most}"
            )
        return int(text)

    def flag(self, name: str, *, default: bool) -> bool:
        """A yes or a no."""
        value = self._environ.get(name, "")
        if not value:
            return default
        if value.lower() in _YES:
            return True
        if value.lower() in _NO:
            return False
        raise SettingsError(
            f"{name}={value!r} is not allowed; it must be one of true, yes, 1, on, "
            "false, no, 0, off"
        )
