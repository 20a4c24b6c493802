"""The web service's environment variables; the model's are `model_service.settings`'s."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Self

from model_service.records.ride_events import MAX_EVENT_BYTES
from model_service.settings import Settings
from streams.errors import SettingsError
from streams.variables import Reader
from web_service.registry import ModelName, Registry

_HOST = re.compile(r"[A-Za-z0-9_.-]{1,255}")
_MAX_PORT = 2**16 - 1
_MAX_BODY_BYTES = 100 * 2**20
_MAX_PROCESSES = 1000
_DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Where to listen, what to refuse, and which of a registry's models to follow.

    Attributes:
        model_name: The registered model that is followed; None serves what `RUN_ID` or
            `MODEL_LOCATION` names.
        registry: MLflow's tracking server; there if `model_name` is.
        poll_seconds: Between two looks at the registry.
        max_body_bytes: The longest request that is read.
        address: Where to listen: a host name or an IP address, without brackets.
        port: 0 takes any that is free.
        read_timeout: Seconds to wait for more of a request.
        processes: That answer requests.
    """

    model_name: ModelName | None
    registry: Registry | None
    poll_seconds: int
    max_body_bytes: int
    address: str
    port: int
    read_timeout: int
    processes: int

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings; an empty variable counts as one that is not set.

        Raises:
            SettingsError: A variable is missing or wrong; the message has its name, its value and
                what is allowed.
        """
        model_name = _model_name(environ)
        read = Reader(environ)
        return cls(
            model_name=model_name,
            registry=None if model_name is None else Registry.from_environ(environ),
            poll_seconds=read.whole("MODEL_POLL_SECONDS", 10, 1, _DAY),
            max_body_bytes=read.whole("MAX_BODY_BYTES", MAX_EVENT_BYTES, 1, _MAX_BODY_BYTES),
            address=_address(environ.get("BIND_ADDRESS") or "127.0.0.1"),
            port=read.whole("PORT", 9696, 0, _MAX_PORT),
            read_timeout=read.whole("READ_TIMEOUT", 10, 1, _DAY),
            # Gunicorn reads it, too: with none it would listen, and answer nobody.
            processes=read.whole("WEB_CONCURRENCY", 1, 1, _MAX_PROCESSES),
        )

    @property
    def bind(self) -> str:
        """Address and port for gunicorn, with an IPv6 address in brackets."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


def model_settings(environ: Mapping[str, str], location: str, run_id: str | None) -> Settings:
    """The settings of a model that a registry names, in the place of those that name one.

    Raises:
        SettingsError: A variable is wrong.
    """
    named = {"MODEL_LOCATION": location, "RUN_ID": run_id or ""}
    return Settings.from_environ({**environ, **named})


def _address(given: str) -> str:
    address = given[1:-1] if given.startswith("[") and given.endswith("]") else given
    if not (_HOST.fullmatch(address) or _is_ipv6(address)):
        raise SettingsError(
            f"BIND_ADDRESS={given!r} is not allowed; it must be a host name, an IPv4 address or an "
            "IPv6 address; set the port with PORT"
        )
    return address


def _is_ipv6(address: str) -> bool:
    try:
        # gunicorn takes no scope, as in fe80::1%eth0.
        return IPv6Address(address).scope_id is None
    except ValueError:
        return False


def _model_name(environ: Mapping[str, str]) -> ModelName | None:
    uri = environ.get("MODEL_URI")
    if not uri:
        return None
    for name in ("MODEL_LOCATION", "RUN_ID"):
        if environ.get(name):
            raise SettingsError(
                f"MODEL_URI={uri!r} and {name}={environ[name]!r} each name a model; set one of them"
            )
    return ModelName.parse(uri)
