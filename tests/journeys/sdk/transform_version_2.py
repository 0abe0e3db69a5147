"""Batch transform in version 2 of the SDK: a Transformer alone, and a TransformStep after a ModelStep.

Run as a user runs it; the test looks at what is left.
"""

import io
import tarfile
import tempfile
from pathlib import Path

import sagemaker
from sagemaker.inputs import TransformInput
from sagemaker.sklearn.model import SKLearnModel
from sagemaker.transformer import Transformer
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.steps import CacheConfig, TransformStep

HANDLERS = """
import json

def model_fn(model_dir):
    with open(model_dir + "/factor.json") as file:
        return json.load(file)

def predict_fn(data, model):
    return data * model
"""

session = sagemaker.Session()
bucket = session.default_bucket()
role = sagemaker.get_execution_role(session)

code = Path(tempfile.mkdtemp()) / "inference.py"
code.write_text(HANDLERS)
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w:gz") as archive:
    member = tarfile.TarInfo("factor.json")
    member.size = 1
    archive.addfile(member, io.BytesIO(b"2"))
session.boto_session.client("s3").put_object(
    Bucket=bucket, Key="transform/model.tar.gz", Body=packed.getvalue()
)
data = session.upload_string_as_file_body("id1,1,2\nid2,3,4\n", bucket, "transform/in/rows.csv")


def model(made_in: sagemaker.Session) -> SKLearnModel:
    """A model of the artefact, with the handlers beside it."""
    return SKLearnModel(
        model_data=f"s3://{bucket}/transform/model.tar.gz",
        role=role,
        entry_point=str(code),
        framework_version="1.2-1",
        sagemaker_session=made_in,
    )


filters = {
    "content_type": "text/csv",
    "split_type": "Line",
    "input_filter": "$[1:]",
    "join_source": "Input",
    "output_filter": "$[0,-1]",
}
alone = model(session).transformer(
    1, "ml.m5.large", output_path=f"s3://{bucket}/transform/alone", assemble_with="Line", accept="text/csv"
)
alone.transform(f"s3://{bucket}/transform/in", wait=True, logs=True, **filters)

in_pipeline = PipelineSession()
created = ModelStep("Make", step_args=model(in_pipeline).create(instance_type="ml.m5.large"))
place = ParameterString("Data", default_value=f"s3://{bucket}/transform/in")
transformer = Transformer(
    model_name=created.properties.ModelName,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{bucket}/transform/steps",
    assemble_with="Line",
    accept="text/csv",
    sagemaker_session=in_pipeline,
)
step = TransformStep(
    "Predict",
    transformer=transformer,
    inputs=TransformInput(data=place, **filters),
    cache_config=CacheConfig(enable_caching=True, expire_after="P1D"),
)
pipeline = Pipeline("SdkTransform", parameters=[place], steps=[created, step], sagemaker_session=in_pipeline)
pipeline.upsert(role)
pipeline.start().wait(delay=1, max_attempts=120)
