"""Roles that services assume, with one policy."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.chaos.caller import Caller
from tests.conftest import trusting


def made_role(caller: Caller, name: str, services: Sequence[str], may: Mapping[str, Any]) -> str:
    """The ARN of a new role that these services may assume; `may` is its one statement."""
    document = trusting(services[0])
    (statement,) = document["Statement"]
    trust = {**document, "Statement": [{**statement, "Principal": {"Service": list(services)}}]}
    made = caller.until_told("iam.create_role", RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{**may, "Resource": "*"}]})
    caller.until_told("iam.put_role_policy", RoleName=name, PolicyName="all", PolicyDocument=policy)
    return str(made["Role"]["Arn"])
