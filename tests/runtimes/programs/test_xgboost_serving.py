"""Models of XGBoost's algorithm are served as AWS's image does, on the wheel of PASSROLE_XGBOOST_PYTHON."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.runtimes.programs.served_model import ServedModel
from tests.runtimes.programs.xgboost_job import PYTHON, VARIABLE

if PYTHON is None:
    pytest.skip(f"{VARIABLE} names no interpreter that has xgboost", allow_module_level=True)

TRAIN = """
import pickle, sys
import numpy, xgboost
rows = numpy.random.RandomState(7).rand(50, 2)
booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(rows, label=rows[:, 0]), num_boost_round=5)
if sys.argv[1] == "pickled":
    pickle.dump(booster, open(sys.argv[2], "wb"))
else:
    booster.save_model(sys.argv[2] + ".json")
    import os
    os.rename(sys.argv[2] + ".json", sys.argv[2])
"""


@pytest.fixture(params=["pickled", "saved"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> ServedModel:
    served = ServedModel(tmp_path / "ml", "--form", "xgboost", python=str(PYTHON))
    (served.base / "model/factor.json").unlink()
    path = str(served.base / "model/xgboost-model")
    subprocess.run([str(PYTHON), "-c", TRAIN, request.param, path], check=True)
    return served


def test_predictions_are_csv_one_after_the_other(model: ServedModel) -> None:
    with model.served():
        of_csv = model.invoke("0.9,0.1\n0.1,0.9\n", "text/csv")
        of_libsvm = model.invoke("0:0.9 1:0.1\n0:0.1 1:0.9", "text/libsvm")
        as_json = model.invoke("0.9,0.1", "text/csv", Accept="application/json")
        told = json.loads(model.get("/execution-parameters").body)
    high, low = map(float, of_csv.body.split(b","))
    assert high > 0.6 > 0.4 > low
    assert of_libsvm.body == of_csv.body
    assert json.loads(as_json.body) == {"predictions": [{"score": high}]}
    assert told == {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}


def test_a_batch_has_a_line_for_each_record(model: ServedModel) -> None:
    model.environment = {"SAGEMAKER_BATCH": "true"}
    with model.served():
        lines = model.invoke("0.9,0.1\n0.1,0.9\n", "text/csv").body
    assert lines.count(b"\n") == 2 and lines.endswith(b"\n")


def test_what_it_cannot_read_is_415(model: ServedModel) -> None:
    asked = [("x,y", "text/csv"), ("1,2,3,4", "text/csv"), ("[1]", "application/json"), ("", "text/csv")]
    with model.served():
        statuses = [model.invoke(body, kind).status for body, kind in asked]
    assert statuses == [415, 415, 415, 204]
