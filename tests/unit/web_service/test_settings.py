"""The web service's own variables."""

import pytest
from gunicorn.util import parse_address

from streams.errors import SettingsError
from web_service.settings import WebSettings


def test_empty_variables_count_as_not_set() -> None:
    """An empty value is no value, as for the function."""
    empty = dict.fromkeys(("PORT", "BIND_ADDRESS", "MODEL_URI", "READ_TIMEOUT"), "")

    assert WebSettings.from_environ(empty) == WebSettings.from_environ({})


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("0.0.0.0", "0.0.0.0"),
        ("localhost", "localhost"),
        ("::", "::"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[2001:DB8::1]", "2001:db8::1"),
    ],
)
def test_bind_address_reaches_gunicorn_with_its_port(given: str, host: str) -> None:
    """Gunicorn reads host and port apart, also of an IPv6 address, with brackets or without."""
    settings = WebSettings.from_environ({"BIND_ADDRESS": given, "PORT": "8080"})

    assert parse_address(settings.bind) == (host, 8080)


@pytest.mark.parametrize(
    "given",
    ["127.0.0.1:8000", "[::1]:8000", "::1]", "[::1", "fe80::1%eth0", "unix:/tmp/web", "a b"],
)
def test_bind_address_that_is_none_is_refused(given: str) -> None:
    """An address with a port, a socket file or half a bracket is refused with what is allowed."""
    with pytest.raises(
        SettingsError, match=r"^BIND_ADDRESS='.*' is not allowed; it must be a host"
    ):
        WebSettings.from_environ({"BIND_ADDRESS": given})


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"MAX_BODY_BYTES": "0"}, "MAX_BODY_BYTES='0' is not allowed; it must be a whole number"),
        ({"READ_TIMEOUT": "-1"}, "READ_TIMEOUT='-1' is not allowed; it must be a whole number"),
        ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY='0' is not allowed; it must be a whole number"),
        ({"MODEL_POLL_SECONDS": "1.5"}, "MODEL_POLL_SECONDS='1.5' is not allowed; it must be"),
        ({"MODEL_URI": "models:/x"}, "MODEL_URI='models:/x' is not allowed; it must be models:/"),
        (
            {"MODEL_URI": "models:/x@y", "MLFLOW_TRACKING_URI": "sqlite:///x.db"},
            "MLFLOW_TRACKING_URI='sqlite:///x.db' is not allowed with MODEL_URI; it must be",
        ),
        ({"MODEL_URI": "models:/x@y", "RUN_ID": "abc"}, "MODEL_URI='models:/x@y' and RUN_ID='abc'"),
    ],
)
def test_wrong_setting_is_refused_by_name(variables: dict[str, str], said: str) -> None:
    """The variable is named with its value and what is allowed."""
    with pytest.raises(SettingsError) as refused:
        WebSettings.from_environ(variables)

    assert str(refused.value).startswith(said)
