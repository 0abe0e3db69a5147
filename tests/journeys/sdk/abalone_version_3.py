"""The abalone pipeline of AWS's examples, as version 3 of the SDK has it: processors and a ModelTrainer.

https://github.com/aws/sagemaker-python-sdk/tree/master/v3-examples/ml-ops-examples

The data are made up. A function stands where the example registers the model. Run as a user runs it; the test
looks at what is left.
"""

import os
import pathlib
import random

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import SageMakerJobExceptionTypeEnum, SageMakerJobStepRetryPolicy
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

CODE = pathlib.Path(__file__).parent / "abalone"


def abalones(count=400):
    """Rows as in the data set: sex, seven measures, rings."""
    drawn = random.Random(7)
    for _ in range(count):
        length = drawn.uniform(0.1, 0.8)
        measures = [length * factor * drawn.uniform(0.95, 1.05) for factor in (1, 0.8, 0.3, 2, 0.9, 0.4, 0.6)]
        rings = round(3 + 12 * length + drawn.gauss(0, 0.5))
        yield ",".join([drawn.choice("MFI"), *(f"{each:.3f}" for each in measures), str(rings)])


def read(name, uri, path):
    """An input of a processor."""
    return ProcessingInput(
        input_name=name,
        s3_input=ProcessingS3Input(
            s3_uri=uri,
            local_path=f"/opt/ml/processing/{path}",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
            s3_data_distribution_type="FullyReplicated",
        ),
    )


def written(name, uri):
    """An output of a processor."""
    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(
            s3_uri=uri, local_path=f"/opt/ml/processing/{name}", s3_upload_mode="EndOfJob"
        ),
    )


def get_pipeline(role, input_data_uri, pipeline_name):
    pipeline_session = PipelineSession()
    prefix = f"s3://{pipeline_session.default_bucket()}/Abalone"
    image_uri = image_uris.retrieve(
        framework="sklearn",
        region=pipeline_session.boto_region_name,
        version="1.2-1",
        py_version="py3",
        instance_type="ml.m5.xlarge",
    )
    processing_instance_count = ParameterInteger(name="ProcessingInstanceCount", default_value=1)
    input_data = ParameterString(name="InputData", default_value=input_data_uri)
    mse_threshold = ParameterFloat(name="MseThreshold", default_value=6.0)
    cache_config = CacheConfig(enable_caching=True, expire_after="P30d")
    retry_policies = [
        SageMakerJobStepRetryPolicy(
            failure_reason_types=[SageMakerJobExceptionTypeEnum.INTERNAL_ERROR], max_attempts=2
        )
    ]

    def script_processor(name):
        return ScriptProcessor(
            image_uri=image_uri,
            command=["python3"],
            instance_type="ml.m5.xlarge",
            instance_count=processing_instance_count,
            base_job_name=name,
            sagemaker_session=pipeline_session,
            role=role,
        )

    processor_args = script_processor("sklearn-abalone-process").run(
        outputs=[written(name, f"{prefix}/{name}") for name in ("train", "validation", "test")],
        code=str(CODE / "preprocess.py"),
        arguments=["--input-data", input_data],
    )
    step_process = ProcessingStep(
        name="AbaloneProcess",
        step_args=processor_args,
        cache_config=cache_config,
        retry_policies=retry_policies,
    )
    outputs = step_process.properties.ProcessingOutputConfig.Outputs

    model_trainer = ModelTrainer(
        training_image=image_uri,
        source_code=SourceCode(source_dir=str(CODE), entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.xlarge", instance_count=1),
        base_job_name="abalone-train",
        sagemaker_session=pipeline_session,
        role=role,
        hyperparameters={"ridge": 0.5},
        input_data_config=[
            InputData(channel_name=name, data_source=outputs[name].S3Output.S3Uri, content_type="text/csv")
            for name in ("train", "validation")
        ],
    )
    step_train = TrainingStep(
        name="AbaloneTrain",
        step_args=model_trainer.train(),
        cache_config=cache_config,
        retry_policies=retry_policies,
    )

    eval_args = script_processor("script-abalone-eval").run(
        inputs=[
            read("model", step_train.properties.ModelArtifacts.S3ModelArtifacts, "model"),
            read("test", outputs["test"].S3Output.S3Uri, "test"),
        ],
        outputs=[written("evaluation", f"{prefix}/evaluation")],
        code=str(CODE / "evaluate.py"),
    )
    evaluation_report = PropertyFile(
        name="EvaluationReport", output_name="evaluation", path="evaluation.json"
    )
    step_eval = ProcessingStep(
        name="AbaloneEval",
        step_args=eval_args,
        property_files=[evaluation_report],
        cache_config=cache_config,
    )
    mse = JsonGet(
        step_name=step_eval.name,
        property_file=evaluation_report,
        json_path="regression_metrics.mse.value",
    )
    step_report = LambdaStep(
        name="AbaloneReport",
        lambda_func=Lambda(
            function_name="sagemaker-abalone-report",
            execution_role_arn=os.environ["READING_ROLE"],
            script=str(CODE / "report.py"),
            handler="report.handler",
            timeout=60,
            session=pipeline_session,
        ),
        inputs={"model": step_train.properties.ModelArtifacts.S3ModelArtifacts, "mse": mse},
        outputs=[
            LambdaOutput(output_name="files", output_type=LambdaOutputTypeEnum.String),
            LambdaOutput(output_name="mse", output_type=LambdaOutputTypeEnum.Float),
        ],
    )
    step_fail = FailStep(
        name="AbaloneMSEFail",
        error_message=Join(on=" ", values=["Execution failed due to MSE >", mse_threshold]),
    )
    step_cond = ConditionStep(
        name="CheckMSEAbaloneEvaluation",
        conditions=[ConditionLessThanOrEqualTo(left=mse, right=mse_threshold)],
        if_steps=[step_report],
        else_steps=[step_fail],
    )
    return Pipeline(
        name=pipeline_name,
        parameters=[processing_instance_count, input_data, mse_threshold],
        steps=[step_process, step_train, step_eval, step_cond],
        sagemaker_session=pipeline_session,
    )


session = Session()
role = get_execution_role(session)
input_data_uri = session.upload_string_as_file_body(
    "\n".join(abalones()), session.default_bucket(), "abalone/abalone-dataset.csv"
)
JOBS = {"AbaloneProcess", "AbaloneTrain", "AbaloneEval"}


def ended(execution):
    """Its steps by name; the SDK's waiter raises WaiterError where the execution fails."""
    try:
        execution.wait(delay=1, max_attempts=120)
    except Exception as error:
        assert "Max attempts" not in str(error), error
    return {step["StepName"]: step for step in execution.list_steps()}


pipeline = get_pipeline(role, input_data_uri, "Abalone")
pipeline.upsert(role_arn=role)
first = pipeline.start()
steps = ended(first)
assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}, steps
assert set(steps) == JOBS | {"CheckMSEAbaloneEvaluation", "AbaloneReport"}, steps
assert steps["CheckMSEAbaloneEvaluation"]["Metadata"]["Condition"]["Outcome"] == "True"
told = {
    each["Name"]: each["Value"] for each in steps["AbaloneReport"]["Metadata"]["Lambda"]["OutputParameters"]
}
assert told["files"] == "weights.npy", told
assert 0 < float(told["mse"]) < 6, told

# made anew, the definition would name other places of the trainer's code, and nothing would be cached
again = ended(pipeline.start())
for name in JOBS:
    assert again[name]["CacheHitResult"] == {"SourcePipelineExecutionArn": first.arn}, again[name]
    assert again[name]["Metadata"] == steps[name]["Metadata"], again[name]
assert again["AbaloneReport"]["Metadata"] == steps["AbaloneReport"]["Metadata"]

failed = ended(pipeline.start(parameters={"MseThreshold": 0.001}))
assert failed["AbaloneMSEFail"]["FailureReason"] == "Execution failed due to MSE > 0.001", failed
assert "AbaloneReport" not in failed
