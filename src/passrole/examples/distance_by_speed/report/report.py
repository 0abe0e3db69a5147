"""Lambda function: summarises the result that Spark wrote to S3."""

import csv
from typing import Any

import boto3


def handler(event: dict[str, str], _context: object) -> dict[str, Any]:
    """The number of speeds, and the speed with the longest stopping distance."""
    s3 = boto3.client("s3")
    listed = s3.list_objects_v2(Bucket=event["bucket"], Prefix=f"{event['folder']}/csv/part-")["Contents"]
    text = "".join(
        s3.get_object(Bucket=event["bucket"], Key=each["Key"])["Body"].read().decode() for each in listed
    )
    rows = list(csv.DictReader(text.splitlines()))
    worst = max(rows, key=lambda row: float(row["mean_ft"]))
    return {
        "speeds": len(rows),
        "slowest_to_stop": f"{worst['speed_mph']} mph: {worst['mean_ft']} ft on average",
    }
