"""Tuning steps: jobs of SageMaker whose names are short and have no prefix.

CreateHyperParameterTuningJob takes no ExperimentConfig.
"""

from passrole.engine.kinds.sagemaker_job import NameForm, job_type

TUNING = job_type(
    "HyperParameterTuningJob",
    "TuningJob",
    NameForm(begins="", step_characters_max=7, characters_max=32),
    has_experiment=False,
)
