"""The tests' PostgreSQL, by its file: a package that is installed may have a folder `tests` of its own."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType


def of_the_tests() -> ModuleType:
    """`tests/postgres.py`."""
    name = "bench.postgres_of_the_tests"
    spec = spec_from_file_location(name, Path(__file__).parents[1] / "tests" / "postgres.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
