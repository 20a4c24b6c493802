"""Follows a registry's alias: another model is loaded aside, and takes over as a whole."""

import logging
import threading
from typing import Protocol

from model_service.models.model_errors import ModelRefused
from streams.errors import ServiceError, SettingsError
from web_service.registry import ModelVersion
from web_service.serving import Failure, Served, Serving

logger = logging.getLogger(__name__)


class Source(Protocol):
    """A registered model; see `sources.RegisteredModel`."""

    def find(self) -> ModelVersion:
        """The version that is to be served now."""
        ...

    def load(self, version: ModelVersion) -> Served:
        """Load a version and have it predict."""
        ...


class Follower:
    """Looks at a source from time to time, in a thread.

    Whatever goes wrong, the model that is served goes on, and the log and `/version` say so.
    """

    def __init__(self, source: Source, serving: Serving, every: float) -> None:
        self._source = source
        self._serving = serving
        self._every = every
        self._refused: ModelVersion | None = None

    def start(self) -> None:
        """Follow, for as long as the process lives."""
        threading.Thread(target=self._run, name="follower", daemon=True).start()

    def look(self) -> None:
        """Look once, and load what is to be served if it is another model."""
        try:
            self._follow(self._source.find())
        except ServiceError as error:
            self._fail(str(error))
        except Exception as error:
            # A thread that ends would follow no more, and nobody would know.
            logger.exception("following the alias failed")
            self._fail(f"{type(error).__name__}: {error}")

    def _run(self) -> None:
        # At once: a worker may be the fork of a process that loaded its model long ago.
        pause = threading.Event()
        while True:
            self.look()
            pause.wait(self._every)

    def _follow(self, version: ModelVersion) -> None:
        if self._is_served(version):
            self._serving.failure = None
            return
        if version == self._refused:
            return  # its files are what they are: loading them once was enough
        try:
            served = self._source.load(version)
        except (ModelRefused, SettingsError):
            self._refused = version
            raise
        self._serving.swap(served)
        logger.info(
            "version %s of %s is served from now on: run %s",
            version.number, served.source, served.model.version,
        )  # fmt: skip

    def _is_served(self, version: ModelVersion) -> bool:
        current = self._serving.current
        # A registered model that was deleted and made anew counts its versions from 1 again.
        is_same_run = version.run_id in (None, current.model.version)
        return is_same_run and version.number == current.number

    def _fail(self, detail: str) -> None:
        current = self._serving.current
        if self._serving.failure is None or self._serving.failure.detail != detail:
            logger.error("run %s goes on being served: %s", current.model.version, detail)
        self._serving.failure = Failure(detail)
