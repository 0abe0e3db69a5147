"""The directory knows keys and policies as they are now, and remembers them only until then."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from passrole.arns import Account
from passrole.config import Config
from passrole.identities import Directory, ExpiredSession, UnknownKey, records, sessions
from passrole.identities.records import AccessKey, ManagedPolicy, PolicyVersion, Role, User
from passrole.identities.sessions import Session, SessionCredentials
from passrole.policy import PolicySet, Principal, Request, evaluate, service_principal
from passrole.store import SqliteStore, Tx

ACCOUNT = Account("111122223333")
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
SEND = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}}'
READ = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"*"}}'
USER = User(ACCOUNT, "ann", "/team/", "AIDA1", 1.0, inline={"send": SEND}, tags={"team": "ml"})
KEY = AccessKey("AKIA1", ACCOUNT, "ann", "secret", 1.0)
ROLE = Role(
    ACCOUNT, "runner", "/service-role/", "AROA1", 1.0, "{}", inline={"send": SEND}, tags={"a": "role"}
)
POLICY = ManagedPolicy(ACCOUNT, "own", "/", "ANPA1", 1.0, 1.0)
NOW = 10_000.0


class World:
    """A store with a user and a role in it, a clock that is set by hand, and the directory over both."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.now = NOW
        self.directory = Directory(store, lambda: self.now, Config(account=ACCOUNT))

    async def put(self, *rows: User | Role | ManagedPolicy | PolicyVersion | AccessKey) -> None:
        def fn(tx: Tx) -> None:
            for row in rows:
                match row:
                    case User():
                        records.put(tx, records.USERS, row)
                    case Role():
                        records.put(tx, records.ROLES, row)
                    case ManagedPolicy():
                        records.put(tx, records.POLICIES, row)
                    case PolicyVersion():
                        records.put_policy_version(tx, row)
                    case AccessKey():
                        records.put_access_key(tx, row)

        await self.store.write(fn)

    async def session(self, **members: Any) -> SessionCredentials:
        session = Session(ACCOUNT, ROLE.arn, ROLE.id, ROLE.name, "work", NOW, NOW + 900)
        secret = await sessions.server_secret(self.store)
        return sessions.issue(secret, replace(session, **members))

    async def principal(self, **members: Any) -> Principal:
        credentials = await self.session(**members)
        return (await self.directory.credentials(credentials.access_key, credentials.session_token)).principal

    async def allowed(self, principal: Principal) -> set[str]:
        policies = (await self.directory.effective_policies(principal)).policies
        return {
            name
            for name in ("SendMessage", "ReceiveMessage", "DeleteQueue")
            if may(principal, name, policies)
        }


def may(principal: Principal, name: str, policies: PolicySet) -> bool:
    resource = f"arn:aws:sqs:us-east-1:{ACCOUNT}:q"
    return evaluate(Request(principal, f"sqs:{name}", resource, ACCOUNT), policies).allowed


Story = Callable[[World], Awaitable[None]]


@pytest.fixture
def run(with_store: Callable[[Any], Any]) -> Callable[[Story], None]:
    """Plays a story in a world with USER, KEY and ROLE."""

    async def opened(store: SqliteStore, story: Story) -> None:
        world = World(store)
        await world.put(USER, KEY, ROLE)
        await story(world)

    return lambda story: with_store(lambda store: opened(store, story))


def test_a_users_key_tells_the_secret_and_the_user(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        known = await world.directory.credentials("AKIA1", None)
        assert known.secret_key == "secret"
        assert known.principal == Principal(
            "user", f"arn:aws:iam::{ACCOUNT}:user/team/ann", ACCOUNT, "AIDA1", "ann", tags={"team": "ml"}
        )

    run(story)


def test_a_sessions_key_tells_its_derived_secret_and_the_role_behind_it(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        credentials = await world.session(policies=[SEND], tags={"b": "session"})
        known = await world.directory.credentials(credentials.access_key, credentials.session_token)
        assert known.secret_key == credentials.secret_key
        assert known.principal == Principal(
            kind="role",
            arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/runner/work",
            account=ACCOUNT,
            id="AROA1:work",
            name="runner",
            role_arn=ROLE.arn,
            session_name="work",
            session_policies=(SEND,),
            token_issued="1970-01-01T02:46:40Z",
            tags={"a": "role", "b": "session"},
        )

    run(story)


def test_a_session_works_on_another_machine_that_shares_the_store(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        credentials = await world.session()
        other = Directory(world.store, lambda: NOW, Config(account=ACCOUNT))
        assert (
            await other.credentials(credentials.access_key, credentials.session_token)
        ).secret_key == credentials.secret_key

    run(story)


def test_keys_that_do_not_count_are_unknown(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        mine, other = await world.session(), await world.session()
        foreign = await world.session(account="999999999999")
        await world.put(replace(KEY, id="AKIAOFF", status=records.INACTIVE))
        await world.put(replace(KEY, id="AKIAORPHAN", user="nobody"))
        await world.put(replace(KEY, id="AKIAELSEWHERE", account=Account("999999999999")))
        await world.directory.credentials(mine.access_key, mine.session_token)  # so that it is remembered
        for access_key, token in [
            ("AKIANOBODY", None),
            ("AKIAOFF", None),
            ("AKIAORPHAN", None),
            ("AKIAELSEWHERE", None),
            ("", None),
            ("AKIA1", "token"),
            ("AKIA1", ""),
            (mine.access_key, None),
            (mine.access_key, other.session_token),
            (other.access_key, mine.session_token),
            ("AKIA1", mine.session_token),
            (foreign.access_key, foreign.session_token),
        ]:
            with pytest.raises(UnknownKey):
                await world.directory.credentials(access_key, token)

    run(story)


def test_a_session_ends_with_its_last_second_remembered_or_not(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        credentials = await world.session()
        world.now = NOW + 899.9
        await world.directory.credentials(credentials.access_key, credentials.session_token)
        world.now = NOW + 900
        for _ in range(2):
            with pytest.raises(ExpiredSession):
                await world.directory.credentials(credentials.access_key, credentials.session_token)

    run(story)


def test_a_key_that_is_switched_off_stops_at_once(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        await world.directory.credentials("AKIA1", None)
        await world.put(replace(KEY, status=records.INACTIVE))
        with pytest.raises(UnknownKey):
            await world.directory.credentials("AKIA1", None)

    run(story)


def test_inline_and_attached_policies_count_together(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        await world.put(POLICY, PolicyVersion(POLICY.arn, 1, READ, 1.0))
        await world.put(replace(ROLE, attached=[POLICY.arn]))
        assert await world.allowed(await world.principal()) == {"SendMessage", "ReceiveMessage"}

    run(story)


def test_policies_are_named_by_their_name_or_arn(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        await world.put(replace(ROLE, attached=[ADMINISTRATOR]))
        policies = (await world.directory.effective_policies(await world.principal())).policies
        assert [name for name, _ in policies.identity] == ["send", ADMINISTRATOR]

    run(story)


def test_a_policys_default_version_holds_and_a_new_default_counts_at_once(
    run: Callable[[Story], None],
) -> None:
    async def story(world: World) -> None:
        await world.put(
            POLICY, PolicyVersion(POLICY.arn, 1, READ, 1.0), PolicyVersion(POLICY.arn, 2, SEND, 1.0)
        )
        await world.put(replace(ROLE, inline={}, attached=[POLICY.arn]))
        principal = await world.principal()
        assert await world.allowed(principal) == {"ReceiveMessage"}
        await world.put(replace(POLICY, default=2))
        assert await world.allowed(principal) == {"SendMessage"}

    run(story)


def test_a_session_policy_narrows_whether_a_document_or_an_arn(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        await world.put(
            POLICY, PolicyVersion(POLICY.arn, 1, READ, 1.0), replace(ROLE, attached=[ADMINISTRATOR])
        )
        assert await world.allowed(await world.principal(policies=[SEND])) == {"SendMessage"}
        assert await world.allowed(await world.principal(policy_arns=[POLICY.arn])) == {"ReceiveMessage"}

    run(story)


def test_a_session_policy_that_is_gone_narrows_to_nothing(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        gone = f"arn:aws:iam::{ACCOUNT}:policy/gone"
        assert await world.allowed(await world.principal(policy_arns=[gone])) == set()

    run(story)


def test_a_boundary_limits_and_one_that_is_gone_limits_to_nothing(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        await world.put(POLICY, PolicyVersion(POLICY.arn, 1, READ, 1.0))
        await world.put(replace(USER, attached=[ADMINISTRATOR], boundary=POLICY.arn))
        user = (await world.directory.credentials("AKIA1", None)).principal
        assert await world.allowed(user) == {"ReceiveMessage"}
        await world.put(
            replace(USER, attached=[ADMINISTRATOR], boundary=f"arn:aws:iam::{ACCOUNT}:policy/gone")
        )
        assert await world.allowed(user) == set()

    run(story)


@pytest.mark.parametrize(
    "what, row",
    [
        ("deleted", None),
        ("made anew under the same name", replace(ROLE, id="AROA2")),
        ("made anew under another path", replace(ROLE, id="AROA2", path="/")),
    ],
)
def test_a_session_of_a_role_that_was_replaced_is_nobodys(
    run: Callable[[Story], None], what: str, row: Role | None
) -> None:
    async def story(world: World) -> None:
        session = await world.session()
        known = await world.directory.credentials(session.access_key, session.session_token)
        assert await world.allowed(known.principal) == {"SendMessage"}
        await world.store.write(lambda tx: records.remove(tx, records.ROLES, ROLE))
        if row is not None:
            await world.put(row)
        with pytest.raises(UnknownKey):
            await world.directory.credentials(session.access_key, session.session_token)
        with pytest.raises(UnknownKey):
            await world.directory.effective_policies(known.principal)

    run(story)


def test_services_and_root_have_no_policies_of_their_own(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        sagemaker = service_principal("sagemaker.amazonaws.com", ACCOUNT)
        root = Principal("root", f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, ACCOUNT, "root")
        assert await world.directory.effective_policies(sagemaker) == (PolicySet(), {})
        assert await world.allowed(sagemaker) == set()
        assert await world.allowed(root) == {"SendMessage", "ReceiveMessage", "DeleteQueue"}

    run(story)


def test_a_known_caller_costs_no_read_until_an_identity_changes(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        reads = counted_reads(world.store)
        credentials = await world.session()

        async def call() -> None:
            principal = (
                await world.directory.credentials(credentials.access_key, credentials.session_token)
            ).principal
            await world.directory.effective_policies(principal)
            await world.directory.effective_policies(
                (await world.directory.credentials("AKIA1", None)).principal
            )

        await call()
        reads.clear()
        await call()
        assert reads == []
        await world.put(USER)
        await call()
        assert len(reads) == 4

    run(story)


def counted_reads(store: SqliteStore) -> list[None]:
    reads: list[None] = []
    real = store.read

    async def read(fn: Callable[[Tx], Any]) -> Any:
        reads.append(None)
        return await real(fn)

    store.read = read  # type: ignore[method-assign,assignment]
    return reads


def test_what_was_read_while_a_change_came_in_is_not_kept(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        real = world.store.read

        async def overtaken(fn: Callable[[Tx], Any]) -> Any:
            found = await real(fn)
            world.store.read = real  # type: ignore[method-assign]
            await world.put(replace(KEY, status=records.INACTIVE))
            return found

        world.store.read = overtaken  # type: ignore[method-assign,assignment]
        await world.directory.credentials("AKIA1", None)
        with pytest.raises(UnknownKey):
            await world.directory.credentials("AKIA1", None)

    run(story)


def test_a_closed_directory_listens_no_more(run: Callable[[Story], None]) -> None:
    async def story(world: World) -> None:
        await world.directory.credentials("AKIA1", None)
        world.directory.close()
        await world.put(replace(KEY, status=records.INACTIVE))
        assert await world.directory.credentials("AKIA1", None)

    run(story)


@pytest.mark.parametrize(
    "made_for, known",
    [("AIDA1", True), (None, True), ("AIDA2", False)],
    ids=["its own", "earlier", "another"],
)
def test_a_key_is_of_the_user_that_it_was_made_for_and_of_no_later_one(
    run: Callable[[Story], None], made_for: str | None, known: bool
) -> None:
    async def story(world: World) -> None:
        await world.put(replace(KEY, user_id=made_for))
        if known:
            assert (await world.directory.credentials(KEY.id, None)).principal.id == "AIDA1"
        else:
            with pytest.raises(UnknownKey):
                await world.directory.credentials(KEY.id, None)

    run(story)
