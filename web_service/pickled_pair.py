"""A DictVectorizer and its model, pickled as a pair into one file: the course's `lin_reg.bin`."""

import hashlib
from pathlib import Path

from model_service.models.loading import Model
from model_service.models.model_errors import ModelRefused
from model_service.models.model_files import require_trust
from model_service.models.sklearn_models import SklearnModel, load_pickle, served
from model_service.settings import Settings
from streams.errors import SettingsError, brief


def load_pair(path: Path, settings: Settings) -> Model:
    """Load `(vectorizer, model)`, as `pickle.dump((dv, model), file)` wrote it.

    `MODEL_SHA256` pins the digest of the file itself: `sha256sum lin_reg.bin`.

    Raises:
        SettingsError: No run ID is set, and such a file names none.
        ModelRefused: It is not trusted, not the pinned one, or holds something else.
    """
    if settings.run_id is None:
        raise SettingsError(
            f"RUN_ID is not set, and {path} names no run; set RUN_ID, which is the model's version"
        )
    require_trust(f"{path} is a pickle file", trusted=settings.trusts_pickles)
    data = path.read_bytes()
    _verify(path, data, settings.model_sha256)
    return Model(
        name=settings.model_name,
        version=settings.run_id,
        field=settings.prediction_field,
        predictor=_unpickle(path, data),
    )


def _verify(path: Path, data: bytes, pinned: str | None) -> None:
    actual = hashlib.sha256(data).hexdigest()
    if pinned is not None and actual != pinned:
        raise ModelRefused(
            f"the digest of {path} is {actual}, and MODEL_SHA256 pins {pinned}: the file changed "
            "since it was pinned; put the pinned one in its place, or pin the new digest"
        )


def _unpickle(path: Path, data: bytes) -> SklearnModel:
    try:
        from sklearn.pipeline import make_pipeline

        vectorizer, model = load_pickle(data)
        return served(make_pipeline(vectorizer, model), path, {})
    except ModelRefused:
        raise
    except Exception as error:  # a pickle can raise anything
        raise ModelRefused(
            f"{path} is not a pickled pair of a DictVectorizer and a model: "
            f"{brief(' '.join(str(error).split()))}"
        ) from None
