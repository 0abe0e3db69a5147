"""A store with one of each thing, all with the tag `team`, and what every operation asks about them."""

import asyncio
import uuid
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from tests.api.kept_members import KEPT_MEMBERS, ROLE, STAGE
from tests.store import chosen

from passrole.api import authorise, table
from passrole.api.door import Call, request_keys
from passrole.arns import Account, Region
from passrole.config import Config
from passrole.identities import records
from passrole.policy import PolicySet, parse_document
from passrole.policy.request import Principal, Request
from passrole.runtimes.interface import FunctionRuntime
from passrole.services import Context, Operation, Permission
from passrole.services.emr import records as emr
from passrole.services.emr_serverless import records as serverless
from passrole.services.events import records as events
from passrole.services.kms import records as kms
from passrole.services.lambda_ import mapping_records, permissions
from passrole.services.lambda_ import records as functions
from passrole.services.operation import KEPT
from passrole.services.s3 import put_object
from passrole.services.s3 import records as buckets
from passrole.services.sagemaker import records as sagemaker
from passrole.services.sagemaker.hosting import records as hosting
from passrole.services.sagemaker.jobs.kinds import KINDS as JOB_KINDS
from passrole.services.sagemaker.jobs.records import Job
from passrole.services.sagemaker.lineage import records as lineage
from passrole.services.sagemaker.lineage.artifacts import id_of
from passrole.services.sagemaker.models import MODELS, Model
from passrole.services.sagemaker.registry import records as registry
from passrole.services.scheduler import records as scheduler
from passrole.services.sqs import records as queues
from passrole.store import SqliteStore, Tx

ACCOUNT, REGION = Account("111122223333"), Region("us-east-1")
NOW = 1_800_000_000.0
TAGS = {"team": "ml"}
LISTED_TAGS = [{"Key": "team", "Value": "ml"}]
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/the-policy"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:the-queue"
QUEUE_URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/the-queue"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:the-function"
KMS_KEY = "11111111-2222-3333-4444-555555555555"
LAYER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:the-layer:1"
PIPELINE = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/the-pipeline"
EXECUTION = f"{PIPELINE}/execution/abcdefghijkl"
SOURCE = {"SourceUri": "s3://b/k"}
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/the-rule"
CLUSTER = "j-ABCDEFGHIJKLM"
EMPTY = '{"Version":"2012-10-17","Statement":[]}'
PATTERN = (
    '{"source":["a"],"detail-type":["b"],"detail":{"service":["c"],"eventTypeCode":["d"],'
    '"userIdentity":{"principalId":["e"]}}}'
)
SIGNED = {
    "s3:authType": "REST-HEADER",
    "s3:signatureversion": "AWS4-HMAC-SHA256",
    "s3:signatureAge": "0",
    "s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD",
}
# A policy that wants to know the tags of resources.
ASKING = PolicySet(
    identity=(
        (
            "asking",
            parse_document(
                '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*",'
                '"Condition":{"Null":{"aws:ResourceTag/team":"true"}}}]}',
                "identity",
            ),
        ),
    )
)

T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """The requests that one call of an operation puts to the evaluator: its own, then the further ones."""

    own: Request
    further: tuple[Request, ...]


class World:
    """Asks about operations; no handler runs."""

    def __init__(self, folder: Path) -> None:
        self.loop = asyncio.new_event_loop()
        self.store = self.run(self._opened(folder))
        self.context = Context(
            principal=Principal(
                "user",
                f"arn:aws:iam::{ACCOUNT}:user/the-user",
                ACCOUNT,
                "AIDATHEUSER",
                "the-user",
                keys={"aws:SourceIdentity": "ann"},
            ),
            account=ACCOUNT,
            region=REGION,
            request_id="r",
            store=self.store,
            functions=cast(FunctionRuntime, None),
            call=self._call,
            clock=lambda: NOW,
            config=Config(data=folder),
        )
        self.run(self.store.write(_fill))
        for key in ("the-key", "the-source"):
            made = put_object.put_object(
                self.context, bucket="the-bucket", key=key, body=b"b", tagging="team=ml"
            )
            self.run(made)

    def close(self) -> None:
        self.run(self.store.close())
        self.loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    def asked(self, service: str, name: str, **given: Any) -> Asked:
        """What the operation asks where all its members are given, or just those of `given`."""
        operation = table.operations()[service, name]
        parameters = given or parameters_of(service, operation)
        return self.run(self._asked(service, operation, parameters))

    async def _asked(self, service: str, operation: Operation, parameters: Mapping[str, Any]) -> Asked:
        call = Call(
            self.context.principal,
            service,
            operation.name.replace("_", " ").title().replace(" ", ""),
            parameters,
            REGION,
            "r",
            signing_keys=SIGNED,
            asked_by="s3" if service == "kms" else None,
        )
        keys = request_keys(call)
        own = await authorise.own_permission(operation, self.context, parameters)
        further = await authorise.further_permissions(operation, own, self.context, parameters)

        async def request(permission: Permission) -> Request:
            return await authorise.request_for(permission, self.context, keys, ASKING)

        return Asked(await request(own), tuple([await request(each) for each in further]))

    async def _opened(self, folder: Path) -> SqliteStore:
        return chosen.opened(folder)

    async def _call(self, service: str, operation: str, *_: Any, **__: Any) -> Any:
        raise AssertionError(f"{service}:{operation} is called by a declaration")


def parameters_of(service: str, operation: Operation) -> dict[str, Any]:
    """Every member of the operation that a declaration may look at."""
    known = {**_ANYWHERE, **_IN_SERVICE.get(service, {}), **_IN_OPERATION.get((service, operation.name), {})}
    lacking = operation.required - known.keys()
    assert not lacking, (service, operation.name, lacking)
    kept = {KEPT: KEPT_MEMBERS.get(operation.name, {})} if operation.keeps else {}
    return {name: known[name] for name in operation.takes if name in known} | kept


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A store of this module's own."""
    running = World(tmp_path_factory.mktemp("world"))
    yield running
    running.close()


def _fill(tx: Tx) -> None:
    place, empty = (ACCOUNT, REGION), ""
    role = records.Role(ACCOUNT, "the-role", "/", "AROATHEROLE", NOW, EMPTY, tags=TAGS, boundary=POLICY)
    user = records.User(ACCOUNT, "the-user", "/", "AIDATHEUSER", NOW, tags=TAGS, boundary=POLICY)
    policy = records.ManagedPolicy(ACCOUNT, "the-policy", "/", "ANPATHEPOLICY", NOW, NOW, tags=TAGS)
    profile = records.InstanceProfile(ACCOUNT, "the-profile", "/", "AIPATHEPROFILE", NOW, "the-role", TAGS)
    records.put(tx, records.ROLES, role)
    linked = replace(role, name="AWSServiceRoleForECS", path="/aws-service-role/ecs.amazonaws.com/")
    records.put(tx, records.ROLES, linked)
    records.put(tx, records.USERS, user)
    records.put(tx, records.POLICIES, policy)
    records.put(tx, records.INSTANCE_PROFILES, profile)
    queue = queues.Queue(*place, "the-queue", NOW, NOW, tags=TAGS)
    queues.QUEUES.put(tx, queue.key, queue)
    function = functions.Function(
        *place, "the-function", ROLE, "python3.11", "m.f", empty, 3, 128, "f", empty, 1, NOW, "r", tags=TAGS
    )
    functions.FUNCTIONS.put(tx, function.key, function)
    statement = {"Sid": "the-statement", "Principal": {"Service": "events.amazonaws.com"}}
    attached = permissions.ResourcePolicy([statement], "r")
    permissions.POLICIES.put(tx, function.key, attached)
    mapping = mapping_records.EventSourceMapping(
        "the-mapping", *place, QUEUE, "the-function", 1, 0, True, False, NOW
    )
    mapping_records.MAPPINGS.put(tx, mapping.key, mapping)
    for kind in JOB_KINDS.values():
        job = Job("the-job", *place, kind.arn(REGION, ACCOUNT, "the-job"), ROLE, {}, NOW, NOW, tags=TAGS)
        kind.collection.put(tx, job.key, job)
    rule = events.Rule(*place, "default", "the-rule", NOW, tags=TAGS)
    events.RULES.put(tx, rule.key, rule)
    events.BUSES.put(tx, f"{ACCOUNT}/{REGION}/the-bus", events.EventBus(*place, "the-bus", NOW, tags=TAGS))
    groups = scheduler.Group(*place, "the-group", NOW, NOW, tags=TAGS)
    scheduler.GROUPS.put(tx, groups.key, groups)
    pipeline = sagemaker.Pipeline("the-pipeline", PIPELINE, empty, ROLE, NOW, NOW, {}, {}, tags=TAGS)
    sagemaker.PIPELINES.put(tx, f"{ACCOUNT}/{REGION}/the-pipeline", pipeline)
    _fill_models(tx)
    for word, collection in lineage.COLLECTIONS.items():
        entity = lineage.Entity(word, f"the-{word}", *place, {}, NOW, {}, tags=TAGS)
        collection.put(tx, entity.key, entity)
    recorded = lineage.Entity("artifact", id_of(SOURCE), *place, {}, NOW, {}, tags=TAGS)
    lineage.ARTIFACTS.put(tx, recorded.key, recorded)
    cluster = emr.Cluster(*place, CLUSTER, "c", NOW, ROLE, ROLE, "i-1", "r", tags=TAGS)
    emr.CLUSTERS.put(tx, cluster.key, cluster)
    application = serverless.Application(*place, "00app", None, "emr-7.1.0", NOW, NOW, "t", tags=TAGS)
    serverless.APPLICATIONS.put(tx, application.key, application)
    run = serverless.JobRun(
        application.key, *place, "00app", "00run", NOW, NOW, "a", ROLE, "emr-7.1.0", "t", {}, tags=TAGS
    )
    serverless.RUNS.put(tx, run.key, run)
    key = kms.Key(*place, KMS_KEY, NOW, EMPTY, tags=TAGS)
    kms.KEYS.put(tx, key.key, key)
    kms.ALIASES.put(
        tx, f"{ACCOUNT}/{REGION}/alias/the-alias", kms.Alias("alias/the-alias", KMS_KEY, NOW, NOW)
    )
    context = {"EncryptionContextSubset": {"team": "ml"}}
    grant = kms.Grant("g" * 64, "the-token", ROLE, ["Decrypt"], NOW, ACCOUNT, constraints=context)
    kms.GRANTS.put(tx, f"{key.key}/{grant.id}", grant)
    bucket = buckets.Bucket("the-bucket", ACCOUNT, REGION, NOW)
    buckets.BUCKETS.put(tx, bucket.name, bucket)


def _fill_models(tx: Tx) -> None:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/the-model"
    model = Model("the-model", ACCOUNT, REGION, arn, ROLE, {}, NOW, tags=TAGS)
    MODELS.put(tx, model.key, model)
    config = hosting.Config("the-config", ACCOUNT, REGION, ROLE, {}, NOW, tags=TAGS)
    hosting.CONFIGS.put(tx, config.key, config)
    endpoint = hosting.Endpoint("the-endpoint", ACCOUNT, REGION, NOW, NOW, tags=TAGS)
    hosting.ENDPOINTS.put(tx, endpoint.key, endpoint)
    group = registry.Group("the-group", ACCOUNT, REGION, NOW, {}, last_version=1, tags=TAGS)
    registry.GROUPS.put(tx, group.key, group)
    kept = {"CustomerMetadataProperties": {"team": "ml"}, "ModelLifeCycle": STAGE}
    version = registry.Package("the-group/1", ACCOUNT, REGION, NOW, {}, kept, "the-group", 1)
    registry.PACKAGES.put(tx, version.key, version)


# Members by name: everywhere, in a service, in an operation.
_ANYWHERE: Mapping[str, Any] = {
    "account_alias": "the-alias",
    "client_request_token": "t" * 32,
    "description": "d",
    "role_arn": ROLE,
    "status": "Active",
    "tag_keys": ["team"],
    "tags": LISTED_TAGS,
}
_IN_SERVICE: Mapping[str, Mapping[str, Any]] = {
    "ecr": {"repository_name": "the-repository", "repository_names": ["a", "b"]},
    "emr": {
        "cluster_id": CLUSTER,
        "execution_role_arn": ROLE,
        "instances": {},
        "job_flow_id": CLUSTER,
        "job_flow_ids": [CLUSTER],
        "job_flow_role": "the-profile",
        "name": "n",
        "resource_id": CLUSTER,
        "security_configuration": "{}",
        "service_role": "the-role",
        "step_id": "s-1",
        "step_ids": ["s-1"],
        "steps": [],
        "termination_protected": True,
    },
    "emr-serverless": {
        "application_id": "00app",
        "client_token": "t",
        "execution_role_arn": ROLE,
        "job_run_id": "00run",
        "release_label": "emr-7.1.0",
        "resource_arn": f"arn:aws:emr-serverless:{REGION}:{ACCOUNT}:/applications/00app/jobruns/00run",
        "tags": TAGS,
    },
    "events": {
        "entries": [{"Source": "a", "DetailType": "b", "Detail": "{}", "EventBusName": "the-bus"}],
        "event": "{}",
        "event_pattern": PATTERN,
        "ids": ["1"],
        "name": "the-rule",
        "resource_arn": RULE,
        "rule": "the-rule",
        "target_arn": QUEUE,
        "targets": [{"Id": "1", "Arn": QUEUE, "RoleArn": ROLE}],
    },
    "iam": {
        "access_key_id": "AKIATHEKEY",
        "aws_service_name": "ecs.amazonaws.com",
        "deletion_task_id": "task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/1",
        "action_names": ["sqs:ListQueues"],
        "assume_role_policy_document": EMPTY,
        "instance_profile_name": "the-profile",
        "permissions_boundary": POLICY,
        "policy_arn": POLICY,
        "policy_document": EMPTY,
        "policy_input_list": [EMPTY],
        "policy_name": "the-policy",
        "policy_source_arn": f"arn:aws:iam::{ACCOUNT}:user/the-user",
        "role_name": "the-role",
        "user_name": "the-user",
        "version_id": "v1",
    },
    "kms": {
        "alias_name": "alias/the-alias",
        "ciphertext_blob": b"\x01" + uuid.UUID(KMS_KEY).bytes + b"0" * 40,
        "constraints": {"EncryptionContextSubset": {"team": "ml"}},
        "destination_encryption_context": {"team": "ml"},
        "destination_key_id": "alias/the-alias",
        "source_key_id": "alias/the-alias",
        "encryption_context": {"team": "ml"},
        "grant_id": "g" * 64,
        "grantee_principal": ROLE,
        "bypass_policy_lockout_safety_check": True,
        "key_id": "alias/the-alias",
        "operations": ["Decrypt"],
        "pending_window_in_days": 7,
        "plaintext": b"p",
        "policy": EMPTY,
        "retiring_principal": ROLE,
        "source_encryption_context": {"team": "ml"},
        "tags": [{"TagKey": "team", "TagValue": "ml"}],
        "target_key_id": KMS_KEY,
    },
    "lambda": {
        "action": "lambda:InvokeFunction",
        "code": {},
        "function_name": "the-function",
        "function_version": "1",
        "arn": LAYER,
        "content": {},
        "layer_name": "the-layer",
        "layers": [LAYER],
        "version_number": 1,
        "name": "the-alias",
        "principal": "events.amazonaws.com",
        "resource": FUNCTION,
        "role": ROLE,
        "statement_id": "the-statement",
        "tags": TAGS,
        "uuid": "the-mapping",
        "vpc_config": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    },
    "logs": {
        "log_events": [],
        "log_group_name": "the-group",
        "log_stream_name": "the-stream",
        "policy_document": EMPTY,
        "policy_name": "the-policy",
        "retention_in_days": 1,
    },
    "s3": {
        "acl": "private",
        "bucket": "the-bucket",
        "copy_source": "the-bucket/the-source",
        "create_bucket_configuration": {"LocationConstraint": "eu-west-1"},
        "delimiter": "/",
        "if_match": "e",
        "if_none_match": "*",
        "key": "the-key",
        "max_keys": 1,
        "metadata_directive": "COPY",
        "object_attributes": ["ETag"],
        "object_ownership": "BucketOwnerEnforced",
        "part_number": 1,
        "policy": EMPTY,
        "prefix": "p",
        "public_access_block_configuration": {},
        "server_side_encryption_configuration": {
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "server_side_encryption": "aws:kms",
        "ssekms_key_id": "alias/aws/s3",
        "storage_class": "STANDARD",
        "tagging": "team=ml",
        "tagging_directive": "REPLACE",
        "upload_id": "u",
        "versioning_configuration": {"Status": "Suspended"},
        "website_redirect_location": "/w",
    },
    "sagemaker-runtime": {"body": b"1", "endpoint_name": "the-endpoint", "target_model": "m"},
    "sagemaker": {
        "action_name": "the-action",
        "action_type": "t",
        "artifact_arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:artifact/the-artifact",
        "artifact_type": "t",
        "callback_token": "the-token",
        "desired_weights_and_capacities": [],
        "endpoint_config_name": "the-config",
        "endpoint_name": "the-endpoint",
        "context_name": "the-context",
        "context_type": "t",
        "destination_arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:artifact/the-artifact",
        "source": SOURCE,
        "source_arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:action/the-action",
        "execution_role_arn": ROLE,
        "hyper_parameter_tuning_job_name": "the-job",
        "model_name": "the-model",
        "model_package_arn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/the-group/1",
        "model_package_group_name": "the-group",
        "model_package_name": "the-group/1",
        "pipeline_arn": PIPELINE,
        "pipeline_execution_arn": EXECUTION,
        "pipeline_name": "the-pipeline",
        "pipeline_version_id": 1,
        "processing_job_name": "the-job",
        "project_name": "the-project",
        "resource": "Pipeline",
        "resource_arn": PIPELINE,
        "training_job_name": "the-job",
        "transform_job_name": "the-job",
        "visibility_conditions": [{"Key": "Tags.team", "Value": "ml"}],
    },
    "scheduler": {
        "group_name": "the-group",
        "name": "the-group",
        "resource_arn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/the-group",
        "target": {"Arn": QUEUE, "RoleArn": ROLE},
    },
    "sqs": {
        "actions": ["SendMessage"],
        "attributes": {},
        "aws_account_ids": [ACCOUNT],
        "entries": [],
        "label": "the-statement",
        "message_body": "m",
        "queue_name": "the-queue",
        "queue_url": QUEUE_URL,
        "receipt_handle": "r",
        "tags": TAGS,
        "visibility_timeout": 1,
    },
    "sts": {
        "external_id": "e-1",
        "role_session_name": "work",
        "source_identity": "ann",
        "transitive_tag_keys": ["team"],
    },
}
_IN_OPERATION: Mapping[tuple[str, str], Mapping[str, Any]] = {
    **{("events", f"{verb}_event_bus"): {"name": "the-bus"} for verb in ("create", "delete", "describe")},
    ("s3", "put_object_tagging"): {"tagging": {"TagSet": LISTED_TAGS}},
}
