"""Models that somebody crafted: each is refused with a clear error, and nothing of theirs runs."""

import io
import json
import os
import pickle
import re
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
import skops.io
import yaml
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingRegressor,
    RandomForestRegressor,
)
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from model_service.models.archives import require_bounded
from model_service.models.digest import digest
from model_service.models.loading import load_model
from model_service.models.model_errors import ModelRefused
from model_service.models.predictors import load_predictor
from model_service.models.sklearn_models import TRUSTED_TYPES
from model_service.settings import Settings
from tests.memory import at_most

MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model as MLflow writes it, to be tampered with."""
    ride = {"PU_DO": "1_2", "trip_distance": 1.0}
    model = make_pipeline(DictVectorizer(), LinearRegression()).fit([ride], [4])
    path = tmp_path / "model"
    mlflow.sklearn.save_model(
        model, path, pip_requirements=[], skops_trusted_types=list(TRUSTED_TYPES)
    )
    return path


def edit(folder: Path, flavor: str = "sklearn", **changes: Any) -> None:
    """Change what MLmodel says of a flavour."""
    path = folder / "MLmodel"
    document = yaml.safe_load(path.read_text())
    document["flavors"][flavor].update(changes)
    path.write_text(yaml.safe_dump(document))


def refusal(folder: Path, *, trusted: bool = False, most_bytes: int = 50 * MIB) -> str:
    """The message of a refused model, which is to need no more memory than that."""
    with at_most(most_bytes), pytest.raises(ModelRefused) as caught:
        load_predictor(folder, trusted=trusted)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1000
    return message


@pytest.mark.parametrize("field", ["sklearn_version", "pickled_model", "serialization_format"])
@pytest.mark.parametrize("inner", ["[{}]", "{{<<: [{}]}}"], ids=["aliases", "merges"])
def test_mlmodel_field_that_unfolds_is_refused(folder: Path, field: str, inner: str) -> None:
    """A field that aliases make larger than memory is refused before a message shows it."""
    lines = ["a0: &a0 {x: 1}"]
    for level in range(1, 30):
        aliases = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} {inner.format(aliases)}")
    lines.append(f"flavors: {{sklearn: {{{field}: *a29}}}}")
    (folder / "MLmodel").write_text("\n".join(lines))

    assert "more than 1000000 characters and values" in refusal(folder)


@pytest.mark.parametrize(
    "name",
    [
        "../../../../../../../../etc/passwd",
        "/etc/passwd",
        "code/../../outside",
        "..",
        ".",
        "",
        "folder/model.skops",
        "\0",
        "x" * 300,
        "x" * 20_000,
        "a/" * 2000,
        "model.skops\n",
        "link",
        None,
    ],
    ids=lambda name: repr(name)[:40],
)
def test_mlmodel_pickled_model_elsewhere_is_refused(folder: Path, name: str | None) -> None:
    """A model file that is not in the folder is never opened, whichever way it is named."""
    outside = folder.parent / "outside"
    outside.mkdir()
    (folder / "model.skops").rename(outside / "model.skops")
    (folder / "folder").symlink_to(outside)
    (folder / "link").symlink_to(outside / "model.skops")
    edit(folder, pickled_model=name)

    assert "not a file of its folder" in refusal(folder)


@pytest.mark.parametrize("field", ["sklearn_version", "pickled_model", "serialization_format"])
@pytest.mark.parametrize("value", ["x" * 20_000, "9\n" * 1_000, ["x"] * 200])
def test_mlmodel_long_value_is_cut_in_the_message(folder: Path, field: str, value: Any) -> None:
    """A message shows the beginning and the end of what MLmodel says, in one line."""
    edit(folder, **{field: value})

    assert "…" in refusal(folder)


def test_mlmodel_long_flavour_is_cut_in_the_message(folder: Path) -> None:
    """A message shows only the beginning and the end of a long flavour name."""
    (folder / "MLmodel").write_text(f"flavors: {{{'x' * 1_000}: {{}}}}")

    assert "…" in refusal(folder)


def test_skops_long_type_is_cut_in_the_message(folder: Path) -> None:
    """A message shows only the beginning and the end of a long type name in a skops file."""
    crafted = node("TypeNode", "x" * 20_000, "mkdir")
    rewrite_schema(folder, lambda schema: {**crafted, "protocol": schema["protocol"]})

    assert "…" in refusal(folder)


def test_skops_long_feature_is_cut_in_the_message(folder: Path) -> None:
    """A message shows only the beginning and the end of a long feature name."""
    model = make_pipeline(DictVectorizer(), LinearRegression()).fit([{"x" * 20_000: 1.0}], [4])
    skops.io.dump(model, folder / "model.skops")

    assert "trained on 1 features, such as 'xxx" in refusal(folder)


@pytest.mark.parametrize("field", ["data", "model_path", "code", "loader_module"])
def test_mlmodel_pyfunc_paths_are_not_followed_without_trust(folder: Path, field: str) -> None:
    """A model of no flavour but python_function is refused before any of its paths is read."""
    edit(folder, "python_function", **{field: "../../etc/passwd"})
    path = folder / "MLmodel"
    document = yaml.safe_load(path.read_text())
    del document["flavors"]["sklearn"]
    path.write_text(yaml.safe_dump(document))

    assert "MLflow pyfunc model, which can run any code" in refusal(folder)


class Dropper:
    """Makes a folder when it is unpickled."""

    def __init__(self, dropped: Path) -> None:
        self._dropped = dropped

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._dropped),)


def craft_pickle(folder: Path, dropped: Path) -> None:
    (folder / "model.pkl").write_bytes(pickle.dumps(Dropper(dropped)))
    edit(folder, pickled_model="model.pkl", serialization_format="pickle")


def load(folder: Path, **environ: str) -> object:
    settings = {"MODEL_LOCATION": str(folder), "RUN_ID": "r", **environ}
    return load_model(Settings.from_environ(settings))


@pytest.mark.parametrize("name", ["model.pkl", "model.skops", "MLmodel"])
def test_pickle_without_a_pin_is_not_opened(folder: Path, name: str) -> None:
    """A pickle runs nothing where no digest pins it, whatever its file is called."""
    craft_pickle(folder, folder.parent / "dropped")
    if name != "MLmodel":
        (folder / "model.pkl").rename(folder / name)
        edit(folder, pickled_model=name)

    with pytest.raises(ModelRefused, match="can run any code when it is loaded; .*MODEL_SHA256"):
        load(folder)

    assert not (folder.parent / "dropped").exists()


def test_pickle_that_was_changed_after_it_was_pinned_is_not_opened(folder: Path) -> None:
    """A pickle runs nothing where its digest is not the pinned one; both digests are named."""
    pinned = digest(folder)
    craft_pickle(folder, folder.parent / "dropped")

    with pytest.raises(ModelRefused, match=f"digest is {digest(folder)}, .* pins {pinned}"):
        load(folder, MODEL_SHA256=pinned)

    assert not (folder.parent / "dropped").exists()


def test_pickle_said_to_be_skops_is_refused(folder: Path) -> None:
    """A pickle does not come in by another format's name."""
    craft_pickle(folder, folder.parent / "dropped")
    edit(folder, serialization_format="skops")

    assert "cannot be loaded: BadZipFile" in refusal(folder)
    assert not (folder.parent / "dropped").exists()


def rewrite_schema(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the description of the object that a skops file holds."""
    path = folder / "model.skops"
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["schema.json"] = json.dumps(change(json.loads(files["schema.json"]))).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def whitelisting(node: Any) -> Any:
    """The same nodes, each of which says of itself that it is trusted."""
    if isinstance(node, list):
        return [whitelisting(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    inside = {name: whitelisting(inner) for name, inner in node.items()}
    if "__loader__" in node:
        inside |= {"trusted": True, "__trusted__": True, "_is_safe": True, "is_safe": True}
    return inside


def test_skops_that_whitelists_itself_is_refused(folder: Path) -> None:
    """Neither the file nor MLmodel can say which of its types are trusted."""
    dropped = folder.parent / "dropped"
    model = make_pipeline(FunctionTransformer(partial(os.mkdir, str(dropped))), LinearRegression())
    skops.io.dump(model, folder / "model.skops")
    rewrite_schema(folder, lambda schema: whitelisting(schema) | {"trusted": ["posix.mkdir"]})
    edit(folder, skops_trusted_types=["posix.mkdir", "functools.partial"])

    message = refusal(folder, trusted=True)

    assert "not on the list of trusted types" in message
    assert "mkdir" in message
    assert not dropped.exists()


def node(loader: str, module: str, name: str, **inside: Any) -> dict[str, Any]:
    return {"__class__": name, "__module__": module, "__loader__": loader, **inside}


MKDIR = node("FunctionNode", "posix", "mkdir", content="x")
NOTHING = node("TupleNode", "builtins", "tuple", content=[])
PARTIAL = {"func": MKDIR, "args": NOTHING, "kwds": NOTHING, "namespace": NOTHING}


@pytest.mark.parametrize(
    ("crafted", "said"),
    [
        (MKDIR, "trusted types: .*posix.mkdir"),
        (node("TypeNode", "posix", "mkdir"), "trusted types: .*posix.mkdir"),
        (node("ObjectNode", "subprocess", "Popen", content=None), "trusted types: .*Popen"),
        (node("ObjectNode", "sklearn.base", "os.mkdir", content=None), "trusted types: .*mkdir"),
        (
            node("ConstructorFromReduceNode", "posix", "mkdir", content=NOTHING),
            "trusted types: .*posix.mkdir",
        ),
        # It says to be of a type that is trusted, and is a call of one that is not.
        (
            node("PartialNode", "sklearn.tree._tree", "Tree", content=PARTIAL),
            "trusted types: .*posix.mkdir",
        ),
        (
            node("MethodNode", "builtins", "method", content={"func": "mkdir", "obj": NOTHING}),
            "cannot be loaded: ValueError",
        ),
        (node("OperatorFuncNode", "operator", "methodcaller", attrs=NOTHING), "methodcaller"),
        (node("OperatorFuncNode", "os", "mkdir", attrs=NOTHING), "cannot be loaded: ValueError"),
        (node("CachedNode", "builtins", "list", __id__=7), "cannot be loaded: ValueError"),
        (node("NoSuchNode", "builtins", "list"), "cannot be loaded: TypeError"),
        (node("ListNode", "builtins", "list", content=[]), "holds a list, which does not predict"),
        ({}, "cannot be loaded: KeyError"),
    ],
)
def test_skops_of_a_crafted_node_is_refused(
    folder: Path, crafted: dict[str, Any], said: str
) -> None:
    """A node that names what is not trusted, or is of another kind than it says, is refused."""
    rewrite_schema(folder, lambda schema: {**crafted, "protocol": schema["protocol"]})

    assert re.search(said, refusal(folder))


@pytest.mark.parametrize("protocol", [-1, 999, True, "1", None])
def test_skops_of_another_protocol_is_refused(folder: Path, protocol: Any) -> None:
    """The file does not choose which reader reads it."""
    rewrite_schema(folder, lambda schema: {**schema, "protocol": protocol})

    assert "cannot be loaded: " in refusal(folder)


def test_skops_of_deep_nesting_is_refused(folder: Path) -> None:
    """A description that nests without end is an error, not a crash."""
    path = folder / "model.skops"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", '{"content":' * 50_000 + "1" + "}" * 50_000)

    assert "cannot be loaded: RecursionError" in refusal(folder)


def test_skops_that_holds_itself_is_refused(folder: Path) -> None:
    """An object that is made of itself is an error, not a loop."""
    inner = node("CachedNode", "builtins", "list", __id__=7)
    whole = node("ListNode", "builtins", "list", content=[inner] * 9, __id__=7)
    rewrite_schema(folder, lambda schema: {**whole, "protocol": schema["protocol"]})

    assert "cannot be loaded: RecursionError" in refusal(folder)


def test_skops_whose_array_says_to_be_huge_is_refused(folder: Path) -> None:
    """An array with a header of terabytes, and no content, takes no memory."""
    path = folder / "model.skops"
    header = io.BytesIO()
    header.write(b"\x93NUMPY\x01\x00")
    text = (
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117) + b"\n"
    )
    header.write(len(text).to_bytes(2, "little") + text)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, header.getvalue() if name.endswith(".npy") else content)

    assert "cannot be loaded: " in refusal(folder)


def pack(folder: Path, schema: bytes, **files: bytes) -> None:
    """A skops file with that description, and with arrays that are packed as tight as can be."""
    with zipfile.ZipFile(folder / "model.skops", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", schema)
        for name, content in files.items():
            archive.writestr(name, content)


ARRAY = node("NdArrayNode", "numpy", "ndarray", type="numpy", file="zeros")
MATRIX = node("SparseMatrixNode", "scipy.sparse._matrix", "spmatrix", type="scipy", file="zeros")


def npy(size: int) -> bytes:
    """An array of so many bytes, as numpy writes it."""
    file = io.BytesIO()
    np.save(file, np.zeros(size, dtype=np.uint8))
    return file.getvalue()


def listing(*nodes: dict[str, Any]) -> bytes:
    """The description of a list of those objects."""
    whole = node("ListNode", "builtins", "list", content=nodes)
    return json.dumps({**whole, "protocol": skops.io._protocol.PROTOCOL}).encode()


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that a test can pass in less than a second."""
    monkeypatch.setattr("model_service.models.archives.MAX_MODEL_BYTES", 20 * MIB)


@pytest.mark.usefixtures("small_limit")
def test_skops_zip_bomb_is_refused_before_it_is_unpacked(folder: Path) -> None:
    """A small file of a large array is refused by the size in its directory."""
    pack(folder, listing(ARRAY), zeros=bytes(60 * MIB))

    assert "unpacks to more than 20971520 bytes" in refusal(folder, most_bytes=5 * MIB)


@pytest.mark.usefixtures("small_limit")
def test_skops_that_names_an_array_many_times_is_refused(folder: Path) -> None:
    """An array counts as often as it would be read."""
    pack(folder, listing(*[ARRAY] * 100), zeros=bytes(MIB))

    assert "unpacks to more than 20971520 bytes" in refusal(folder, most_bytes=5 * MIB)


@pytest.mark.usefixtures("small_limit")
def test_skops_zip_bomb_in_a_zip_is_refused(folder: Path) -> None:
    """A sparse matrix, which is an archive in the archive, counts as what it unpacks to."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", bytes(60 * MIB))
    pack(folder, listing(MATRIX), zeros=inner.getvalue())

    assert "unpacks to more than 20971520 bytes" in refusal(folder, most_bytes=5 * MIB)


def test_skops_that_names_an_array_of_one_object_twice_counts_it_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What skops reads once, by its ID, counts once; without an ID, as often as it is named."""
    monkeypatch.setattr("model_service.models.archives.MAX_MODEL_BYTES", 3 * MIB)
    zeros = npy(2 * MIB)

    pack(folder, listing(*[ARRAY | {"__id__": 7}] * 100), zeros=zeros)
    assert "holds a list" in refusal(folder, most_bytes=20 * MIB)

    pack(folder, listing(ARRAY, ARRAY), zeros=zeros)
    assert "unpacks to more than 3145728 bytes" in refusal(folder)


def test_skops_that_gives_arrays_one_id_counts_the_largest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of several arrays with one ID, the one that is read may be any of them."""
    monkeypatch.setattr("model_service.models.archives.MAX_MODEL_BYTES", MIB)
    nodes = [ARRAY | {"__id__": 7, "file": name} for name in ("small", "zeros", "small")]

    pack(folder, listing(*nodes), small=npy(10), zeros=npy(2 * MIB))

    assert "unpacks to more than 1048576 bytes" in refusal(folder)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (b"[" + b"[]," * 1_000_000 + b"[]]", "of 2000002 values; it may have 2000000"),
        (b"{" + b'"a":1,' * 2_000_000 + b'"a":1}', "of 2000001 values; it may have 2000000"),
        (b" " * 100_000_001, "of 100000001 bytes; it may have 100000000"),
    ],
    ids=["lists", "fields", "spaces"],
)
def test_skops_of_a_large_description_is_refused(folder: Path, schema: bytes, said: str) -> None:
    """A description is not read that is longer than that of thousands of boosted trees."""
    pack(folder, schema)

    assert f"schema.json {said}" in refusal(folder, most_bytes=5 * MIB)


RIDES = np.random.default_rng(1).random((120, 2))


@pytest.mark.parametrize(
    "model",
    [
        GradientBoostingRegressor(n_estimators=2000, max_depth=1),
        HistGradientBoostingRegressor(max_iter=3000, max_leaf_nodes=3, min_samples_leaf=5),
        RandomForestRegressor(n_estimators=500, max_depth=20),
    ],
    ids=["boosting", "histograms", "forest"],
)
def test_skops_of_a_large_model_is_within_the_bounds(tmp_path: Path, model: Any) -> None:
    """Models of hundreds and thousands of trees, as scikit-learn and skops make them, pass."""
    path = tmp_path / "model.skops"
    with threadpool_limits(1):  # threads only wait for each other on so few rides
        model.fit(RIDES, RIDES.sum(axis=1))
    skops.io.dump(model, path)

    require_bounded(path)


def test_skops_of_a_tree_in_a_circle_is_refused(folder: Path) -> None:
    """A tree that would be walked for ever is seen before it is."""
    model = make_pipeline(DictVectorizer(), DecisionTreeRegressor())
    model.fit([{"trip_distance": 1.0}, {"trip_distance": 2.0}], [4, 5])
    state = model[-1].tree_.__getstate__()
    state["nodes"]["left_child"][0] = 0
    model[-1].tree_.__setstate__(state)
    skops.io.dump(model, folder / "model.skops")

    assert "tree that scikit-learn would not have made" in refusal(folder)


def test_mlmodel_that_is_a_link_elsewhere_is_refused(folder: Path) -> None:
    """A digest covers no links, so MLmodel, which names the model's file, must not be one."""
    (folder / "MLmodel").rename(folder.parent / "MLmodel")
    (folder / "MLmodel").symlink_to(folder.parent / "MLmodel")

    assert "'MLmodel', which is not a file of its folder" in refusal(folder)
