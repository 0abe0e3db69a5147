"""Packages of the user's environment, imported when they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from .errors import UserError


def wheel(name: str) -> Any:
    """A module of a package that the user has installed. Raises UserError where it is not."""
    package = name.split(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != package:
            raise
        advice = f"install it with: pip install {package}"
        raise UserError(f"{package} is not installed in this environment; {advice}") from None
