"""Lambda function: what the model says of one speed."""

import io
import json
import tarfile
from typing import Any

import boto3


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Read the model from S3, and use it."""
    bucket, _, key = event["model"].removeprefix("s3://").partition("/")
    archive = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        file = tar.extractfile("model.json")
        model = json.load(file) if file else {}
    distance = model["factor"] * event["speed_mph"] ** model["power"]
    return {"distance_ft": round(distance, 1), "mse": event["mse"]}
