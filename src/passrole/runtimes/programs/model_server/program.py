"""From the model's folder to a server that listens."""

from __future__ import annotations

import argparse
import logging
import os
import signal
from pathlib import Path

from .algorithm import Algorithm
from .code import module, toolkit
from .handlers import FRAMEWORKS, UserModel
from .http_server import Model, serve

log = logging.getLogger("sagemaker-inference")


def main(arguments: list[str]) -> int:
    """Load the model and serve it until somebody ends the process; the exit code."""
    options = _options(arguments)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s", level=logging.INFO)
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))
    base = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))
    os.environ.setdefault("SM_MODEL_DIR", str(base / "model"))
    try:
        model = _loaded(base, options)
    except toolkit().ClientError as error:
        log.error("%s", error)
        return 1
    log.info("The model is loaded")
    serve(model, options.socket)
    return 0


def _loaded(base: Path, options: argparse.Namespace) -> Model:
    if options.form == "xgboost":
        return Algorithm(base / "model")
    return UserModel(module(base, options.code), base / "model", options.framework)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="serve_model.py")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--form", choices=("script", "xgboost"), required=True)
    parser.add_argument("--code", metavar="PLACED")
    parser.add_argument("--framework", choices=FRAMEWORKS, default="other")
    return parser.parse_args(arguments)
