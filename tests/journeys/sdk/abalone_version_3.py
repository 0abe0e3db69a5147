"""The abalone pipeline of AWS's examples, as version 3 of the SDK has it: processors and a ModelTrainer.

https://github.com/aws/sagemaker-python-sdk/tree/master/v3-examples/ml-ops-examples

The data are made up, the model is a script of numpy. A rule on the approval of the model starts a function
that deploys it. Run as a user runs it; the test approves, and asks the endpoint.
"""

import os
import pathlib
import random

from approvals import start_when_approved
from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.shapes import (
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.condition_step import ConditionStep
from sagemaker.mlops.workflow.fail_step import FailStep
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.retry import SageMakerJobExceptionTypeEnum, SageMakerJobStepRetryPolicy
from sagemaker.mlops.workflow.steps import CacheConfig, ProcessingStep, TrainingStep, TransformStep
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

CODE = pathlib.Path(__file__).parent / "abalone"
DEPLOY = CODE.with_name("register") / "deploy.py"
NAME = "Abalone"


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


def get_pipeline(role, input_data_uri, batch_data_uri, pipeline_name, model_package_group_name):
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
    model_approval_status = ParameterString(name="ModelApprovalStatus", default_value="PendingManualApproval")
    input_data = ParameterString(name="InputData", default_value=input_data_uri)
    batch_data = ParameterString(name="BatchData", default_value=batch_data_uri)
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
        hyperparameters={"ridge": 0.5, "inference": "inference.py"},
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
    model_builder = ModelBuilder(
        s3_model_data_url=step_train.properties.ModelArtifacts.S3ModelArtifacts,
        image_uri=image_uri,
        env_vars={"SAGEMAKER_PROGRAM": "inference.py"},
        sagemaker_session=pipeline_session,
        role_arn=role,
    )
    step_create_model = ModelStep(name="AbaloneCreateModel", step_args=model_builder.build())
    transformer = Transformer(
        model_name=step_create_model.properties.ModelName,
        instance_type="ml.m5.xlarge",
        instance_count=1,
        output_path=f"s3://{pipeline_session.default_bucket()}/AbaloneTransform",
        sagemaker_session=pipeline_session,
    )
    step_transform = TransformStep(
        name="AbaloneTransform",
        step_args=transformer.transform(data=batch_data, content_type="text/csv", split_type="Line"),
    )
    step_register = ModelStep(
        name="AbaloneRegisterModel",
        step_args=model_builder.register(
            content_types=["text/csv"],
            response_types=["text/csv"],
            inference_instances=["ml.t2.medium", "ml.m5.xlarge"],
            transform_instances=["ml.m5.xlarge"],
            model_package_group_name=model_package_group_name,
            approval_status=model_approval_status,
            model_metrics=ModelMetrics(
                model_statistics=MetricsSource(
                    s3_uri=f"{prefix}/evaluation/evaluation.json", content_type="application/json"
                )
            ),
        ),
    )
    mse = JsonGet(
        step_name=step_eval.name,
        property_file=evaluation_report,
        json_path="regression_metrics.mse.value",
    )
    step_fail = FailStep(
        name="AbaloneMSEFail",
        error_message=Join(on=" ", values=["Execution failed due to MSE >", mse_threshold]),
    )
    step_cond = ConditionStep(
        name="AbaloneMSECond",
        conditions=[ConditionLessThanOrEqualTo(left=mse, right=mse_threshold)],
        if_steps=[step_register, step_create_model, step_transform],
        else_steps=[step_fail],
    )
    return Pipeline(
        name=pipeline_name,
        parameters=[
            processing_instance_count,
            model_approval_status,
            input_data,
            batch_data,
            mse_threshold,
        ],
        steps=[step_process, step_train, step_eval, step_cond],
        sagemaker_session=pipeline_session,
    )


session = Session()
role = get_execution_role(session)
bucket = session.default_bucket()
input_data_uri = session.upload_string_as_file_body(
    "\n".join(abalones()), bucket, "abalone/abalone-dataset.csv"
)
batch_data_uri = session.upload_string_as_file_body(
    "0,0,0,0,0,0,0,1,0,0\n1,1,1,1,1,1,1,1,0,0\n", bucket, "abalone/batch/abalone-dataset-batch.csv"
)
JOBS = {"AbaloneProcess", "AbaloneTrain", "AbaloneEval"}
MODELS = {"AbaloneRegisterModel", "AbaloneCreateModel", "AbaloneTransform"}


def ended(execution):
    """Its steps by name; the SDK's waiter raises WaiterError where the execution fails."""
    try:
        execution.wait(delay=1, max_attempts=120)
    except Exception as error:
        assert "Max attempts" not in str(error), error
    return {step["StepName"]: step for step in execution.list_steps()}


deploy = Lambda(
    function_name="sagemaker-abalone-deploy",
    execution_role_arn=os.environ["DEPLOYING_ROLE"],
    script=str(DEPLOY),
    handler="deploy.handler",
    timeout=60,
    environment={"Variables": {"MODEL_ROLE": role}},
    session=session,
)
start_when_approved(deploy.upsert()["FunctionArn"], NAME)

pipeline = get_pipeline(role, input_data_uri, batch_data_uri, NAME, NAME)
pipeline.upsert(role_arn=role)
first = pipeline.start()
steps = ended(first)
assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}, steps
assert set(steps) == JOBS | MODELS | {"AbaloneMSECond"}, steps
assert steps["AbaloneMSECond"]["Metadata"]["Condition"]["Outcome"] == "True"

# made anew, the definition would name other places of the trainer's code, and nothing would be cached
again = ended(pipeline.start())
for name in JOBS:
    assert again[name]["CacheHitResult"] == {"SourcePipelineExecutionArn": first.arn}, again[name]
    assert again[name]["Metadata"] == steps[name]["Metadata"], again[name]
packages = [each["AbaloneRegisterModel"]["Metadata"] for each in (steps, again)]
assert [each["RegisterModel"]["Arn"].rpartition("/")[2] for each in packages] == ["1", "2"], packages

failed = ended(pipeline.start(parameters={"MseThreshold": 0.001}))
assert failed["AbaloneMSEFail"]["FailureReason"] == "Execution failed due to MSE > 0.001", failed
assert not MODELS & set(failed)
