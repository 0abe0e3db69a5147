"""Where version 3 of the SageMaker SDK has what the journeys of checks use."""

from typing import Any

from sagemaker.core import clarify, image_uris
from sagemaker.core.drift_check_baselines import DriftCheckBaselines
from sagemaker.core.helper.session_helper import Session, get_execution_role
from sagemaker.core.model_metrics import MetricsSource, ModelMetrics
from sagemaker.core.model_monitor import ConstraintViolations, DatasetFormat
from sagemaker.core.transformer import Transformer
from sagemaker.core.workflow.parameters import ParameterBoolean, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.workflow.check_job_config import CheckJobConfig
from sagemaker.mlops.workflow.clarify_check_step import (
    ClarifyCheckStep,
    DataBiasCheckConfig,
    ModelBiasCheckConfig,
    ModelExplainabilityCheckConfig,
)
from sagemaker.mlops.workflow.model_step import ModelStep
from sagemaker.mlops.workflow.monitor_batch_transform_step import MonitorBatchTransformStep
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.quality_check_step import (
    DataQualityCheckConfig,
    ModelQualityCheckConfig,
    QualityCheckStep,
)
from sagemaker.serve.model_builder import ModelBuilder

REGISTERS = ""
"""What a ModelStep that registers adds to its name."""


def model_of(image: str, artefact: Any, role: str, session: Session) -> ModelBuilder:
    """A model that can be registered."""
    return ModelBuilder(
        s3_model_data_url=artefact,
        image_uri=image,
        instance_type="ml.m5.large",
        role_arn=role,
        sagemaker_session=session,
    )


def creation(model: ModelBuilder) -> Any:
    """The `step_args` that create it."""
    return model.build()


def steps_of(collection: MonitorBatchTransformStep) -> Any:
    """What a pipeline takes for its `steps`; version 3.27 takes no collection itself."""
    return collection.steps
