"""Another run for a deployed predictor: the stack's parameters change, and nothing else."""

from collections.abc import Iterable
from pathlib import Path

import boto3

from cli.terminal import OpsError
from model_service.models.model_errors import ModelNotFound
from model_service.models.model_files import read_mlmodel
from model_service.models.predictors import load_predictor
from model_service.models.run_artifacts import fetch_model
from model_service.settings import Settings
from ops.release.deployed_stack import DeployedStack, Parameters
from ops.release.twin import make_twin, needs_twin, put_twin
from streams.errors import ServiceError
from training.training_errors import CannotConvert

# The parameters that a release sets, of template.yaml, each with the prefix of the predictor.
RUN_ID, MODEL_SHA256, MODEL_ID = NAMES = ("RunId", "ModelSha256", "ModelId")
PREVIOUS = "PreviousRelease"
_WITHOUT_PREFIX = "duration"


def prefixes(parameters: Iterable[str]) -> dict[str, str]:
    """The predictors of a stack by its template's parameters, each with their prefix.

    Whatever `make predictor` adds to the template is one, once that is deployed.
    """
    names = set(parameters)
    found = sorted(name.removesuffix(RUN_ID) for name in names if name.endswith(RUN_ID))
    return {
        prefix.lower() or _WITHOUT_PREFIX: prefix
        for prefix in found
        if names.issuperset(prefix + name for name in NAMES)
    }


def release(stack: DeployedStack, predictor: str, model: Parameters) -> str:
    """Serve another run's model; answer with what to tell the user.

    Args:
        stack: What is deployed.
        predictor: One of `prefixes`, such as `duration`.
        model: Values of RunId, ModelSha256 and ModelId.

    Raises:
        OpsError: There is no such predictor, the model is not one that the function would load, or
            CloudFormation refuses.
    """
    stack.require_ready()
    now = _released(stack)
    prefix = _prefix(stack, predictor, now)
    _require_change(stack, prefix, model, now)
    folder = fetch_loadable(now, predictor, model)
    model, said = _with_twin(now, folder, model)
    _require_change(stack, prefix, model, now)
    stack.update({**_changes(prefix, model), PREVIOUS: written(now)})
    was = now[prefix + RUN_ID] or "none"
    return f"{stack.name} serves run {model[RUN_ID]} for {predictor}, after {was}{said}"


def _prefix(stack: DeployedStack, predictor: str, now: Parameters) -> str:
    known = prefixes(now)
    if predictor not in known:
        raise OpsError(
            f"PREDICTOR={predictor!r} is not allowed; it must be one of {', '.join(known)}, which "
            f"{stack.name} has: deploy first what 'make predictor' added to template.yaml"
        )
    return known[predictor]


def _changes(prefix: str, model: Parameters) -> dict[str, str]:
    return {prefix + name: value for name, value in model.items()}


def _require_change(stack: DeployedStack, prefix: str, model: Parameters, now: Parameters) -> None:
    if _changes(prefix, model).items() <= now.items():
        raise OpsError(f"{stack.name} serves run {model[RUN_ID]} already")


def _with_twin(deployed: Parameters, folder: Path, model: Parameters) -> tuple[Parameters, str]:
    """The model with a twin, if it had none and can have one; and what to tell the user."""
    if not needs_twin(folder):
        return model, ""
    try:
        said = make_twin(folder)
    except CannotConvert as reason:
        return model, f"; scikit-learn serves it, for it cannot have a twin: {reason}"
    s3 = boto3.client("s3")
    twin = put_twin(s3, deployed["ModelBucket"], deployed["ExperimentId"], folder)
    released = {**model, MODEL_ID: twin.model_id, MODEL_SHA256: twin.sha256}
    return released, f"; {said}, and is served as {twin.model_id}"


def rollback(stack: DeployedStack) -> str:
    """Serve what was served before the last release; answer with what to tell the user.

    Rolling back twice comes back to where it began.

    Raises:
        OpsError: Nothing was released yet, or CloudFormation refuses.
    """
    stack.require_ready()
    now = _released(stack)
    if not now[PREVIOUS]:
        raise OpsError(f"{stack.name} has had no release to go back from")
    before = read(now[PREVIOUS], now)
    if before.items() <= now.items():
        raise OpsError(f"{stack.name} serves {_runs(before)} already, as before its release")
    stack.update({**before, PREVIOUS: written(now)})
    return f"{stack.name} serves {_runs(before)} again"


def _released(stack: DeployedStack) -> dict[str, str]:
    values = stack.parameters()
    missing = {*NAMES, PREVIOUS} - values.keys()
    if missing:
        raise OpsError(
            f"the stack {stack.name!r} has no parameters {', '.join(sorted(missing))}; "
            "deploy this version's template.yaml first, or set STACK"
        )
    return values


def serving(parameters: Parameters) -> dict[str, str]:
    """The parameters that say what is served, now and before the last release."""
    return {name: parameters[name] for name in (*_released_of(parameters), PREVIOUS)}


def written(parameters: Parameters) -> str:
    """What is released, as `RunId=… ModelSha256=… …`."""
    return " ".join(f"{name}={parameters[name]}" for name in _released_of(parameters))


def read(text: str, parameters: Iterable[str]) -> dict[str, str]:
    """The reverse of `written`.

    Args:
        text: What was written. A predictor that was added since is not in it, and stays as it is.
        parameters: Those of the stack.

    Raises:
        OpsError: The text is something else.
    """
    pairs = dict(word.split("=", 1) for word in text.split() if "=" in word)
    known = _released_of(parameters)
    if not pairs or not set(known).issuperset(pairs) or len(pairs) != len(_released_of(pairs)):
        raise OpsError(
            f"{PREVIOUS} is {text!r}; it must give {', '.join(known)}: release a run instead"
        )
    return pairs


def _released_of(parameters: Iterable[str]) -> list[str]:
    """The names of the parameters that releases set."""
    return [prefix + name for prefix in prefixes(parameters).values() for name in NAMES]


def fetch_loadable(deployed: Parameters, predictor: str, model: Parameters) -> Path:
    """Load the model as the function will, from where the stack has its models.

    Returns:
        A folder with a copy of its files.

    Raises:
        OpsError: It is not there, has another digest, predicts what another predictor is for, or is
            one that the function refuses.
    """
    bucket, experiment = deployed["ModelBucket"], deployed["ExperimentId"]
    # The function's role reads no other place, so that a pointer or a search would not help it.
    given = model[MODEL_ID]
    place = f"models/{given}/artifacts" if given else f"{model[RUN_ID]}/artifacts/model"
    try:
        settings = Settings.from_environ(
            {
                "RUN_ID": model[RUN_ID],
                "MODEL_LOCATION": f"s3://{bucket}/{experiment}/{place}",
                "MODEL_SHA256": model[MODEL_SHA256],
            }
        )
        folder = fetch_model(settings, lambda: boto3.client("s3"))
        load_predictor(folder, trusted=True)
        predicts = read_mlmodel(folder).output_name
    except ModelNotFound as error:
        raise OpsError(
            f"nothing is released: {error} - for a release, check RUN_ID; "
            "a run without artifacts/model of its own needs MODEL_ID"
        ) from None
    except ServiceError as error:
        raise OpsError(f"nothing is released: {error}") from None
    if predicts != predictor and predicts in prefixes(deployed):
        raise OpsError(
            f"nothing is released: run {model[RUN_ID]} predicts {predicts}, by its signature, and "
            f"PREDICTOR is {predictor}"
        )
    return folder


def _runs(parameters: Parameters) -> str:
    known = prefixes(parameters)
    runs = {predictor: parameters[prefix + RUN_ID] for predictor, prefix in known.items()}
    return " and ".join(f"run {run} for {predictor}" for predictor, run in runs.items() if run)
