"""The authority is constrained, made once, and stands for AWS's names alone."""

import asyncio
import contextlib
import ssl
import stat
import time
from pathlib import Path

import pytest
from cryptography import x509
from tests.store import chosen

from passrole.gateway.tls import AWS_DOMAINS, Certificates, authority_path, is_aws


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("sts.us-east-1.amazonaws.com", True),
        ("STS.US-EAST-1.AMAZONAWS.COM", True),
        ("my.bucket.s3.eu-west-1.amazonaws.com", True),
        ("sts.cn-north-1.amazonaws.com.cn", True),
        ("lambda.us-east-1.api.aws", True),
        ("amazonaws.com", False),
        ("notamazonaws.com", False),
        ("sts.amazonaws.com.example.org", False),
        ("sts..amazonaws.com", False),
        ("*.amazonaws.com", False),
        ("sts.amazonaws.com\r\n", False),
        (f"{'a' * 64}.amazonaws.com", False),
        (f"{'a.' * 130}amazonaws.com", False),
        ("127.0.0.1", False),
        ("", False),
    ],
)
def test_a_name_is_aws_s_by_its_domain(host: str, expected: bool) -> None:
    assert is_aws(host) is expected


NOW = time.time()
YEARS = 365 * 86_400.0


def prepared(store: Path, *folders: Path, now: float = NOW) -> list[Certificates]:
    """Those of servers that start one after the other, with these data folders and the same store."""

    async def run() -> list[Certificates]:
        opened = chosen.opened(store)
        found = [Certificates(folder) for folder in folders]
        for each in found:
            await each.prepare(opened, now)
        await opened.close()
        return found

    for folder in folders:
        folder.mkdir(exist_ok=True)
    return asyncio.run(run())


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    """With the data folder `tmp_path`."""
    return prepared(tmp_path.with_name(f"{tmp_path.name}-store"), tmp_path)[0]


def shaken(certificates: Certificates, trusted: Path, host: str) -> x509.Certificate:
    """A handshake in memory; the certificate that was shown."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = certificates.context().wrap_bio(to_server, to_client, server_side=True)
    trusting = ssl.create_default_context(cafile=str(trusted))
    client = trusting.wrap_bio(to_client, to_server, server_hostname=host)
    for _ in range(4):
        for side in (client, server):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    shown = client.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown)


def test_a_client_that_trusts_the_authority_accepts_any_of_aws_s_names(
    certificates: Certificates, tmp_path: Path
) -> None:
    long = f"{'bucket-' * 8}x.s3.us-east-1.amazonaws.com"
    for host in ("sts.us-east-1.amazonaws.com", "lambda.eu-west-1.api.aws", long):
        shown = shaken(certificates, authority_path(tmp_path), host)
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [host]


def test_no_certificate_is_made_for_another_name(certificates: Certificates, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLError, match="CALLBACK_FAILED"):
        shaken(certificates, authority_path(tmp_path), "pypi.example.org")


def test_nobody_accepts_the_authority_for_another_site(certificates: Certificates, tmp_path: Path) -> None:
    authority = x509.load_pem_x509_certificate(authority_path(tmp_path).read_bytes())
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    permitted = [domain.value for domain in constraints.value.permitted_subtrees or ()]
    assert permitted == list(AWS_DOMAINS)


def test_the_authority_is_made_once_and_its_key_is_the_owners_alone(
    certificates: Certificates, tmp_path: Path
) -> None:
    before = authority_path(tmp_path).read_bytes()
    prepared(tmp_path.with_name(f"{tmp_path.name}-store"), tmp_path, now=NOW + 8 * YEARS)
    assert authority_path(tmp_path).read_bytes() == before
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600
    shaken(certificates, authority_path(tmp_path), "sts.us-east-1.amazonaws.com")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ca.key", "ca.pem"]


HOST = "sts.us-east-1.amazonaws.com"


def test_servers_of_a_store_have_one_authority(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    first, second = prepared(tmp_path / "store", one, two)
    shaken(first, authority_path(two), HOST)
    shaken(second, authority_path(one), HOST)
    assert stat.S_IMODE((two / "ca.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(authority_path(two).stat().st_mode) == 0o644


def test_a_store_without_an_authority_takes_the_folder_s(tmp_path: Path) -> None:
    old, other = tmp_path / "old", tmp_path / "other"
    prepared(tmp_path / "lost", old)
    before = authority_path(old).read_bytes()
    _, second = prepared(tmp_path / "store", old, other)
    assert authority_path(old).read_bytes() == before == authority_path(other).read_bytes()
    shaken(second, authority_path(old), HOST)


def test_a_folder_from_elsewhere_gets_the_store_s_authority(tmp_path: Path) -> None:
    prepared(tmp_path / "store", tmp_path / "ours")
    prepared(tmp_path / "another", tmp_path / "theirs")
    (again,) = prepared(tmp_path / "store", tmp_path / "theirs")
    shaken(again, authority_path(tmp_path / "ours"), HOST)


def test_an_authority_that_expires_soon_is_made_anew_for_all(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    prepared(tmp_path / "store", one, two)
    before = authority_path(one).read_bytes()
    prepared(tmp_path / "store", one, two, now=NOW + 9 * YEARS)
    assert before != authority_path(one).read_bytes() == authority_path(two).read_bytes()


def test_servers_that_start_at_once_agree(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(3)]

    async def run() -> None:
        store = chosen.opened(tmp_path / "store")
        await asyncio.gather(*(Certificates(folder).prepare(store, NOW) for folder in folders))
        await store.close()

    for folder in folders:
        folder.mkdir()
    asyncio.run(run())
    assert len({authority_path(folder).read_bytes() for folder in folders}) == 1
    assert len({(folder / "ca.key").read_bytes() for folder in folders}) == 1
