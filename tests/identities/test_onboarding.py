"""A new store gets what Studio's onboarding creates, once."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from passrole.arns import Account
from passrole.config import Config
from passrole.identities import Directory, onboard, onboarded, records
from passrole.policy import Request, evaluate, service_principal
from passrole.policy.document import parse_document
from passrole.policy.evaluate import PolicySet
from passrole.store import SqliteStore, Tx

CONFIG = Config(account=Account("111122223333"))
NOW = 1_676_620_801.0  # 2023-02-17T08:00:01Z
WithStore = Callable[[Any], Any]


def written(with_store: WithStore, fn: Callable[[Tx], Any]) -> Any:
    return with_store(lambda store: store.write(fn))


def test_the_execution_role_is_named_after_the_moment_and_has_the_policy_for_pipelines(
    with_store: WithStore,
) -> None:
    made = written(with_store, lambda tx: onboard(tx, CONFIG, NOW))
    assert made.role_name == "AmazonSageMaker-ExecutionRole-20230217T080001"
    assert made.role_arn == f"arn:aws:iam::111122223333:role/service-role/{made.role_name}"
    role = written(with_store, lambda tx: records.find_arn(tx, records.ROLES, made.role_arn))
    assert role.attached == ["arn:aws:iam::aws:policy/AmazonSageMakerPipelinesIntegrations"]
    assert trusts(role.trust) == {"sagemaker.amazonaws.com"}


def test_functions_get_a_role_that_lambda_may_assume_and_that_may_write_logs(with_store: WithStore) -> None:
    made = written(with_store, lambda tx: onboard(tx, CONFIG, NOW))
    role = written(with_store, lambda tx: records.find_arn(tx, records.ROLES, made.lambda_role_arn))
    assert role.name == "passrole-lambda-basic"
    assert role.attached == ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
    assert trusts(role.trust) == {"lambda.amazonaws.com"}


def trusts(document: str) -> set[str]:
    """Which services a trust document lets in, by the evaluator's word."""
    trust = PolicySet(trust=parse_document(document, "trust"))
    arn = "arn:aws:iam::111122223333:role/r"
    services = ("sagemaker", "lambda", "events")
    return {
        f"{name}.amazonaws.com"
        for name in services
        if evaluate(
            Request(service_principal(f"{name}.amazonaws.com", ""), "sts:AssumeRole", arn, CONFIG.account),
            trust,
        ).allowed
    }


def test_the_administrator_comes_in_with_the_key_and_may_do_anything(with_store: WithStore) -> None:
    async def body(store: SqliteStore) -> None:
        made = await store.write(lambda tx: onboard(tx, CONFIG, NOW))
        directory = Directory(store, lambda: NOW, CONFIG)
        known = await directory.credentials(made.access_key, None)
        assert known.secret_key == made.secret_key
        assert known.principal.arn == "arn:aws:iam::111122223333:user/administrator"
        request = Request(known.principal, "iam:CreateUser", "*", CONFIG.account)
        assert evaluate(request, (await directory.effective_policies(known.principal)).policies).allowed

    with_store(body)


def test_a_second_time_finds_what_the_first_made(with_store: WithStore) -> None:
    assert written(with_store, lambda tx: onboarded(tx, CONFIG)) is None
    made = written(with_store, lambda tx: onboard(tx, CONFIG, NOW))
    assert written(with_store, lambda tx: onboard(tx, CONFIG, NOW + 5)) == made
    assert written(with_store, lambda tx: onboarded(tx, CONFIG)) == made


def test_a_lost_key_is_made_anew_beside_the_same_role(with_store: WithStore) -> None:
    def lose_key(tx: Tx) -> None:
        key = records.ACCESS_KEYS.get(tx, made.access_key)
        assert key is not None
        records.remove_access_key(tx, key)

    made = written(with_store, lambda tx: onboard(tx, CONFIG, NOW))
    written(with_store, lose_key)
    again = written(with_store, lambda tx: onboard(tx, CONFIG, NOW + 5))
    assert again.access_key != made.access_key
    assert replace(again, access_key=made.access_key, secret_key=made.secret_key) == made


def test_each_account_is_onboarded_for_itself(with_store: WithStore) -> None:
    first = written(with_store, lambda tx: onboard(tx, CONFIG, NOW))
    second = written(with_store, lambda tx: onboard(tx, Config(account=Account("999999999999")), NOW))
    assert second.access_key != first.access_key
    assert ":999999999999:" in second.role_arn
