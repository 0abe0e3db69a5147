"""The abalone pipeline of AWS's tutorial, as version 2 of the SDK has it: `step_args` of a PipelineSession.

https://docs.aws.amazon.com/sagemaker/latest/dg/define-pipeline.html

The data are made up. With `WITH_XGBOOST=1` the model is the tutorial's, else a script of numpy. A rule on the
approval of the model starts a function that deploys it. Run as a user runs it; the test approves, and asks
the endpoint.
"""

import os
import pathlib
import random

import sagemaker
from approvals import start_when_approved
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.lambda_helper import Lambda
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.processing import ProcessingInput, ProcessingOutput, ScriptProcessor
from sagemaker.sklearn.estimator import SKLearn
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker.transformer import Transformer
from sagemaker.workflow.condition_step import ConditionStep
from sagemaker.workflow.conditions import ConditionLessThanOrEqualTo
from sagemaker.workflow.fail_step import FailStep
from sagemaker.workflow.functions import Join, JsonGet
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.parameters import ParameterFloat, ParameterInteger, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import CacheConfig, ProcessingStep, TrainingStep, TransformStep

CODE = pathlib.Path(__file__).parent / "abalone"
DEPLOY = CODE.with_name("register") / "deploy.py"
XGBOOST = bool(os.environ.get("WITH_XGBOOST"))


def abalones(count=400):
    """Rows as in the data set: sex, seven measures, rings."""
    drawn = random.Random(7)
    for _ in range(count):
        length = drawn.uniform(0.1, 0.8)
        measures = [length * factor * drawn.uniform(0.95, 1.05) for factor in (1, 0.8, 0.3, 2, 0.9, 0.4, 0.6)]
        rings = round(3 + 12 * length + drawn.gauss(0, 0.5))
        yield ",".join([drawn.choice("MFI"), *(f"{each:.3f}" for each in measures), str(rings)])


def get_pipeline(role, input_data_uri, batch_data_uri, pipeline_name, model_package_group_name):
    pipeline_session = PipelineSession()
    default_bucket = pipeline_session.default_bucket()
    region = pipeline_session.boto_region_name

    processing_instance_count = ParameterInteger(name="ProcessingInstanceCount", default_value=1)
    instance_type = ParameterString(name="TrainingInstanceType", default_value="ml.m5.xlarge")
    model_approval_status = ParameterString(name="ModelApprovalStatus", default_value="PendingManualApproval")
    input_data = ParameterString(name="InputData", default_value=input_data_uri)
    batch_data = ParameterString(name="BatchData", default_value=batch_data_uri)
    mse_threshold = ParameterFloat(name="MseThreshold", default_value=6.0)
    cache_config = CacheConfig(enable_caching=True, expire_after="P30d")

    sklearn_processor = SKLearnProcessor(
        framework_version="1.2-1",
        instance_type="ml.m5.xlarge",
        instance_count=processing_instance_count,
        base_job_name="sklearn-abalone-process",
        sagemaker_session=pipeline_session,
        role=role,
    )
    processor_args = sklearn_processor.run(
        outputs=[
            ProcessingOutput(output_name="train", source="/opt/ml/processing/train"),
            ProcessingOutput(output_name="validation", source="/opt/ml/processing/validation"),
            ProcessingOutput(output_name="test", source="/opt/ml/processing/test"),
        ],
        code=str(CODE / "preprocess.py"),
        arguments=["--input-data", input_data],
    )
    step_process = ProcessingStep(name="AbaloneProcess", step_args=processor_args, cache_config=cache_config)

    image_uri = sagemaker.image_uris.retrieve(
        framework="xgboost", region=region, version="1.0-1", py_version="py3", instance_type="ml.m5.xlarge"
    )
    if XGBOOST:
        estimator = Estimator(
            image_uri=image_uri,
            instance_type=instance_type,
            instance_count=1,
            output_path=f"s3://{default_bucket}/AbaloneTrain",
            sagemaker_session=pipeline_session,
            role=role,
        )
        estimator.set_hyperparameters(
            objective="reg:linear",
            num_round=50,
            max_depth=5,
            eta=0.2,
            gamma=4,
            min_child_weight=6,
            subsample=0.7,
            silent=0,
        )
    else:
        estimator = SKLearn(
            entry_point="train.py",
            source_dir=str(CODE),
            framework_version="1.2-1",
            instance_type=instance_type,
            instance_count=1,
            output_path=f"s3://{default_bucket}/AbaloneTrain",
            hyperparameters={"ridge": 0.5, "inference": "inference.py"},
            metric_definitions=[{"Name": "validation:mse", "Regex": "validation-mse=(.*?);"}],
            sagemaker_session=pipeline_session,
            role=role,
        )
    outputs = step_process.properties.ProcessingOutputConfig.Outputs
    train_args = estimator.fit(
        inputs={
            "train": TrainingInput(s3_data=outputs["train"].S3Output.S3Uri, content_type="text/csv"),
            "validation": TrainingInput(
                s3_data=outputs["validation"].S3Output.S3Uri, content_type="text/csv"
            ),
        }
    )
    step_train = TrainingStep(name="AbaloneTrain", step_args=train_args, cache_config=cache_config)

    script_eval = ScriptProcessor(
        image_uri=image_uri,
        command=["python3"],
        instance_type="ml.m5.xlarge",
        instance_count=1,
        base_job_name="script-abalone-eval",
        sagemaker_session=pipeline_session,
        role=role,
    )
    eval_args = script_eval.run(
        inputs=[
            ProcessingInput(
                source=step_train.properties.ModelArtifacts.S3ModelArtifacts,
                destination="/opt/ml/processing/model",
            ),
            ProcessingInput(source=outputs["test"].S3Output.S3Uri, destination="/opt/ml/processing/test"),
        ],
        outputs=[ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")],
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
    model = Model(
        image_uri=image_uri if XGBOOST else estimator.training_image_uri(),
        model_data=step_train.properties.ModelArtifacts.S3ModelArtifacts,
        env=None if XGBOOST else {"SAGEMAKER_PROGRAM": "inference.py"},
        sagemaker_session=pipeline_session,
        role=role,
    )
    step_create_model = ModelStep(
        name="AbaloneCreateModel",
        step_args=model.create(instance_type="ml.m5.large", accelerator_type="ml.eia1.medium"),
    )
    transformer = Transformer(
        model_name=step_create_model.properties.ModelName,
        instance_type="ml.m5.xlarge",
        instance_count=1,
        output_path=f"s3://{default_bucket}/AbaloneTransform",
        sagemaker_session=pipeline_session,
    )
    step_transform = TransformStep(
        name="AbaloneTransform",
        step_args=transformer.transform(data=batch_data, content_type="text/csv", split_type="Line"),
    )
    evaluation_uri = step_eval.arguments["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    model_metrics = ModelMetrics(
        model_statistics=MetricsSource(
            s3_uri=f"{evaluation_uri}/evaluation.json", content_type="application/json"
        )
    )
    register_args = model.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=["ml.t2.medium", "ml.m5.xlarge"],
        transform_instances=["ml.m5.xlarge"],
        model_package_group_name=model_package_group_name,
        approval_status=model_approval_status,
        model_metrics=model_metrics,
    )
    step_register = ModelStep(name="AbaloneRegisterModel", step_args=register_args)
    step_fail = FailStep(
        name="AbaloneMSEFail",
        error_message=Join(on=" ", values=["Execution failed due to MSE >", mse_threshold]),
    )
    cond_lte = ConditionLessThanOrEqualTo(
        left=JsonGet(
            step_name=step_eval.name,
            property_file=evaluation_report,
            json_path="regression_metrics.mse.value",
        ),
        right=mse_threshold,
    )
    step_cond = ConditionStep(
        name="AbaloneMSECond",
        conditions=[cond_lte],
        if_steps=[step_register, step_create_model, step_transform],
        else_steps=[step_fail],
    )
    return Pipeline(
        name=pipeline_name,
        parameters=[
            processing_instance_count,
            instance_type,
            model_approval_status,
            input_data,
            batch_data,
            mse_threshold,
        ],
        steps=[step_process, step_train, step_eval, step_cond],
        sagemaker_session=pipeline_session,
    )


session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
bucket = session.default_bucket()
input_data_uri = session.upload_string_as_file_body(
    "\n".join(abalones()), bucket, "abalone/abalone-dataset.csv"
)
batch_data_uri = session.upload_string_as_file_body(
    "0,0,0,0,0,0,0,1,0,0\n1,1,1,1,1,1,1,1,0,0\n", bucket, "abalone/batch/abalone-dataset-batch.csv"
)
NAME = "AbaloneXgboost" if XGBOOST else "Abalone"
JOBS = {"AbaloneProcess", "AbaloneTrain", "AbaloneEval"}
MODELS = {"AbaloneRegisterModel-RegisterModel", "AbaloneCreateModel-CreateModel", "AbaloneTransform"}


def upserted():
    """The pipeline, made anew from its code."""
    made = get_pipeline(role, input_data_uri, batch_data_uri, NAME, NAME)
    made.upsert(role_arn=role)
    return made


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
first = upserted().start()
steps = ended(first)
assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}, steps
assert set(steps) == JOBS | MODELS | {"AbaloneMSECond"}, steps
assert steps["AbaloneMSECond"]["Metadata"]["Condition"]["Outcome"] == "True"

pipeline = upserted()
again = ended(pipeline.start(parameters={"TrainingInstanceType": "ml.m5.large"}))
for name in JOBS:
    assert again[name]["CacheHitResult"] == {"SourcePipelineExecutionArn": first.arn}, again[name]
    assert again[name]["Metadata"] == steps[name]["Metadata"], again[name]
packages = [each["AbaloneRegisterModel-RegisterModel"]["Metadata"] for each in (steps, again)]
assert [each["RegisterModel"]["Arn"].rpartition("/")[2] for each in packages] == ["1", "2"], packages

failed = ended(pipeline.start(parameters={"MseThreshold": 0.001}))
assert failed["AbaloneMSEFail"]["FailureReason"] == "Execution failed due to MSE > 0.001", failed
assert not MODELS & set(failed)
