"""Runs the jobs that SageMaker's operations create: processing, training and transform, tuning by many.

    runner    takes the tasks               run        one job, phase by phase
    inputs    S3 -> the job's folder          outputs   the job's folder -> S3
    s3        objects, as the job's own role   programs  what runs, in which world
    log_stream what it printed -> CloudWatch Logs
    measurements  what it printed -> its metrics
    synchronised  checkpoints, while it runs
    tuner     training jobs of tuning jobs
    contracts  what differs from kind to kind, a row each
    workload   what an instance runs           instance_run  its program in this process
    serving    a model's server, for batches and endpoints
    batch      the objects of a transform job   records, joining  what goes to its model, and what is kept

The rows are the services' (`services/sagemaker/jobs`), processes and sandboxes the runtimes'.
"""

from passrole.worker.jobs.run import Means
from passrole.worker.jobs.runner import JobRunner

__all__ = ["JobRunner", "Means"]
