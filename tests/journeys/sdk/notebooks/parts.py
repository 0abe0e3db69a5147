"""The first cells of notebooks: session, role, data, a processor, an estimator, a model; and their last."""

import pathlib
import shutil
import tempfile

import sagemaker
from sagemaker.model import FrameworkModel
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.sklearn import SKLearn, SKLearnModel, SKLearnProcessor
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.properties import PropertyFile
from sagemaker.workflow.steps import ProcessingStep

CODE = pathlib.Path(tempfile.mkdtemp()) / "code"
shutil.copytree(pathlib.Path(__file__).parent / "code", CODE)  # the SDK puts a file of its own there

session = PipelineSession()
own_session = sagemaker.Session()
role = sagemaker.get_execution_role(own_session)
bucket = session.default_bucket()
machine = {"role": role, "instance_type": "ml.m5.large", "sagemaker_session": session}


def raw_data(name: str) -> str:
    """The folder of some rows whose label is twice the feature; one has no label."""
    rows = "".join(f"{2 * each},{each}\n" for each in range(1, 41)) + ",7\n"
    return own_session.upload_string_as_file_body(rows, bucket, f"{name}/raw/rows.csv").rpartition("/")[0]


def preprocessing(data, **members) -> ProcessingStep:
    """Splits the data into train and test."""
    arguments = members.pop("arguments", None)
    processor = SKLearnProcessor(framework_version="1.2-1", instance_count=1, **machine)
    return ProcessingStep(
        name="Preprocess",
        step_args=processor.run(
            code=str(CODE / "preprocess.py"),
            arguments=arguments,
            inputs=[ProcessingInput(source=data, destination="/opt/ml/processing/input")],
            outputs=[
                ProcessingOutput(output_name=each, source=f"/opt/ml/processing/{each}")
                for each in ("train", "test")
            ],
        ),
        **members,
    )


def output(step: ProcessingStep, name: str):
    """Where an output of a step is."""
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def estimator(**hyperparameters) -> SKLearn:
    """What trains."""
    return SKLearn(
        entry_point="train.py",
        source_dir=str(CODE),
        framework_version="1.2-1",
        metric_definitions=[{"Name": "rmse", "Regex": "rmse=([0-9.]+);"}],
        hyperparameters=hyperparameters,
        **machine,
    )


def evaluation(model, test) -> tuple[ProcessingStep, PropertyFile]:
    """The step that measures a model, and its report."""
    report = PropertyFile(name="Report", output_name="evaluation", path="evaluation.json")
    processor = SKLearnProcessor(framework_version="1.2-1", instance_count=1, **machine)
    step = ProcessingStep(
        name="Evaluate",
        step_args=processor.run(
            code=str(CODE / "evaluate.py"),
            inputs=[
                ProcessingInput(source=model, destination="/opt/ml/processing/model"),
                ProcessingInput(source=test, destination="/opt/ml/processing/test"),
            ],
            outputs=[ProcessingOutput(output_name="evaluation", source="/opt/ml/processing/evaluation")],
        ),
        property_files=[report],
    )
    return step, report


def served(artefact, **members) -> FrameworkModel:
    """A model with its handlers."""
    given = {"framework_version": "1.2-1", "role": role, "sagemaker_session": session, **members}
    return SKLearnModel(model_data=artefact, entry_point="inference.py", source_dir=str(CODE), **given)


def succeeded(pipeline: Pipeline, parameters=None, **start) -> dict:
    """The steps of an execution by name, once all of them have succeeded."""
    pipeline.upsert(role_arn=role)
    execution = pipeline.start(parameters=parameters, **start)
    try:
        execution.wait(delay=1, max_attempts=200)
    except Exception as error:
        raise AssertionError(execution.list_steps()) from error
    return {step["StepName"]: step for step in execution.list_steps()}


def failed(pipeline: Pipeline, parameters) -> dict:
    """The steps of an execution that fails."""
    execution = pipeline.start(parameters=parameters)
    try:
        execution.wait(delay=1, max_attempts=200)
    except Exception as error:
        assert "Failed" in str(error), error
    assert execution.describe()["PipelineExecutionStatus"] == "Failed"
    return {step["StepName"]: step for step in execution.list_steps()}
