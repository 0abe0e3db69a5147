"""Hyperparameter tuning jobs: Create, Describe, List, Stop, and the list of their training jobs.

What a tuning job does is decided in `passrole/tuning` and done by `worker/jobs/tuner.py`.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from passrole.faults import Fault
from passrole.services.context import Context
from passrole.services.operation import KEPT, Parameters, Permission, operation, passing
from passrole.services.sagemaker.jobs import lookup, training
from passrole.services.sagemaker.jobs.creation import Declared, check_access, store
from passrole.services.sagemaker.jobs.kinds import TRAINING, TUNING
from passrole.services.sagemaker.jobs.metric_definitions import described
from passrole.services.sagemaker.jobs.records import Job
from passrole.services.sagemaker.jobs.tuning_children import (
    Family,
    family_of,
    request_of,
    results,
    summary,
    tuning_of,
)
from passrole.services.sagemaker.listing import PAGE_DEFAULT, StateListing
from passrole.services.sagemaker.paging import Orders, SortOrder, sorted_page
from passrole.services.sagemaker.roles import SERVICE
from passrole.services.sagemaker.tag_rules import TAGS
from passrole.services.tags import TagList
from passrole.store import Tx, tasks
from passrole.tuning import Definition, InvalidRequest
from passrole.tuning.bayesian import MISSING, is_installed
from passrole.tuning.request import BAYESIAN

_DECLARED = Declared(TUNING)


def _further(ctx: Context, parameters: Parameters) -> Sequence[Permission]:
    """To pass the role of each definition, and to tag."""
    kept, resource = parameters[KEPT], _DECLARED.resource(ctx, parameters)
    given = [kept.get("TrainingJobDefinition"), *(kept.get("TrainingJobDefinitions") or ())]
    roles = dict.fromkeys(each["RoleArn"] for each in given if each)
    return [*(passing(role, SERVICE, resource) for role in roles), *_DECLARED.also(ctx, parameters)]


@operation(
    "sagemaker:CreateHyperParameterTuningJob",
    resource=_DECLARED.resource,
    keys=_DECLARED.keys,
    also=_further,
    keeps=[
        *("HyperParameterTuningJobConfig", "TrainingJobDefinition", "TrainingJobDefinitions"),
        *("WarmStartConfig", "Autotune"),
    ],
)
async def create_hyper_parameter_tuning_job(
    ctx: Context, *, hyper_parameter_tuning_job_name: str, kept: Mapping[str, Any], tags: TagList = ()
) -> dict[str, Any]:
    """Start a tuning job. Raises ValidationException for what can never run, ResourceInUse."""
    job = _new(ctx, hyper_parameter_tuning_job_name, kept, tags)
    try:
        tuning = tuning_of(job)
    except InvalidRequest as error:
        raise Fault("ValidationException", str(error)) from None
    if tuning.strategy == BAYESIAN and not is_installed():
        raise Fault("ValidationException", MISSING[0].upper() + MISSING[1:] + ".")
    children = TRAINING.arn(ctx.region, ctx.account, f"{job.name}-*")
    for each in tuning.definitions:
        _check(each)
        given = each.request
        await check_access(ctx, given["RoleArn"], children, given, training.sources(given))
    started = Job(**{**vars(job), "results": results(Family(job, tuning, ()), job.created)})
    return await store(ctx, TUNING, started)


@operation("sagemaker:DescribeHyperParameterTuningJob", resource=_DECLARED.resource)
async def describe_hyper_parameter_tuning_job(
    ctx: Context, *, hyper_parameter_tuning_job_name: str
) -> dict[str, Any]:
    """Everything about a tuning job. Raises ResourceNotFound."""
    return TUNING.description(await lookup.job(ctx, TUNING, hyper_parameter_tuning_job_name))


@operation("sagemaker:StopHyperParameterTuningJob", resource=_DECLARED.resource)
async def stop_hyper_parameter_tuning_job(ctx: Context, *, hyper_parameter_tuning_job_name: str) -> None:
    """Stop a tuning job and its training jobs; what they leave in /opt/ml/model is uploaded."""

    def wake(tx: Tx, job: Job) -> None:
        tasks.add(tx, TUNING.resource, job.key, b"", ctx.clock())

    await lookup.stop(ctx, TUNING, hyper_parameter_tuning_job_name, wake)


@operation("sagemaker:ListHyperParameterTuningJobs")
async def list_hyper_parameter_tuning_jobs(ctx: Context, **asked: Unpack[StateListing]) -> dict[str, Any]:
    """Tuning jobs of the account and region, by name unless SortBy has another order."""
    return await lookup.page(ctx, TUNING, asked, "Ascending", "Name")


@operation("sagemaker:ListTrainingJobsForHyperParameterTuningJob", resource=_DECLARED.resource)
async def list_training_jobs_for_hyper_parameter_tuning_job(
    ctx: Context,
    *,
    hyper_parameter_tuning_job_name: str,
    next_token: str | None = None,
    max_results: int = PAGE_DEFAULT,
    status_equals: str | None = None,
    sort_by: str = "Name",
    sort_order: SortOrder = "Ascending",
) -> dict[str, Any]:
    """The training jobs of a tuning job; by FinalObjectiveMetricValue only those that have one."""

    def found(tx: Tx) -> dict[str, Any]:
        family = family_of(tx, lookup.require(tx, ctx, TUNING, hyper_parameter_tuning_job_name))
        jobs = [summary(family, child, job) for child, job in family.children]
        listed = [
            each
            for each in jobs
            if status_equals in (None, each["TrainingJobStatus"])
            and (sort_by != _BY_OBJECTIVE or _FINAL in each)
        ]
        shown, more = sorted_page(listed, _ORDERS, sort_by, sort_order, next_token, max_results)
        return {"TrainingJobSummaries": list(shown), **more}

    return await ctx.store.read(found)


def _new(ctx: Context, name: str, kept: Mapping[str, Any], tags: TagList) -> Job:
    now = ctx.clock()
    return Job(
        name=name,
        account=ctx.account,
        region=ctx.region,
        arn=TUNING.arn(ctx.region, ctx.account, name),
        role_arn="",
        request=kept,
        created=now,
        modified=now,
        tags=TAGS.read(tags),
    )


def _check(definition: Definition) -> None:
    """Raises ValidationException where its training jobs would be refused, or print no objective."""
    request = request_of(definition, {}, "")
    training.check(request)
    if not request["ResourceConfig"].get("InstanceType") and not request["ResourceConfig"].get(
        "InstanceGroups"
    ):
        raise Fault(
            "ValidationException", "A ResourceConfig or HyperParameterTuningResourceConfig is required."
        )
    metrics = described(request["AlgorithmSpecification"]).get("MetricDefinitions", ())
    if definition.metric not in (each["Name"] for each in metrics):
        # https://github.com/aws/amazon-sagemaker-examples/issues/1207
        message = (
            "A metric is required for this hyperparameter tuning job objective. "
            "Provide a metric in the metric definitions."
        )
        raise Fault("ValidationException", message)


_FINAL, _BY_OBJECTIVE = "FinalHyperParameterTuningJobObjectiveMetric", "FinalObjectiveMetricValue"
_ORDERS: Orders[dict[str, Any]] = {
    "Name": (lambda each: (each["TrainingJobName"],), (str,)),
    "CreationTime": (lambda each: (each["CreationTime"], each["TrainingJobName"]), (float, str)),
    "Status": (lambda each: (each["TrainingJobStatus"], each["TrainingJobName"]), (str, str)),
    _BY_OBJECTIVE: (lambda each: (each[_FINAL]["Value"], each["TrainingJobName"]), (float, str)),
}
