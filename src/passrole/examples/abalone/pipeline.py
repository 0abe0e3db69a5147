"""Writes the pipeline with version 2 of the SageMaker SDK, as pipeline.json.

    passrole exec -- python pipeline.py arn:aws:iam::111122223333:role/abalone

It is AWS's tutorial, but for the model, which is a script of plain Python:
https://docs.aws.amazon.com/sagemaker/latest/dg/define-pipeline.html
"""

import json
import sys
from pathlib import Path

from sagemaker import image_uris
from sagemaker.inputs import TrainingInput, TransformInput
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.sklearn import SKLearn, SKLearnProcessor
from sagemaker.transformer import Transformer
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import CacheConfig, ProcessingStep, TrainingStep, TransformStep

CODE = Path(__file__).parent / "code"
BUCKET = "sagemaker-abalone"

session = PipelineSession(default_bucket=BUCKET)
role = sys.argv[1]
input_data = ParameterString("InputData", default_value=f"s3://{BUCKET}/data/abalone.csv")
approval = ParameterString("ModelApprovalStatus", default_value="PendingManualApproval")
mse_threshold = ParameterFloat("MseThreshold", default_value=6.0)
cache = CacheConfig(enable_caching=True, expire_after="P30d")
machine = {"role": role, "instance_type": "ml.m5.xlarge", "instance_count": 1, "sagemaker_session": session}

processor = SKLearnProcessor("1.2-1", **machine)
parts = ("train", "validation", "test", "batch")
process = ProcessingStep(
    "AbaloneProcess",
    step_args=processor.run(
        code=str(CODE / "preprocess.py"),
        inputs=[ProcessingInput(source=input_data, destination="/opt/ml/processing/input/data")],
        outputs=[ProcessingOutput(output_name=part, source=f"/opt/ml/processing/{part}") for part in parts],
    ),
    cache_config=cache,
)
prepared = process.properties.ProcessingOutputConfig.Outputs

estimator = SKLearn(
    entry_point="train.py",
    source_dir=str(CODE),
    framework_version="1.2-1",
    output_path=f"s3://{BUCKET}/AbaloneTrain",
    hyperparameters={"ridge": 0.5},
    metric_definitions=[{"Name": "validation:mse", "Regex": "validation-mse=(.*?);"}],
    **machine,
)
channels = {
    name: TrainingInput(s3_data=prepared[name].S3Output.S3Uri, content_type="text/csv")
    for name in ("train", "validation")
}
train = TrainingStep("AbaloneTrain", step_args=estimator.fit(channels), cache_config=cache)
artefact = train.properties.ModelArtifacts.S3ModelArtifacts

report = PropertyFile(name="EvaluationReport", output_name="evaluation", path="evaluation.json")
evaluate = ProcessingStep(
    "AbaloneEval",
    step_args=processor.run(
        code=str(CODE / "evaluate.py"),
        inputs=[
            ProcessingInput(source=artefact, destination="/opt/ml/processing/model"),
            ProcessingInput(source=prepared["test"].S3Output.S3Uri, destination="/opt/ml/processing/test"),
        ],
        outputs=[ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")],
    ),
    property_files=[report],
    cache_config=cache,
)
evaluation = evaluate.properties.ProcessingOutputConfig.Outputs["evaluation"].S3Output.S3Uri

model = Model(
    image_uri=image_uris.retrieve(
        "sklearn", session.boto_region_name, version="1.2-1", instance_type="ml.m5.large"
    ),
    model_data=artefact,
    env={"SAGEMAKER_PROGRAM": "inference.py"},
    sagemaker_session=session,
    role=role,
)
create = ModelStep("AbaloneCreateModel", step_args=model.create(instance_type="ml.m5.large"))

transformer = Transformer(
    model_name=create.properties.ModelName,
    instance_type="ml.m5.xlarge",
    instance_count=1,
    output_path=f"s3://{BUCKET}/AbaloneTransform",
    sagemaker_session=session,
)
transform = TransformStep(
    "AbaloneTransform",
    transformer=transformer,
    inputs=TransformInput(data=prepared["batch"].S3Output.S3Uri, content_type="text/csv", split_type="Line"),
)

register = ModelStep(
    "AbaloneRegisterModel",
    step_args=model.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.t2.medium", "ml.m5.xlarge"],
        transform_instances=["ml.m5.xlarge"],
        model_package_group_name="abalone",
        approval_status=approval,
        model_metrics=ModelMetrics(
            model_statistics=MetricsSource(
                s3_uri=Join(on="/", values=[evaluation, "evaluation.json"]), content_type="application/json"
            )
        ),
    ),
)

mse = JsonGet(step_name=evaluate.name, property_file=report, json_path="regression_metrics.mse.value")
check = ConditionStep(
    "AbaloneMSECond",
    conditions=[ConditionLessThanOrEqualTo(left=mse, right=mse_threshold)],
    if_steps=[register, create, transform],
    else_steps=[
        FailStep(
            "AbaloneMSEFail",
            error_message=Join(on=" ", values=["Execution failed due to MSE >", mse_threshold]),
        )
    ],
)
pipeline = Pipeline(
    "Abalone",
    parameters=[input_data, approval, mse_threshold],
    steps=[process, train, evaluate, check],
    sagemaker_session=session,
)
definition = json.dumps(json.loads(pipeline.definition()), indent=2)
Path("pipeline.json").write_text(f"{definition}\n")
