"""A registry's alias, on MLflow's own tracking server: followed, without a failed request."""

import http.client
import json
import os
import pickle
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import mlflow
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from tests.polling import until
from tests.tracking import ALIAS, NAME, Tracking
from tests.web import RIDE, Web, serving

URI = f"models:/{NAME}@{ALIAS}"


@contextmanager
def following(folder: Path, server: Tracking, **variables: str) -> Iterator[Web]:
    environ = {**server.environ, "MODEL_URI": URI, "MODEL_POLL_SECONDS": "1", **variables}
    with serving(folder, **environ) as web:
        yield web


def versions(web: Web) -> set[str]:
    """The versions that both processes answer with, as far as a few requests tell."""
    return {web.post(RIDE).json["model_version"] for _ in range(20)}


class Load:
    """Clients that ask all the time, each over one connection, and count the answers."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._stop = threading.Event()
        self.seen: Counter[str] = Counter()
        self.failed: list[str] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(4)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        body = json.dumps([RIDE] * 3)
        headers = {"Content-Type": "application/json"}
        while not self._stop.is_set():
            try:
                # Each anew, so that both processes are asked.
                with closing(self._web.connect()) as connection:
                    connection.request("POST", "/predict", body, headers)
                    response = connection.getresponse()
                    self._take(response.status, response.read())
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))

    def _take(self, status: int, body: bytes) -> None:
        if status != 200:
            self.failed.append(f"{status}: {body.decode()}")
            return
        (version,) = {answer["model_version"] for answer in json.loads(body)}
        self.seen[version] += 1


def test_alias_that_moves_under_load_fails_no_request(
    server: Tracking, first: dict[str, Any], second: dict[str, Any], tmp_path: Path
) -> None:
    """The alias moves there and back: both versions answer, a list by one, and nothing fails."""
    server.point(first["number"])
    with following(tmp_path, server, WEB_CONCURRENCY="2") as web, Load(web) as load:
        until(lambda: load.seen[first["run_id"]] > 20)
        server.point(second["number"])
        until(lambda: versions(web) == {second["run_id"]}, 60)
        server.point(first["number"])
        until(lambda: versions(web) == {first["run_id"]}, 60)

    assert load.failed == []
    assert load.seen.keys() == {first["run_id"], second["run_id"]}


def test_model_that_cannot_be_loaded_leaves_the_old_one(
    server: Tracking, first: dict[str, Any], second: dict[str, Any], tmp_path: Path
) -> None:
    """The log and /version say why the old model goes on, until the alias is right again."""
    broken = server.register("s3://mlflow-models/nowhere", None)
    server.point(first["number"])
    with following(tmp_path, server) as web:
        version = web.get("/version").json
        assert (version["source"], version["registered_version"]) == (URI, first["number"])
        server.point(broken)
        until(lambda: web.get("/version").json["failure"])

        detail = web.get("/version").json["failure"]["detail"]
        assert "there is no s3://mlflow-models/nowhere/MLmodel" in detail
        assert f"run {first['run_id']} goes on being served: {detail}" in web.log.read_text()
        assert web.post(RIDE).json["model_version"] == first["run_id"]
        assert web.get("/ready").status == 200

        server.point(second["number"])
        until(lambda: versions(web) == {second["run_id"]}, 60)
        assert web.get("/version").json["failure"] is None


def test_model_that_only_the_server_hands_out_is_served(
    server: Tracking, first: dict[str, Any], duration_model: dict[str, Any], tmp_path: Path
) -> None:
    """Artifacts behind the tracking server come through it, and do not stay on the disk."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    uri, run_id = server.hand_out(duration_model["model_location"])
    assert uri.startswith("mlflow-artifacts:")
    server.point(server.register(uri, run_id))
    with following(tmp_path, server, TMPDIR=os.fspath(folder)) as web:
        assert web.post(RIDE).json["model_version"] == run_id
        assert list(folder.rglob("model-*/MLmodel")) != []
        server.point(first["number"])
        until(lambda: versions(web) == {first["run_id"]}, 60)

    assert list(folder.rglob("process-*")) == []


def test_model_that_kills_its_process_is_tried_aside_and_tried_again(
    server: Tracking, first: dict[str, Any], tmp_path: Path
) -> None:
    """A model that kills the process that loads it fails no request, and is served once it loads.

    It stands for a model whose first trial the system killed for want of memory.
    """
    deadly = tmp_path / "deadly"
    deadly.touch()
    uri, run_id = server.hand_out(os.fspath(pickled_model(tmp_path / "model", deadly)))
    number = server.register(uri, run_id)
    server.point(first["number"])
    with following(tmp_path, server, ALLOW_PICKLE="True") as web:
        server.point(number)
        until(lambda: web.get("/version").json["failure"], 60)

        detail = web.get("/version").json["failure"]["detail"]
        assert "signal 9 ended its process; it will be tried again" in detail
        assert web.post(RIDE).json["model_version"] == first["run_id"]

        deadly.unlink()
        until(lambda: versions(web) == {run_id}, 60)
        assert web.get("/version").json["failure"] is None


def pickled_model(folder: Path, deadly: Path) -> Path:
    """Write a model that kills the process that loads it for as long as a file exists."""
    model = make_pipeline(DictVectorizer(), LinearRegression()).fit([{"trip_distance": 1.0}], [4])
    mlflow.sklearn.save_model(model, folder, pip_requirements=[], serialization_format="pickle")
    (folder / "model.pkl").write_bytes(pickle.dumps(KillsWhile(deadly, model)))
    return folder


class KillsWhile:
    """Kills the process that unpickles it for as long as a file exists, and becomes a model."""

    def __init__(self, deadly: Path, model: Any) -> None:
        self._deadly = os.fspath(deadly)
        self._model = pickle.dumps(model)

    def __reduce__(self) -> Any:
        kill = "os.path.exists(deadly) and os.kill(os.getpid(), 9)"
        names = f"os := __import__('os'), deadly := {self._deadly!r}"
        return eval, (f"[{names}, {kill}, __import__('pickle').loads({self._model!r})][-1]",)


def test_alias_that_goes_away_is_no_matter(
    server: Tracking, first: dict[str, Any], tmp_path: Path
) -> None:
    """Where the registry names no model any more, the service goes on, and says so."""
    server.point(first["number"])
    server.client.set_registered_model_alias(NAME, "other", first["number"])
    other = f"models:/{NAME}@other"
    with following(tmp_path, server, MODEL_URI=other) as web:
        server.client.delete_registered_model_alias(NAME, "other")
        until(lambda: web.get("/version").json["failure"])

        assert "alias other not found" in web.get("/version").json["failure"]["detail"]
        assert web.post(RIDE).status == 200
