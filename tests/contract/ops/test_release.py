"""Releasing trained models from moto's S3, to a CloudFormation in memory."""

import os
import re
import shutil
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import mlflow
import pandas as pd
import pytest
import yaml
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from cli.terminal import OpsError
from event_source_mapping.emulator import Emulator
from model_service.models.digest import digest
from model_service.models.loading import load_model
from model_service.models.predictors import Predictor
from model_service.models.run_artifacts import fetch_model
from model_service.models.weights import LinearModel
from model_service.records.features import ride_features
from model_service.records.ride_events import Ride
from model_service.settings import Settings
from ops.release.__main__ import main
from ops.release.deployed_stack import DeployedStack
from ops.release.release import release, rollback, written
from tests.commands import finished
from tests.s3_folders import upload
from tests.unit.ops.release.cloudformation import PARAMETERS, STACK, FakeCloudFormation
from training.synthetic_rides import synthetic_rides

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = PARAMETERS["ModelBucket"]
RUN = "new"


@pytest.fixture
def s3(aws: Emulator) -> "S3Client":
    client = aws.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def folder(duration_model: dict[str, Any], tmp_path: Path) -> Path:
    """A copy of a trained model's files."""
    return Path(shutil.copytree(duration_model["model_location"], tmp_path / "model"))


@pytest.fixture
def tips(tip_model: dict[str, Any], tmp_path: Path) -> Path:
    """A copy of a trained tip model's files."""
    return Path(shutil.copytree(tip_model["model_location"], tmp_path / "tips"))


def put_model(s3: "S3Client", folder: Path, prefix: str = f"1/{RUN}/artifacts/model") -> None:
    upload(s3, folder, BUCKET, prefix)


def stack(client: FakeCloudFormation) -> DeployedStack:
    return DeployedStack(client, STACK, poll_seconds=0, polls=3)


def model(folder: Path, model_id: str = "") -> dict[str, str]:
    return {"RunId": RUN, "ModelSha256": digest(folder), "ModelId": model_id}


def refused(model: dict[str, str]) -> str:
    """The message of a release that is refused before anything is asked of CloudFormation."""
    client = FakeCloudFormation()
    with pytest.raises(OpsError) as caught:
        release(stack(client), "duration", model)
    assert client.requests == {}
    return str(caught.value)


def test_release_changes_the_predictors_parameters_and_no_others(
    s3: "S3Client", folder: Path
) -> None:
    """The run, its digest and its ID are new, the former ones are noted, and all else is kept."""
    put_model(s3, folder)
    client = FakeCloudFormation()

    done = release(stack(client), "duration", model(folder))

    request = client.requests["CreateChangeSet"]
    assert client.changes == {**model(folder), "PreviousRelease": written(PARAMETERS)}
    assert client.kept == PARAMETERS.keys() - client.changes.keys()
    assert request["UsePreviousTemplate"] is True
    assert not request.keys() & {"TemplateBody", "TemplateURL", "Tags", "RoleARN"}
    assert client.requests["ExecuteChangeSet"]["ChangeSetName"] == request["ChangeSetName"]
    assert done == "rides serves run new for duration, after old"


def test_release_of_the_first_tip_model_deploys_it(s3: "S3Client", tips: Path) -> None:
    """A tip predictor that is not deployed yet is, and a rollback takes it away again."""
    put_model(s3, tips)
    client = FakeCloudFormation()

    done = release(stack(client), "tip", model(tips))

    tip = {f"Tip{name}": value for name, value in model(tips).items()}
    assert client.changes == {**tip, "PreviousRelease": written(PARAMETERS)}
    assert done == "rides serves run new for tip, after none"

    assert rollback(stack(client)) == "rides serves run old for duration again"
    assert client.parameters == {
        **PARAMETERS,
        "PreviousRelease": written({**PARAMETERS, **tip}),
    }


def test_release_of_another_predictors_model_is_refused(s3: "S3Client", tips: Path) -> None:
    """A model whose signature says that it predicts tips is not served as durations."""
    put_model(s3, tips)

    assert refused(model(tips)) == (
        "nothing is released: run new predicts tip, by its signature, and PREDICTOR is duration"
    )


def test_release_by_model_id_looks_where_mlflow_3_puts_models(s3: "S3Client", folder: Path) -> None:
    """A run without artifacts/model of its own is served by the ID of its model."""
    put_model(s3, folder, "1/models/m-7/artifacts")
    client = FakeCloudFormation()

    release(stack(client), "duration", model(folder, "m-7"))

    assert client.changes["ModelId"] == "m-7"


def test_release_of_a_model_that_only_a_search_finds_is_refused(
    s3: "S3Client", folder: Path
) -> None:
    """The function may not search: it would not start without the model's ID."""
    document = yaml.safe_load((folder / "MLmodel").read_text())
    (folder / "MLmodel").write_text(yaml.safe_dump({**document, "run_id": RUN}))
    put_model(s3, folder, "1/models/m-7/artifacts")

    message = refused(model(folder))

    assert f"there is no s3://{BUCKET}/1/{RUN}/artifacts/model/MLmodel" in message
    assert message.endswith("a run without artifacts/model of its own needs MODEL_ID")


def test_release_of_a_missing_model_is_refused(s3: "S3Client") -> None:
    """The place where it was looked for is named."""
    message = refused({"RunId": RUN, "ModelSha256": "0" * 64, "ModelId": "m-7"})

    assert f"there is no s3://{BUCKET}/1/models/m-7/artifacts/MLmodel" in message


def test_release_of_another_digest_is_refused(s3: "S3Client", folder: Path) -> None:
    """Both digests are told."""
    put_model(s3, folder)

    message = refused({**model(folder), "ModelSha256": "f" * 64})

    assert f"digest is {digest(folder)}, and MODEL_SHA256 pins {'f' * 64}" in message


def test_release_of_a_refused_model_is_refused(s3: "S3Client", folder: Path) -> None:
    """What the function would not load is not released."""
    document = yaml.safe_load((folder / "MLmodel").read_text())
    document["flavors"]["sklearn"]["sklearn_version"] = "1.0.2"
    del document["flavors"]["onnx"], document["flavors"]["weights"]
    (folder / "MLmodel").write_text(yaml.safe_dump(document))
    put_model(s3, folder)

    message = refused(model(folder))

    assert message.startswith("nothing is released: ")
    assert "trained with scikit-learn 1.0.2" in message


def served(client: FakeCloudFormation) -> Predictor:
    """Load the released model as the function does."""
    released = {
        "RUN_ID": RUN,
        "MODEL_LOCATION": f"s3://{BUCKET}/1/models/{client.changes['ModelId']}/artifacts",
        "MODEL_SHA256": client.changes["ModelSha256"],
    }
    return load_model(Settings.from_environ(released)).predictor


def without_twin(folder: Path) -> Path:
    """The model as plain MLflow logs it."""
    document = yaml.safe_load((folder / "MLmodel").read_text())
    for flavor in ("onnx", "weights"):
        (folder / document["flavors"].pop(flavor)["data"]).unlink()
    (folder / "MLmodel").write_text(yaml.safe_dump({**document, "run_id": RUN}))
    return folder


def test_release_makes_the_twin_that_training_did_not(
    s3: "S3Client", folder: Path, tmp_path: Path
) -> None:
    """A run that was logged without a twin is released with one; its own files stay as they are."""
    put_model(s3, without_twin(folder))
    client = FakeCloudFormation()

    done = release(stack(client), "duration", model(folder))

    released = f"m-{client.changes['ModelSha256'][:32]}"
    assert client.changes["ModelId"] == released
    assert re.fullmatch(
        "rides serves run new for duration, after old; the model got a twin, which differs by "
        rf"at most \d\.\de-\d\d on 2000 made-up rides, and is served as {released}",
        done,
    )
    settings = {"MODEL_BUCKET": BUCKET, "RUN_ID": RUN}
    own = fetch_model(Settings.from_environ(settings), lambda: s3)
    assert digest(own) == digest(folder)
    assert isinstance(served(client), LinearModel)


def test_release_of_a_twin_that_is_served_already_is_refused(s3: "S3Client", folder: Path) -> None:
    """The same run makes the same twin, so that nothing is left to release."""
    put_model(s3, without_twin(folder))
    client = FakeCloudFormation()
    release(stack(client), "duration", model(folder))

    with pytest.raises(OpsError, match="rides serves run new already"):
        release(stack(client), "duration", model(folder))


def test_release_packs_a_models_file_to_the_same_bytes_whenever_it_does(
    s3: "S3Client", folder: Path
) -> None:
    """A twin is known by its digest, so that the time of a release is nowhere in its files."""
    long_ago = ZipInfo("schema.json").date_time
    path = without_twin(folder) / "model.skops"
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(ZipInfo(name), data)
    put_model(s3, folder)
    client = FakeCloudFormation()

    release(stack(client), "duration", model(folder))

    key = f"1/models/{client.changes['ModelId']}/artifacts/model.skops"
    packed = BytesIO(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    with ZipFile(packed) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == parts
        assert {(part.compress_type, part.date_time) for part in archive.infolist()} == {
            (ZIP_DEFLATED, long_ago)
        }


def save_pickled(pipeline: Any, folder: Path) -> None:
    shutil.rmtree(folder)
    mlflow.sklearn.save_model(
        pipeline, folder, pip_requirements=[], serialization_format="cloudpickle"
    )


def test_release_of_a_model_without_a_twin_says_that_scikit_learn_serves_it(
    s3: "S3Client", folder: Path
) -> None:
    """What cannot be converted is released as it is, with the reason."""
    pipeline = make_pipeline(DictVectorizer(), KNeighborsRegressor(1))
    pipeline.fit([{"trip_distance": 1.0}, {"trip_distance": 2.0}], [1.0, 2.0])
    save_pickled(pipeline, folder)
    put_model(s3, folder)
    client = FakeCloudFormation()

    done = release(stack(client), "duration", model(folder))

    assert client.changes["ModelSha256"] == digest(folder)
    assert done == (
        "rides serves run new for duration, after old; scikit-learn serves it, for it cannot have "
        "a twin: its KNeighborsRegressor is neither a linear model nor of trees"
    )


def of_frame(*steps: Any) -> tuple[Any, pd.DataFrame]:
    """A model that was fitted on a frame with zones as integers, and the frame."""
    rides = [synthetic.ride for synthetic in synthetic_rides(300, seed=7)]
    frame = pd.DataFrame(
        {
            "PU": [ride.PULocationID for ride in rides],
            "DO": [ride.DOLocationID for ride in rides],
            "trip_distance": [min(ride.trip_distance, 40.0) for ride in rides],
        }
    )
    zones = ColumnTransformer([("zones", OneHotEncoder(handle_unknown="ignore"), ["PU", "DO"])])
    return make_pipeline(*steps, zones, Ridge()).fit(frame, frame["PU"] + frame["DO"]), frame


def test_release_of_a_model_of_integer_zones_predicts_as_in_training(s3: Any, folder: Path) -> None:
    """A model that was fitted on integers gets a twin that knows the same zones."""
    pipeline, frame = of_frame()
    save_pickled(pipeline, folder)
    put_model(s3, folder)
    client = FakeCloudFormation()

    release(stack(client), "duration", model(folder))

    rides = [Ride(*row) for row in frame.itertuples(index=False)]
    predictor = served(client)
    assert isinstance(predictor, LinearModel)
    predicted = predictor.predict(ride_features(rides))
    assert predicted == pytest.approx(pipeline.predict(frame).tolist(), rel=1e-9)


def test_release_of_a_model_that_hides_its_types_is_refused(s3: Any, folder: Path) -> None:
    """A model is not released where nothing says whether it was trained on text or integers."""
    pipeline, _ = of_frame(FunctionTransformer(lambda table: table))
    save_pickled(pipeline, folder)
    put_model(s3, folder)

    said = refused(model(folder))

    assert said.startswith("nothing is released: ")
    assert "model.pkl uses PU behind code that may change it" in said
    assert "Log the model with an input signature" in said


def test_main_release_tells_of_it_in_one_line(
    s3: "S3Client",
    tips: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the options that `make release` gives, empty ones included."""
    put_model(s3, tips)
    monkeypatch.chdir(tmp_path)
    client = FakeCloudFormation()
    options = ["--run-id", RUN, "--model-sha256", digest(tips), "--model-id", ""]

    status = main(["--stack", STACK, "release", "--predictor", "tip", *options], lambda _: client)

    assert capsys.readouterr().err == "rides serves run new for tip, after none\n"
    assert status == 0
    assert client.parameters["TipRunId"] == RUN


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        (
            {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
            "You must specify a region; set AWS_DEF",
        ),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "Unable to locate credentials"),
        ({"AWS_PROFILE": "gone"}, "The config profile (gone) could not be found"),
    ],
)
def test_command_without_account_gives_one_line(
    environ: dict[str, str], reason: str, tmp_path: Path
) -> None:
    """A region, credentials or a profile that are missing are named, without a traceback."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    done = finished(
        [sys.executable, "-m", "ops.release", "--stack", "", "rollback"],
        env={**bare, **nowhere, **environ},
    )

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"AWS does not answer, and nothing has changed: {reason}")
