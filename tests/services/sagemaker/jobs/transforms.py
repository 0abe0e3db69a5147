"""Transform jobs over a model whose inference.py is a few lines, on a workshop's bucket."""

import io
import tarfile
from collections.abc import Mapping
from typing import Any

from tests.conftest import new_name
from tests.eventually import eventually
from tests.services.sagemaker.jobs.workshop import IMAGE, OVER, Described, Workshop

ECHO = """
def model_fn(model_dir):
    return open(model_dir + "/word").read()

def transform_fn(model, data, content_type, accept):
    lines = data.splitlines() if isinstance(data, str) else [repr(data)]
    print("asked for", len(lines))
    return "\\n".join(model + line for line in lines) + "\\n", accept
"""
"""Answers each line with `>` before it."""


def archive(files: Mapping[str, str]) -> bytes:
    """model.tar.gz of these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


class Transforms:
    """Creates models and transform jobs."""

    def __init__(self, shop: Workshop) -> None:
        self.shop, self.sagemaker = shop, shop.sagemaker

    def model(self, code: str = ECHO, role: str | None = None, **request: Any) -> str:
        """A model of this inference.py; its name."""
        name = new_name("model")
        files = {"word": ">", "code/inference.py": code}
        self.shop.s3.put_object(Bucket=self.shop.bucket, Key=f"models/{name}.tar.gz", Body=archive(files))
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{self.shop.bucket}/models/{name}.tar.gz"}
        given = {"PrimaryContainer": container, "ExecutionRoleArn": role or self.shop.role, **request}
        self.sagemaker.create_model(ModelName=name, **given)
        return name

    def request(self, model: str, prefix: str, **changes: Any) -> dict[str, Any]:
        """CreateTransformJob's parameters for the objects under a prefix; `input_`, `output` add members."""
        name, bucket = new_name("job"), self.shop.bucket
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{prefix}"}
        source_ = {"DataSource": {"S3DataSource": source}, "ContentType": "text/csv"}
        return {
            "TransformJobName": name,
            "ModelName": model,
            "TransformInput": {**source_, **changes.pop("input_", {})},
            "TransformOutput": {"S3OutputPath": f"s3://{bucket}/out/{name}", **changes.pop("output", {})},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **changes,
        }

    def run(self, model: str, prefix: str, **changes: Any) -> tuple[Described, dict[str, bytes]]:
        """Run a job to its end: its description, and its outputs by the end of their keys."""
        request = self.request(model, prefix, **changes)
        self.sagemaker.create_transform_job(**request)
        name = request["TransformJobName"]
        return self.ended(name), self.outputs(name)

    def outputs(self, name: str) -> dict[str, bytes]:
        """What a job has left in S3."""
        keys = self.shop.keys(f"out/{name}/")
        return {key.removeprefix(f"out/{name}/"): self.shop.read(key) for key in keys}

    def ended(self, name: str) -> Described:
        """The description of a job at its end."""
        found: Described = {}

        def is_over() -> bool:
            found.update(self.sagemaker.describe_transform_job(TransformJobName=name))
            return found["TransformJobStatus"] in OVER

        eventually(is_over, seen=lambda: found)
        return found
