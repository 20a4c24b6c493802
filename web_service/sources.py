"""Where the served model comes from: a run, a folder, a file, or a registry's alias."""

from collections.abc import Mapping
from pathlib import Path

from model_service.models.loading import bring_model, model_in
from model_service.settings import Settings
from web_service.pickled_pair import load_pair
from web_service.registry import ModelName, ModelVersion, Registry
from web_service.registry_files import download, is_handed_out, plain_location
from web_service.serving import Files, Served
from web_service.settings import WebSettings, model_settings
from web_service.trial import require_loadable


def first_model(settings: WebSettings, environ: Mapping[str, str]) -> Served:
    """The model to begin with.

    Raises:
        SettingsError: A variable is missing or wrong.
        ModelNotFound: There is no model where the settings say.
        ModelRefused: The model must not be loaded.
    """
    if settings.registry is not None and settings.model_name is not None:
        registered = RegisteredModel(settings.registry, settings.model_name, environ)
        return registered.load(registered.find())
    return _configured(Settings.from_environ(environ))


def _configured(settings: Settings) -> Served:
    location = settings.model_location
    if location is not None and Path(location).is_file():
        return Served.warm(load_pair(Path(location), settings), location)
    folder = bring_model(settings)
    source = location or f"run {settings.run_id} in s3://{settings.model_bucket}"
    return Served.warm(model_in(folder, settings), source)


class RegisteredModel:
    """A registered model, at whatever version its name stands for."""

    def __init__(self, registry: Registry, name: ModelName, environ: Mapping[str, str]) -> None:
        self._registry = registry
        self._name = name
        self._environ = environ

    def find(self) -> ModelVersion:
        """The version that is to be served now.

        Raises:
            ModelNotFound: The registry does not say.
        """
        return self._registry.find(self._name)

    def load(self, version: ModelVersion) -> Served:
        """Load a version and have it predict.

        Raises:
            ModelNotFound: Its files are not where the registry says.
            ModelRefused: It must not be loaded.
            SettingsError: The version has no run.
        """
        location, files = version.location, None
        if is_handed_out(location):
            files = Files(download(self._registry, location))
            location = str(files.path)
        settings = model_settings(self._environ, plain_location(location), version.run_id)
        folder = bring_model(settings)
        if location.startswith("s3://"):
            files = Files(folder)
        require_loadable(folder, trusted=settings.trusts_pickles)
        model = model_in(folder, settings)
        return Served.warm(model, str(self._name), version.number, files)
