"""Account aliases: shape, refusals, effect."""

from typing import Any

from tests.refusals import refusal_with_status


def test_an_account_has_one_alias_at_most(iam: Any) -> None:
    assert iam.list_account_aliases()["AccountAliases"] == []
    iam.create_account_alias(AccountAlias="first-team")
    iam.create_account_alias(AccountAlias="second-team")
    assert iam.list_account_aliases()["AccountAliases"] == ["second-team"]
    assert refusal_with_status(lambda: iam.create_account_alias(AccountAlias="second-team"))[:2] == (
        409,
        "EntityAlreadyExists",
    )
    assert refusal_with_status(lambda: iam.delete_account_alias(AccountAlias="first-team"))[:2] == (
        404,
        "NoSuchEntity",
    )
    iam.delete_account_alias(AccountAlias="second-team")
    answer = iam.list_account_aliases()
    assert (answer["AccountAliases"], answer["IsTruncated"]) == ([], False)


def test_names_have_a_form(iam: Any) -> None:
    assert refusal_with_status(lambda: iam.create_account_alias(AccountAlias="No Spaces"))[:2] == (
        400,
        "ValidationError",
    )
