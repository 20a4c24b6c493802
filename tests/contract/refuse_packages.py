"""A plugin for pytest: unit tests import none of the packages that only laptops need."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder

PACKAGES = frozenset({"matplotlib", "mlflow", "moto", "pandas"})


class Refusing(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> None:
        if name.partition(".")[0] in PACKAGES:
            raise ModuleNotFoundError(f"unit tests must not import {name}", name=name)


sys.meta_path.insert(0, Refusing())
