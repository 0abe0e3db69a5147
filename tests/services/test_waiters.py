"""The waiters of botocore and of version 2 of the SDK, for what is served, come to an end and tell failures.

A waiter that botocore adds for an operation of ours is a row that is missing here.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib import metadata
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError, WaiterError
from tests.conftest import Server, new_name
from tests.policies import allowing
from tests.services.emr.conftest import Fleet, shell
from tests.services.lambda_.conftest import Workshop as Functions
from tests.services.sagemaker.hosting.conftest import Host
from tests.services.sagemaker.jobs.transforms import Transforms
from tests.services.sagemaker.jobs.workshop import Workshop
from tests.services.sagemaker.registry.conftest import Registry

from passrole.api import table

OFTEN = {"Delay": 1, "MaxAttempts": 60}
ONCE = {"Delay": 1, "MaxAttempts": 1}
FAILING = "exit 3"

Parameters = Mapping[str, str]


class Made:
    """What is waited for; each of it is still on its way when its waiter begins."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.fleet, self.functions = Fleet(server), Functions(server)
        self.jobs, self.host = Workshop(server), Host(server)
        self.transforms = Transforms(self.jobs)
        self.jobs.put(data__a="1\n")

    def close(self) -> None:
        self.fleet.end()
        self.host.close()

    @cached_property
    def cluster(self) -> str:
        return self.fleet.run()

    def step(self, script: str = "true") -> Parameters:
        (step,) = self.fleet.add(self.cluster, shell(script))
        return {"ClusterId": self.cluster, "StepId": step}

    def terminating(self) -> Parameters:
        cluster = self.fleet.run()
        self.fleet.client.terminate_job_flows(JobFlowIds=[cluster])
        return {"ClusterId": cluster}

    def version(self) -> Parameters:
        name = self.functions.create()
        self.functions.client.get_waiter("function_active_v2").wait(FunctionName=name)
        self.functions.client.publish_version(FunctionName=name)
        return {"FunctionName": name, "Qualifier": "1"}

    def updated(self) -> Parameters:
        name = self.functions.create()
        self.functions.client.get_waiter("function_active_v2").wait(FunctionName=name)
        self.functions.client.update_function_configuration(FunctionName=name, Timeout=9)
        return {"FunctionName": name}

    def policy(self) -> Parameters:
        create = self.server.client("iam").create_policy
        made = create(PolicyName=new_name("policy"), PolicyDocument=json.dumps(allowing("s3:*")))
        return {"PolicyArn": made["Policy"]["Arn"]}

    def processing(self, script: str = "true") -> Parameters:
        request = self.jobs.processing(script)
        self.jobs.sagemaker.create_processing_job(**request)
        return {"ProcessingJobName": request["ProcessingJobName"]}

    def training(self, script: str = "true") -> Parameters:
        request = self.jobs.training(script)
        self.jobs.sagemaker.create_training_job(**request)
        return {"TrainingJobName": request["TrainingJobName"]}

    def tuning(self, script: str = "echo 'loss=1;'") -> Parameters:
        request = self.jobs.tuning(script, {})
        self.jobs.sagemaker.create_hyper_parameter_tuning_job(**request)
        return {"HyperParameterTuningJobName": request["HyperParameterTuningJobName"]}

    def transform(self, *code: str) -> Parameters:
        request = self.transforms.request(self.transforms.model(*code), "data/")
        self.jobs.sagemaker.create_transform_job(**request)
        return {"TransformJobName": request["TransformJobName"]}

    def endpoint(self) -> Parameters:
        return {"EndpointName": self.host.endpoint()}

    def deleted_endpoint(self) -> Parameters:
        name = self.host.endpoint()
        self.host.settled(name)
        self.host.sagemaker.delete_endpoint(EndpointName=name)
        return {"EndpointName": name}

    def package(self) -> Parameters:
        registry = Registry(self.server)
        return {"ModelPackageName": registry.package(registry.group())}


WAITERS: Mapping[tuple[str, str], Callable[[Made], Parameters]] = {
    ("emr", "cluster_running"): lambda made: {"ClusterId": made.cluster},
    ("emr", "cluster_terminated"): Made.terminating,
    ("emr", "step_complete"): Made.step,
    ("iam", "instance_profile_exists"): lambda made: {"InstanceProfileName": made.fleet.profile},
    ("iam", "policy_exists"): Made.policy,
    ("iam", "role_exists"): lambda made: {"RoleName": made.jobs.role.rpartition("/")[2]},
    ("iam", "user_exists"): lambda made: {"UserName": made.server.user(allowing("s3:*"))["user"]},
    ("lambda", "function_active"): lambda made: {"FunctionName": made.functions.create()},
    ("lambda", "function_active_v2"): lambda made: {"FunctionName": made.functions.create()},
    ("lambda", "function_exists"): lambda made: {"FunctionName": made.functions.create()},
    ("lambda", "function_updated"): Made.updated,
    ("lambda", "function_updated_v2"): Made.updated,
    ("lambda", "published_version_active"): Made.version,
    ("s3", "bucket_exists"): lambda made: {"Bucket": made.jobs.bucket},
    ("s3", "bucket_not_exists"): lambda made: {"Bucket": new_name("nowhere")},
    ("s3", "object_exists"): lambda made: {"Bucket": made.jobs.bucket, "Key": "data/a"},
    ("s3", "object_not_exists"): lambda made: {"Bucket": made.jobs.bucket, "Key": "nothing"},
    ("sagemaker", "endpoint_deleted"): Made.deleted_endpoint,
    ("sagemaker", "endpoint_in_service"): Made.endpoint,
    ("sagemaker", "processing_job_completed_or_stopped"): Made.processing,
    ("sagemaker", "training_job_completed_or_stopped"): Made.training,
    ("sagemaker", "transform_job_completed_or_stopped"): Made.transform,
}

FAIL: Mapping[str, Callable[[Made], Parameters]] = {
    # by what the SDK calls them
    "job": lambda made: made.training(FAILING),
    "processing_job": lambda made: made.processing(FAILING),
    "transform_job": lambda made: made.transform("raise OSError"),
}

TIRED, GONE = "Max attempts exceeded", "error"


def named(parameters: Parameters) -> Callable[[Made], Parameters]:
    return lambda _: parameters


TOLD: list[tuple[str, str, Callable[[Made], Parameters], str]] = [
    # service, waiter, what it waits for, what it says
    ("emr", "cluster_running", Made.terminating, "TERMINAT"),
    ("emr", "step_complete", lambda made: made.step(FAILING), 'matched expected path: "FAILED"'),
    ("lambda", "function_exists", named({"FunctionName": "nothing"}), TIRED),
    ("iam", "role_exists", named({"RoleName": "nothing"}), TIRED),
    ("s3", "object_exists", lambda made: {"Bucket": made.jobs.bucket, "Key": "no"}, TIRED),
    ("s3", "bucket_not_exists", lambda made: {"Bucket": made.jobs.bucket}, TIRED),
    ("sagemaker", "endpoint_in_service", named({"EndpointName": "nothing"}), GONE),
    ("sagemaker", "processing_job_completed_or_stopped", FAIL["processing_job"], 'expected path: "Failed"'),
    ("sagemaker", "training_job_completed_or_stopped", FAIL["job"], 'expected path: "Failed"'),
    ("sagemaker", "transform_job_completed_or_stopped", FAIL["transform_job"], 'expected path: "Failed"'),
    *(
        ("sagemaker", f"{kind.lower()}_job_completed_or_stopped", named({f"{kind}JobName": "nothing"}), GONE)
        for kind in ("Processing", "Training", "Transform")
    ),
]

OF_THE_SDK: Mapping[str, Callable[[Made], Parameters]] = {
    # methods of version 2's Session
    "wait_for_endpoint": Made.endpoint,
    "wait_for_job": Made.training,
    "wait_for_model_package": Made.package,
    "wait_for_processing_job": Made.processing,
    "wait_for_transform_job": Made.transform,
    "wait_for_tuning_job": Made.tuning,
}

NOT_SERVED = {
    *("wait_for_auto_ml_job", "wait_for_compilation_job", "wait_for_edge_packaging_job"),
    *("wait_for_athena_query", "wait_for_inference_component", "wait_for_inference_component_deletion"),
    *("wait_for_inference_recommendations_job", "wait_for_optimization_job"),
}


@pytest.fixture(scope="module")
def made(server: Server, sandboxed: None) -> Iterator[Made]:
    found = Made(server)
    yield found
    found.close()


@pytest.fixture(scope="module")
def sdk(server: Server) -> Iterator[Any]:
    """A Session of version 2."""
    if not any(each.version.startswith("2.") for each in metadata.distributions(name="sagemaker")):
        pytest.skip("version 2 of the SageMaker SDK is not installed")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SAGEMAKER_SUPPRESS_V2_WARNING", "1")
        from sagemaker.session import Session

        boto_session = boto3.Session(region_name=server.region)
        yield Session(boto_session, sagemaker_client=server.client("sagemaker"))


def waiters_of_botocore() -> set[tuple[str, str]]:
    """Those whose operation is served."""
    session, found = boto3.Session()._session, set()
    for service in {service for service, _ in table.operations()} - {"passrole"}:
        try:
            model = session.get_waiter_model(service)
        except UnknownServiceError:  # it has no waiters
            continue
        found |= {
            (service, xform_name(name))
            for name in model.waiter_names
            if (service, xform_name(model.get_waiter(name).operation)) in table.operations()
        }
    return found


def test_the_table_has_each_waiter_whose_operation_is_served() -> None:
    assert set(WAITERS) == waiters_of_botocore()


@pytest.mark.slow
@pytest.mark.parametrize(("service", "waiter"), WAITERS)
def test_what_is_waited_for_comes(made: Made, service: str, waiter: str) -> None:
    parameters = WAITERS[service, waiter](made)
    made.server.client(service).get_waiter(waiter).wait(**parameters, WaiterConfig=OFTEN)


@pytest.mark.slow
@pytest.mark.parametrize(("service", "waiter", "make", "said"), TOLD)
def test_what_does_not_come_is_told(
    made: Made, service: str, waiter: str, make: Callable[[Made], Parameters], said: str
) -> None:
    often = ONCE if said == TIRED else OFTEN
    with pytest.raises(WaiterError) as told:
        made.server.client(service).get_waiter(waiter).wait(**make(made), WaiterConfig=often)
    assert said in str(told.value)


def test_the_table_has_each_wait_of_the_sdk(sdk: Any) -> None:
    waits = {name for name in dir(sdk) if name.startswith("wait_for_")}
    assert waits == set(OF_THE_SDK) | NOT_SERVED


@pytest.mark.slow
@pytest.mark.parametrize("wait", OF_THE_SDK)
def test_the_sdk_waits_to_the_end(made: Made, sdk: Any, wait: str) -> None:
    (name,) = OF_THE_SDK[wait](made).values()
    described = getattr(sdk, wait)(name, poll=1)
    assert next(described[key] for key in described if key.endswith("Status")) in ("Completed", "InService")


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAIL)
def test_the_sdk_tells_of_a_failure(made: Made, sdk: Any, kind: str) -> None:
    (name,) = FAIL[kind](made).values()
    with pytest.raises(Exception, match=r"Failed\. Reason: AlgorithmError: ") as told:
        getattr(sdk, f"wait_for_{kind}")(name, poll=1)
    assert type(told.value).__name__ == "UnexpectedStatusException"
