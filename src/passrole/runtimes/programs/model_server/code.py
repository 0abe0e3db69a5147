"""The user's module: its code is placed, its requirements are installed, it is imported."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

DEFAULT = "inference.py"


def toolkit() -> Any:
    """script_mode.py, which lies beside this package."""
    return importlib.import_module("script_mode")


def module(base: Path, placed: str | None) -> ModuleType:
    """The user's module. Raises the toolkit's ClientError where there is none; what the import raises."""
    script_mode = toolkit()
    folder = _folder(base, placed)
    program = os.environ.get("SAGEMAKER_PROGRAM") or DEFAULT
    name = program[:-3] if program.endswith(".py") else program
    if not script_mode.ENTRY_POINT.fullmatch(program) or {".", ".."} & set(program.split("/")):
        raise script_mode.ClientError(f"SAGEMAKER_PROGRAM names no module: {program!r}")
    if not any((folder / each).exists() for each in (f"{name}.py", name)):
        raise script_mode.ClientError(
            f"There is no {name}.py in {folder}: pack it as code/{name}.py in the model's archive, or give "
            "SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY (entry_point and source_dir of the SDK)"
        )
    _install(base, folder)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    return importlib.import_module(name.replace("/", "."))


def _folder(base: Path, placed: str | None) -> Path:
    """Where the code is. Raises the toolkit's ClientError for what cannot be unpacked or fetched."""
    script_mode = toolkit()
    submitted = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    in_archive = base / "model/code"
    if placed and Path(placed).exists():
        script_mode.place_code(base / "code", placed)
        return base / "code"
    if submitted and Path(submitted).is_dir():
        return Path(submitted)
    if in_archive.is_dir():
        return in_archive
    if submitted:
        script_mode.place_code(base / "code", submitted)
        return base / "code"
    return in_archive


def _install(base: Path, folder: Path) -> None:
    """requirements.txt, into the layer in which this process runs."""
    if not (folder / "requirements.txt").exists():
        return
    script_mode = toolkit()
    runner = script_mode.Runner(folder, False)
    runner.enter(script_mode.layer(base / "site"))
    command = [runner.python, "-m", "pip", "install", "-r", "requirements.txt"]
    runner.run("InstallRequirementsError", command)
    if Path(sys.prefix) != base / "site":
        import site

        for each in (base / "site/lib").glob("python*/site-packages"):
            site.addsitedir(str(each))
    importlib.invalidate_caches()
