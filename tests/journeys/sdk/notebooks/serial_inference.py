"""An inference pipeline: two containers in a row, made, used for a batch, and registered as one model."""

import pathlib
import tempfile

import parts
from sagemaker.inputs import TrainingInput
from sagemaker.pipeline import PipelineModel
from sagemaker.transformer import Transformer
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.steps import TrainingStep, TransformStep

DOUBLES = """
def model_fn(model_dir):
    return 2.0

def input_fn(body, content_type):
    return [float(line) for line in body.split()]

def predict_fn(features, factor):
    return [factor * each for each in features]

def output_fn(predictions, accept):
    return "\\n".join(str(each) for each in predictions), "text/csv"
"""

preprocess = parts.preprocessing(parts.raw_data("serial"))
train = TrainingStep(
    name="Train",
    step_args=parts.estimator().fit({"train": TrainingInput(parts.output(preprocess, "train"))}),
)
artefact = train.properties.ModelArtifacts.S3ModelArtifacts
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "inference.py").write_text(DOUBLES)
first, second = parts.served(artefact, name="first"), parts.served(artefact, name="second")
first.source_dir = str(folder)
both = PipelineModel(models=[first, second], role=parts.role, sagemaker_session=parts.session)
create = ModelStep(name="Both", step_args=both.create(instance_type="ml.m5.large"))
register = ModelStep(
    name="Register",
    step_args=both.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.m5.large"],
        transform_instances=["ml.m5.large"],
        model_package_group_name="Serial",
    ),
)
batch = parts.own_session.upload_string_as_file_body("1\n10\n", parts.bucket, "serial/batch/rows.csv")
transformer = Transformer(
    model_name=create.properties.ModelName,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{parts.bucket}/serial/predicted",
    accept="text/csv",
    assemble_with="Line",
    sagemaker_session=parts.session,
)
predict = TransformStep(
    name="Predict",
    step_args=transformer.transform(batch.rpartition("/")[0], content_type="text/csv", split_type="Line"),
)
pipeline = Pipeline(
    name="Serial", steps=[preprocess, train, create, register, predict], sagemaker_session=parts.session
)
ran = parts.succeeded(pipeline)
predicted = parts.own_session.read_s3_file(parts.bucket, "serial/predicted/rows.csv.out").split()
assert predicted == ["4.000", "40.000"], predicted
package = ran["Register-RegisterModel"]["Metadata"]["RegisterModel"]["Arn"]
described = parts.own_session.sagemaker_client.describe_model_package(ModelPackageName=package)
assert len(described["InferenceSpecification"]["Containers"]) == 2, described
