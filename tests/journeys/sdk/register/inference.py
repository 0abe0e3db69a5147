"""The handlers that are packed into the model's archive: how far numbers are from the mean."""

import json
import pathlib


def model_fn(model_dir):
    return json.loads((pathlib.Path(model_dir) / "mean.json").read_text())


def input_fn(body, content_type):
    assert content_type == "text/csv", content_type
    return [float(each) for each in body.split(",")]


def predict_fn(numbers, mean):
    return [each - mean for each in numbers]


def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
