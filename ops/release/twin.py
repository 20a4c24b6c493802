"""A twin for a run that was logged without one.

It goes to a place of its own, among the experiment's models and named by its digest: the run's own
files, which a digest may pin elsewhere, stay as they are.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from cli.terminal import OpsError
from model_service.models.digest import digest
from model_service.models.model_files import read_mlmodel
from model_service.models.predictors import TWINS

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

RIDES = 2000
_SEED = 11
_ID_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Twin:
    """A model's twin in S3: the values of ModelId and ModelSha256."""

    model_id: str
    sha256: str


def needs_twin(folder: Path) -> bool:
    """Whether a model is served by scikit-learn."""
    flavors = read_mlmodel(folder).flavors
    return "sklearn" in flavors and not flavors.keys() & TWINS.keys()


def make_twin(folder: Path) -> str:
    """Add a twin to a copy of a model's files; answer with what to tell the user of it.

    Raises:
        CannotConvert: The model has none; the folder is as it was.
    """
    # Late: these imports take seconds, and most models come with a twin.
    from mlflow.models import Model

    from model_service.models.sklearn_models import load_sklearn
    from training.synthetic_rides import synthetic_rides
    from training.twin.flavor import add_twin

    flavor = read_mlmodel(folder).flavors["sklearn"]
    model = load_sklearn(folder, flavor, trusted=True)
    rides = [synthetic.ride for synthetic in synthetic_rides(RIDES, _SEED)]
    document = Model.load(str(folder))
    # A search for the run's model is to find the run's own.
    document.run_id = None
    difference = add_twin(folder, document, model, rides)
    return (
        f"the model got a twin, which differs by at most {difference:.1e} on {RIDES} made-up rides"
    )


def put_twin(s3: "S3Client", bucket: str, experiment: str, folder: Path) -> Twin:
    """Upload the files of a model with a twin.

    Raises:
        OpsError: S3 does not take them.
    """
    sha256 = digest(folder)
    twin = Twin(f"m-{sha256[:_ID_CHARACTERS]}", sha256)
    prefix = f"{experiment}/models/{twin.model_id}/artifacts"
    try:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            key = f"{prefix}/{path.relative_to(folder).as_posix()}"
            s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
    except (BotoCoreError, ClientError) as error:
        raise OpsError(
            f"nothing is released: the model has a twin now, and s3://{bucket}/{prefix} does not "
            f"take it: {error}; allow s3:PutObject there, or train again, which logs it, too"
        ) from None
    return twin
