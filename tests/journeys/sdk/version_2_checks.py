"""Where version 2 of the SageMaker SDK has what the journeys of checks use."""

from typing import Any

from sagemaker import clarify, get_execution_role, image_uris
from sagemaker.drift_check_baselines import DriftCheckBaselines
from sagemaker.model import Model
from sagemaker.model_metrics import MetricsSource, ModelMetrics
from sagemaker.model_monitor import ConstraintViolations, DatasetFormat
from sagemaker.session import Session
from sagemaker.transformer import Transformer
from sagemaker.workflow.check_job_config import CheckJobConfig
from sagemaker.workflow.clarify_check_step import (
    ClarifyCheckStep,
    DataBiasCheckConfig,
    ModelBiasCheckConfig,
    ModelExplainabilityCheckConfig,
)
from sagemaker.workflow.model_step import ModelStep
from sagemaker.workflow.monitor_batch_transform_step import MonitorBatchTransformStep
from sagemaker.workflow.parameters import ParameterBoolean, ParameterString
from sagemaker.workflow.pipeline import Pipeline
from sagemaker.workflow.pipeline_context import PipelineSession
from sagemaker.workflow.quality_check_step import (
    DataQualityCheckConfig,
    ModelQualityCheckConfig,
    QualityCheckStep,
)

REGISTERS = "-RegisterModel"
"""What a ModelStep that registers adds to its name."""


def model_of(image: str, artefact: Any, role: str, session: Session) -> Model:
    """A model that can be registered."""
    return Model(image_uri=image, model_data=artefact, role=role, sagemaker_session=session)


def creation(model: Model) -> Any:
    """The `step_args` that create it."""
    return model.create(instance_type="ml.m5.large")


def steps_of(collection: MonitorBatchTransformStep) -> Any:
    """What a pipeline takes for its `steps`."""
    return [collection]
