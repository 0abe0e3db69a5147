"""Predicts one label for each line."""

import json
import pathlib


def model_fn(model_dir):
    return json.loads((pathlib.Path(model_dir) / "slope.json").read_text())


def input_fn(body, content_type):
    assert content_type == "text/csv", content_type
    return [float(line) for line in body.split()]


def predict_fn(features, slope):
    return [slope * each for each in features]


def output_fn(predictions, accept):
    return "\n".join(f"{each:.3f}" for each in predictions) + "\n", "text/csv"
