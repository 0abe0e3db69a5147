"""A model of XGBoost's algorithm: its own image serves it without a script.

https://github.com/aws/sagemaker-xgboost-container
"""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

from .boosting import predicted, rows
from .encodings import CSV, JSON, UnsupportedFormat, package
from .http_server import Answer, Refused

JSON_LINES = "application/jsonlines"
NAME = "xgboost-model"


class Algorithm:
    """The model in a folder: pickled, or saved by xgboost itself. Loading it raises RuntimeError."""

    def __init__(self, folder: Path) -> None:
        self._booster = _loaded(_file(folder))
        self._booster.set_param({"nthread": 1})

    def invoke(self, body: bytes, content_type: str | None, accept: str | None) -> Answer:
        """Predictions, separated by commas; a batch has one in each line."""
        if not body:
            return Answer(b"", status=204)
        kind = (content_type or CSV).partition(";")[0].strip().lower()
        try:
            if kind == JSON:  # the algorithm reads none, unlike the defaults of a script
                raise UnsupportedFormat(kind)
            data = rows(body, kind)
            self._check_width(data, kind)
        except UnsupportedFormat:
            known = "text/csv, text/libsvm, text/x-libsvm"
            message = f"Content-type {content_type} not supported. Supported content-type is {known}"
            raise Refused(415, message) from None
        except (ValueError, UnicodeDecodeError) as error:
            message = f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n"
            raise Refused(415, f"{message} {type(error)}\n {error}") from error
        try:
            found = predicted(data, self._booster).tolist()
        except Exception as error:
            raise Refused(400, f"Unable to evaluate payload provided: {error}") from error
        return _rendered(found, accept)

    def execution_parameters(self) -> dict[str, Any]:
        """As AWS's image says, but for the number of its workers: this server is one."""
        return {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}

    def _check_width(self, data: Any, kind: str) -> None:
        """As many columns as the model was trained with; libsvm may leave out the last ones."""
        trained, given = self._booster.num_features(), data.num_col()
        if kind == CSV and given not in (trained, trained + 1):
            raise ValueError(
                f"Feature size of csv inference data {given} is not consistent with feature size of trained "
                f"model {trained}."
            )
        if kind != CSV and given > trained + 1:
            raise ValueError(
                f"Feature size of libsvm inference data {given} is larger than feature size of trained model "
                f"{trained}."
            )


def _file(folder: Path) -> Path:
    """The model's file: by its name, or the only one."""
    found = sorted(path for path in folder.iterdir() if path.is_file())
    named = [path for path in found if path.name == NAME]
    if not found:
        raise RuntimeError("Unable to load model: there is no file in the model's archive")
    return (named or found)[0]


def _loaded(file: Path) -> Any:
    """The file itself says how it was saved: images before 1.3-1 have pickled it."""
    xgboost = package("xgboost")
    try:
        with file.open("rb") as opened:
            return pickle.load(opened)  # noqa: S301 (in the sandbox, whose program the model is)
    except Exception as pickled:
        try:
            booster = xgboost.Booster()
            booster.load_model(str(file))
        except Exception as saved:
            raise RuntimeError(f"Unable to load model: {pickled} {saved}") from saved
        return booster


def _rendered(found: list[Any], accept: str | None) -> Answer:
    if os.environ.get("SAGEMAKER_BATCH"):
        return Answer("".join(f"{each}\n" for each in found).encode(), CSV)
    wanted = (accept or "").partition(";")[0].strip().lower()
    if wanted in ("", "*/*"):
        wanted = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", CSV)
    scores = [{"score": each} for each in found]
    if wanted == CSV:
        return Answer(",".join(map(str, found)).encode(), CSV)
    if wanted == JSON:
        return Answer(json.dumps({"predictions": scores}).encode(), JSON)
    if wanted == JSON_LINES:
        return Answer("".join(json.dumps(each) + "\n" for each in scores).encode(), JSON_LINES)
    raise Refused(406, f"Accept type {accept} is not supported. Please use an accept type from {CSV}, {JSON}")
