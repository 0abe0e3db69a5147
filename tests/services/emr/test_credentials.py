"""The credentials of a step's role: its program gets them again and again while it runs, and nobody after."""

import json
import urllib.error
import urllib.request
from typing import Any

from tests.conftest import Server
from tests.eventually import eventually
from tests.services.emr.conftest import Fleet, shell

SHOW = (
    'echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN";'
    ' trap "exit 0" TERM; while :; do sleep 0.05; done'
)


def asked(uri: str, token: str) -> tuple[int, Any]:
    request = urllib.request.Request(uri, headers={"Authorization": token})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return int(answer.status), json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, None


def given(server: Server, cluster: str, made: str) -> list[str]:
    path = server.data / "emr" / cluster / made / "stdout"
    return eventually(lambda: path.read_text().split() if path.exists() else [])


def test_a_step_gets_new_credentials_until_it_ends(fleet: Fleet) -> None:
    server, cluster = fleet.server, fleet.run(StepConcurrencyLevel=2)
    one, other = fleet.add(cluster, shell(SHOW), shell(SHOW))
    uri, token = given(server, cluster, one)
    elsewhere, others = given(server, cluster, other)
    answers = [asked(uri, token)[1] for _ in range(2)]
    assert len({each["AccessKeyId"] for each in answers}) == 2
    for each in answers:
        assert each["Token"] == each["SessionToken"]
        keys = (each["AccessKeyId"], each["SecretAccessKey"], each["Token"])
        named = server.client_with("sts", *keys).get_caller_identity()["Arn"]
        assert f":assumed-role/{fleet.instance_role.rpartition('/')[2]}/i-" in named
    for place, word in ((uri, others), (elsewhere, token), (uri, ""), (uri.rpartition("/")[0] + "/9", token)):
        assert asked(place, word)[0] == 401
    fleet.client.cancel_steps(ClusterId=cluster, StepIds=[one])
    fleet.step_until(cluster, one)
    assert (asked(uri, token)[0], asked(elsewhere, others)[0]) == (401, 200)
    fleet.client.cancel_steps(ClusterId=cluster, StepIds=[other])
    fleet.step_until(cluster, other)
