"""How long one IAM decision takes, beside moto's evaluator in the same process.

Both get the managed policy's third version, prepared once, and the same twenty requests.
"""

import json
from collections.abc import Iterator, Sequence

from moto.iam.access_control import IAMPolicy

from bench.measure import per_call
from bench.table import Figure, Peer, Row
from passrole.policy import PolicySet, Principal, Request, evaluate, parse_document
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies

BUDGET = Figure(5e-6, "s")
LOOPS = 200

_ACCOUNT = "111122223333"
_LAMBDA = f"arn:aws:lambda:us-east-1:{_ACCOUNT}:function:"
_QUEUE = f"arn:aws:sqs:us-east-1:{_ACCOUNT}:"
_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/"
_RULE = f"arn:aws:events:us-east-1:{_ACCOUNT}:rule/"
_CLUSTER = f"arn:aws:elasticmapreduce:us-east-1:{_ACCOUNT}:cluster/"

_FULL_ACCESS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

# Action, resource, and the service that a role is passed to.
_ASKED: tuple[tuple[str, str, str | None], ...] = (
    ("lambda:InvokeFunction", f"{_LAMBDA}sagemaker-score", None),
    ("lambda:InvokeFunction", f"{_LAMBDA}my-sageMaker-function", None),
    ("lambda:InvokeFunction", f"{_LAMBDA}train-SageMaker", None),
    ("lambda:InvokeFunction", f"{_LAMBDA}train-Sagemaker", None),
    ("lambda:InvokeFunction", f"{_LAMBDA}train", None),
    ("lambda:GetFunction", f"{_LAMBDA}sagemaker-score", None),
    ("lambda:DeleteFunction", f"{_LAMBDA}score", None),
    ("lambda:ListFunctions", "*", None),
    ("sqs:SendMessage", f"{_QUEUE}sagemaker-approvals", None),
    ("sqs:SendMessage", f"{_QUEUE}team-SageMaker-approvals", None),
    ("sqs:SendMessage", f"{_QUEUE}approvals", None),
    ("sqs:ReceiveMessage", f"{_QUEUE}sagemaker-approvals", None),
    ("iam:PassRole", f"{_ROLE}service-role/worker", "lambda.amazonaws.com"),
    ("iam:PassRole", f"{_ROLE}worker", "ec2.amazonaws.com"),
    ("iam:PassRole", f"{_ROLE}worker", "sagemaker.amazonaws.com"),
    ("events:PutRule", f"{_RULE}SageMakerPipelineExecutionEMRStepStatusUpdateRule", None),
    ("events:PutRule", f"{_RULE}mine", None),
    ("elasticmapreduce:AddJobFlowSteps", f"{_CLUSTER}j-1ABCDEFGHIJKL", None),
    ("elasticmapreduce:SetVisibleToAllUsers", f"{_CLUSTER}j-1ABCDEFGHIJKL", None),
    ("s3:GetObject", "arn:aws:s3:::bucket/key", None),
)


def rows() -> Iterator[Row]:
    """Identity alone beside the peer; then with boundary, session and two levels of SCPs."""
    document = policies()[PIPELINES_INTEGRATIONS].default.document
    compiled = ("v3", parse_document(document))
    identity = PolicySet(identity=(compiled,))
    level = (("FullAWSAccess", parse_document(_FULL_ACCESS)),)  # what AWS attaches to every level
    every = PolicySet((compiled,), boundary=compiled, session=(compiled,), scps=(level, level))
    requests = _requests()
    peer = Peer("moto", Figure(_seconds_of_moto(json.dumps(document)), "s"))
    yield Row("IAM decision, managed policy v3", Figure(_seconds(requests, identity), "s"), peer, BUDGET)
    yield Row(
        "the same with boundary, session and SCPs", Figure(_seconds(requests, every), "s"), peer, BUDGET
    )


def _seconds(requests: Sequence[Request], applied: PolicySet) -> float:
    def decide_all() -> None:
        for request in requests:
            evaluate(request, applied)

    return per_call(LOOPS, decide_all) / len(requests)


def _seconds_of_moto(document: str) -> float:
    policy = IAMPolicy({"policy_document": document})
    asked = [
        (action, resource, {"iam:PassedToService": service} if service else None)
        for action, resource, service in _ASKED
    ]

    def decide_all() -> None:
        for action, resource, context in asked:
            policy.is_action_permitted(action, resource, None, context)

    return per_call(LOOPS, decide_all) / len(asked)


def _requests() -> list[Request]:
    session = f"arn:aws:sts::{_ACCOUNT}:assumed-role/worker/SageMaker"
    caller = Principal(
        "role", session, _ACCOUNT, "AROAEXAMPLE:SageMaker", "worker", f"{_ROLE}worker", "SageMaker"
    )
    return [
        Request(caller, action, resource, _ACCOUNT, {"iam:PassedToService": service} if service else {})
        for action, resource, service in _ASKED
    ]
