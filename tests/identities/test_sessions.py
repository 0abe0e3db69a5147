"""Sessions carry themselves: what was issued opens again, anything else does not."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passrole.arns import Account
from passrole.identities import sessions
from passrole.identities.sessions import Session, UnknownKey

SECRET = b"s" * 32
SESSION = Session(
    account=Account("111122223333"),
    role_arn="arn:aws:iam::111122223333:role/service-role/runner",
    role_id="AROAEXAMPLEEXAMPLE234",
    role_name="runner",
    name="SageMaker",
    issued=1_000.0,
    expires=4_600.0,
    policies=['{"Version":"2012-10-17"}'],
    policy_arns=["arn:aws:iam::aws:policy/AdministratorAccess"],
    tags={"team": "ml"},
)


def test_what_was_issued_opens_to_the_same_session_and_secret() -> None:
    issued = sessions.issue(SECRET, SESSION)
    credentials, session = sessions.open_token(SECRET, issued.access_key, issued.session_token)
    assert (credentials, session) == (issued, SESSION)


def test_credentials_look_like_those_of_aws() -> None:
    access_key, secret_key, _token = sessions.issue(SECRET, SESSION)
    assert access_key.startswith("ASIA")
    assert len(access_key) == 20
    assert access_key.isalnum()
    assert len(secret_key) == 40


def test_two_sessions_never_share_credentials() -> None:
    assert sessions.issue(SECRET, SESSION) != sessions.issue(SECRET, SESSION)


def test_a_session_is_printed_without_the_path_of_its_role() -> None:
    assert SESSION.arn == "arn:aws:sts::111122223333:assumed-role/runner/SageMaker"


ISSUED = sessions.issue(SECRET, SESSION)
OTHER = sessions.issue(SECRET, replace(SESSION, role_name="other"))
SPLICED = OTHER.session_token[:43] + ISSUED.session_token[43:]


@pytest.mark.parametrize(
    "why, access_key, token, secret",
    [
        ("another session's key id", OTHER.access_key, ISSUED.session_token, SECRET),
        ("another server's secret", ISSUED.access_key, ISSUED.session_token, b"t" * 32),
        ("one session's code on another's content", ISSUED.access_key, SPLICED, SECRET),
        ("an empty token", ISSUED.access_key, "", SECRET),
        ("no base64", ISSUED.access_key, "not/a token!", SECRET),
        ("no ASCII", ISSUED.access_key, "tökén", SECRET),
        ("a key id that is no ASCII", "ASIÄ", ISSUED.session_token, SECRET),
        ("padding added", ISSUED.access_key, ISSUED.session_token + "=", SECRET),
    ],
    ids=lambda part: part if isinstance(part, str) and " " in part else "",
)
def test_a_token_that_is_not_ours_is_unknown(why: str, access_key: str, token: str, secret: bytes) -> None:
    with pytest.raises(UnknownKey):
        sessions.open_token(secret, access_key, token)


@settings(max_examples=150)
@given(st.data())
def test_a_token_with_one_letter_changed_is_unknown(data: st.DataObject) -> None:
    token = ISSUED.session_token
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("AZaz09-_").filter(lambda one: one != token[at]))
    with pytest.raises(UnknownKey):
        sessions.open_token(SECRET, ISSUED.access_key, token[:at] + letter + token[at + 1 :])


@settings(max_examples=100)
@given(st.text(max_size=80))
def test_no_text_makes_the_reader_stumble(token: str) -> None:
    with pytest.raises(UnknownKey):
        sessions.open_token(SECRET, ISSUED.access_key, token)


def test_the_servers_secret_is_made_once_and_survives_a_restart(with_store: Callable[[Any], Any]) -> None:
    first = with_store(sessions.server_secret)
    assert len(first) == 32
    assert with_store(sessions.server_secret) == first
