"""Batch transform in version 3 of the SDK: a Transformer alone, and a TransformStep after a ModelStep.

Run as a user runs it; the test looks at what is left.
"""

import io
import tarfile
import tempfile
from pathlib import Path

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.training.configs import SourceCode
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import CacheConfig, TransformStep
from sagemaker.serve.model_builder import ModelBuilder

HANDLERS = """
import json

def model_fn(model_dir):
    with open(model_dir + "/factor.json") as file:
        return json.load(file)

def predict_fn(data, model):
    return data * model
"""

session = Session()
bucket = session.default_bucket()
role = get_execution_role(session)
image = image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1", instance_type="ml.m5.large")

code = Path(tempfile.mkdtemp())
(code / "inference.py").write_text(HANDLERS)
packed = io.BytesIO()
with tarfile.open(fileobj=packed, mode="w:gz") as archive:
    member = tarfile.TarInfo("factor.json")
    member.size = 1
    archive.addfile(member, io.BytesIO(b"2"))
session.boto_session.client("s3").put_object(
    Bucket=bucket, Key="transform/model.tar.gz", Body=packed.getvalue()
)
data = session.upload_string_as_file_body("id1,1,2\nid2,3,4\n", bucket, "transform/in/rows.csv")


def builder(made_in: Session) -> ModelBuilder:
    """A model of the artefact, with the handlers beside it."""
    return ModelBuilder(
        s3_model_data_url=f"s3://{bucket}/transform/model.tar.gz",
        image_uri=image,
        source_code=SourceCode(source_dir=str(code), entry_script="inference.py"),
        instance_type="ml.m5.large",
        role_arn=role,
        sagemaker_session=made_in,
    )


filters = {
    "content_type": "text/csv",
    "split_type": "Line",
    "input_filter": "$[1:]",
    "join_source": "Input",
    "output_filter": "$[0,-1]",
}
places = {"assemble_with": "Line", "accept": "text/csv"}
model = builder(session)
model.build()
alone = model.transformer(1, "ml.m5.large", output_path=f"s3://{bucket}/transform/alone", **places)
alone.transform(f"s3://{bucket}/transform/in", wait=True, logs=True, **filters)

in_pipeline = PipelineSession()
created = ModelStep("Make", step_args=builder(in_pipeline).build())
place = ParameterString("Data", default_value=f"s3://{bucket}/transform/in")
transformer = Transformer(
    model_name=created.properties.ModelName,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{bucket}/transform/steps",
    sagemaker_session=in_pipeline,
    **places,
)
step = TransformStep(
    "Predict",
    step_args=transformer.transform(data=place, **filters),
    cache_config=CacheConfig(enable_caching=True, expire_after="P1D"),
)
pipeline = Pipeline("SdkTransform", parameters=[place], steps=[created, step], sagemaker_session=in_pipeline)
pipeline.upsert(role)
pipeline.start().wait(delay=1, max_attempts=120)
