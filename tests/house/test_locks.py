"""The lock files agree: what `make demo` installs is what the tests ran with."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ROOT / "requirements"
PIN = re.compile(r"^([\w.-]+)==(?:.*\\\n)*.*$", re.MULTILINE)
MARKER = re.compile(r" ;.*?(?= \\\n)")  # an extra more may ask for a package elsewhere, too
LEFT_OUT = {"uvloop"}  # 14 MB; without it a server runs on asyncio's own loop
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(name: str) -> dict[str, str]:
    """The pins of a lock file, with version and hashes, by the name of the package."""
    text = (LOCKS / f"{name}.lock").read_text()
    return {found[1]: MARKER.sub("", found[0]) for found in PIN.finditer(text)}


def names(requirements: list[str]) -> set[str]:
    """The packages that requirements ask for."""
    return {re.split(r"[\[><=!;~ ]", each)[0] for each in requirements}


@pytest.mark.parametrize("name", ["runtime", "postgres", "emr", "bench"])
def test_every_pin_is_that_of_the_tests(name: str) -> None:
    known = pins("dev")
    differing = {package for package, pin in pins(name).items() if package in known and known[package] != pin}
    assert differing == set()


@pytest.mark.parametrize("name, extras", [("runtime", []), ("postgres", ["postgres"]), ("emr", ["emr"])])
def test_what_a_demo_needs_is_locked_and_little_else(name: str, extras: list[str]) -> None:
    asked = [
        *PROJECT["dependencies"],
        *(each for extra in extras for each in PROJECT["optional-dependencies"][extra]),
    ]
    locked = set(pins(name))
    assert names(asked) - locked == LEFT_OUT
    assert locked - set(pins("dev")) == set()
    assert locked & {"sagemaker", "pytest", "mypy", "ruff", "hypothesis"} == set()
    assert len(locked) < 50


@pytest.mark.parametrize("path", sorted(LOCKS.glob("*.lock")), ids=lambda path: path.name)
def test_a_lock_file_has_hashes_and_names_no_index(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert "--index" not in text and "--find-links" not in text
    unhashed = [found[1] for found in PIN.finditer(text) if "--hash=sha256:" not in found[0]]
    assert unhashed == []
