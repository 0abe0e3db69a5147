"""How long one IAM decision takes, beside moto's evaluator and Cedar's in the same process.

All get the same documents, prepared once, and the same requests, and agree on every answer.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from moto.iam.access_control import IAMPolicy

from bench import cedar
from bench.cedar import Asked
from bench.measure import per_call
from bench.table import Figure, Peer, Row
from passrole.policy import PolicySet, Principal, Request, evaluate, parse_document
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies
from passrole.policy.matching import action_matcher

BUDGET = Figure(5e-6, "s")
LOOPS, LOOPS_OF_MANY = 200, 5
POLICIES, TEAMS = 10, 100

_ACCOUNT = "111122223333"
_LAMBDA = f"arn:aws:lambda:us-east-1:{_ACCOUNT}:function:"
_QUEUE = f"arn:aws:sqs:us-east-1:{_ACCOUNT}:"
_ROLE = f"arn:aws:iam::{_ACCOUNT}:role/"
_RULE = f"arn:aws:events:us-east-1:{_ACCOUNT}:rule/"
_CLUSTER = f"arn:aws:elasticmapreduce:us-east-1:{_ACCOUNT}:cluster/"

_FULL_ACCESS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}

# Action, resource, and the service that a role is passed to.
_ASKED: tuple[Asked, ...] = (
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


Document = Mapping[str, Any]
Decider = Callable[[Asked], bool]
T = TypeVar("T")


def rows() -> Iterator[Row]:
    """Identity alone, all layers, a thousand statements, and a pattern that was made to take long."""
    managed = policies()[PIPELINES_INTEGRATIONS].default.document
    compiled = ("v3", parse_document(managed))
    identity = PolicySet(identity=(compiled,))
    level = (("FullAWSAccess", parse_document(_FULL_ACCESS)),)  # what AWS attaches to every level
    every = PolicySet((compiled,), boundary=compiled, session=(compiled,), scps=(level, level))
    yield from _beside("IAM decision, managed policy v3", identity, [managed], _ASKED, BUDGET)
    yield from _beside("the same with boundary, session and SCPs", every, [managed], _ASKED, BUDGET)
    many = list(_many())
    attached = PolicySet(tuple((f"p{n}", parse_document(document)) for n, document in enumerate(many)))
    what = f"IAM decision, {POLICIES * TEAMS:,} statements attached"
    yield from _beside(what, attached, many, _asked_of_many(), None, LOOPS_OF_MANY)
    hostile, letters = action_matcher("*" + "?a" * 99 + "b*"), "a" * 10_000
    took = per_call(1, lambda: hostile(letters))
    yield Row("pattern of 200 against 10,000 letters", Figure(took, "s"), None, Figure(1e-3, "s"))


def _beside(
    what: str,
    applied: PolicySet,
    documents: Sequence[Document],
    asked: Sequence[Asked],
    budget: Figure | None,
    loops: int = LOOPS,
) -> Iterator[Row]:
    """A row for each peer; peers get the identity policies alone."""
    requests = [_request(each) for each in asked]
    answers = [evaluate(request, applied).allowed for request in requests]
    figure = Figure(_seconds(lambda request: evaluate(request, applied), requests, loops), "s")
    for name, theirs in (("moto", _moto(documents)), ("cedarpy", cedar.decider(documents))):
        assert [theirs(each) for each in asked] == answers, f"{name} disagrees"
        peer = Peer(name, Figure(_seconds(theirs, asked, loops), "s"))
        yield Row(what, figure, peer, budget)


def _seconds(decide: Callable[[T], object], asked: Sequence[T], loops: int) -> float:
    def decide_all() -> None:
        for each in asked:
            decide(each)

    return per_call(loops, decide_all) / len(asked)


def _moto(documents: Sequence[Document]) -> Decider:
    """A decision of moto's over all attached policies, as its own access control takes it."""
    policies_ = [IAMPolicy({"policy_document": json.dumps(document)}) for document in documents]

    def allowed(asked: Asked) -> bool:
        action, resource, service = asked
        context = {"iam:PassedToService": service} if service else None
        verdicts = [policy.is_action_permitted(action, resource, None, context) for policy in policies_]
        return any(verdict.name == "PERMITTED" for verdict in verdicts)

    return allowed


def _many() -> Iterator[Document]:
    """Ten policies of a hundred statements, each about two actions on what one team has."""
    for number in range(POLICIES):
        yield {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": [f"sqs:Send{number}", f"sqs:Receive{number}"],
                    "Resource": f"{_QUEUE}team-{team}-*",
                }
                for team in range(TEAMS)
            ],
        }


def _asked_of_many() -> list[Asked]:
    """The first, the middle, the last team of a policy, and one that is not there."""
    return [
        (f"sqs:Send{number}", f"{_QUEUE}team-{team}-orders", None)
        for number in range(0, POLICIES, 2)
        for team in (0, TEAMS // 2, TEAMS - 1, TEAMS)
    ]


def _request(asked: Asked) -> Request:
    action, resource, service = asked
    session = f"arn:aws:sts::{_ACCOUNT}:assumed-role/worker/SageMaker"
    caller = Principal(
        "role", session, _ACCOUNT, "AROAEXAMPLE:SageMaker", "worker", f"{_ROLE}worker", "SageMaker"
    )
    return Request(caller, action, resource, _ACCOUNT, {"iam:PassedToService": service} if service else {})
