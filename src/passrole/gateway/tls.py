"""passrole's own certificate authority, and its certificates for AWS's host names.

Clients that insist on `https://sts.us-east-1.amazonaws.com` must be answered under that name, so they trust
this authority (`ca.pem`). It is made once for a store, so that who trusts it reaches each server of that. Its
key is in the store and in data folders alone, and name constraints limit it to AWS's domains, so that it
cannot sign for other sites.

It knows no requests. The library `cryptography` is imported when the first certificate is needed.
"""

import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from passrole import private_files
from passrole.store import Collection, Store, Tx

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AWS_DOMAINS = ("amazonaws.com", "amazonaws.com.cn", "api.aws")
HOSTS_MAX = 256
_AUTHORITY_DAYS, _RENEWED_DAYS_BEFORE, _HOST_DAYS = 3_650, 30, 365
_DAY_SECONDS = 86_400
_LABEL_LENGTH_MAX, _NAME_LENGTH_MAX = 63, 253
_COMMON_NAME_LENGTH_MAX = 64


@dataclass(frozen=True)
class Authority:
    """An authority in PEM; `made` is epoch seconds."""

    certificate: str
    key: str
    made: float


_AUTHORITIES, _KEY = Collection("https-authority", Authority), "https"


def is_aws(host: str) -> bool:
    """Whether a host name is in one of AWS's domains, in any letter case."""
    name = host.lower()
    labels = name.split(".")
    fit = len(name) <= _NAME_LENGTH_MAX and all(_is_label(label) for label in labels)
    return fit and any(name.endswith(f".{domain}") for domain in AWS_DOMAINS)


def authority_path(data: Path) -> Path:
    """The path of the authority's certificate, for clients."""
    return data / "ca.pem"


class Certificates:
    """Server-side TLS for any of AWS's host names. The folder must exist."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._of_host = lru_cache(maxsize=HOSTS_MAX)(self._made)

    async def prepare(self, store: Store, now: float) -> None:
        """Have the store's authority in the folder. A store without one gets the folder's, or a new one."""
        stored = await store.read(_stored)
        if stored is None or not _is_valid(stored, now):
            found = _in_folder(self._data, now) if stored is None else None
            made = found or _made_authority(now)
            stored = await store.write(partial(_keep, before=stored, made=made))
        _write(self._data, stored)

    def context(self) -> ssl.SSLContext:
        """A context that chooses the certificate by the client's SNI name, and rejects names not AWS's."""
        context = _server_context()

        def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: Any) -> int | None:
            if name is None or not is_aws(name):
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = self._of_host(name.lower())
            return None

        context.sni_callback = choose
        return context

    def _made(self, host: str) -> ssl.SSLContext:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization

        authority = x509.load_pem_x509_certificate(authority_path(self._data).read_bytes())
        key = serialization.load_pem_private_key(_key_path(self._data).read_bytes(), None)
        context = _server_context()
        pem = _host_pem(host, authority, key)
        with tempfile.NamedTemporaryFile(dir=self._data, prefix=".host-") as file:  # mode 0600
            file.write(pem)
            file.flush()
            context.load_cert_chain(file.name)
        return context


def _is_label(label: str) -> bool:
    plain = label.replace("-", "").replace("_", "")
    return 0 < len(label) <= _LABEL_LENGTH_MAX and plain.isascii() and plain.isalnum()


def _server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _stored(tx: Tx) -> Authority | None:
    return _AUTHORITIES.get(tx, _KEY)


def _keep(tx: Tx, before: Authority | None, made: Authority) -> Authority:
    """The one that was made, or another server's that was first."""
    stored = _stored(tx)
    if stored is not None and stored != before:
        return stored
    _AUTHORITIES.put(tx, _KEY, made)
    return made


def _is_valid(authority: Authority, now: float) -> bool:
    """By its age: reading the certificate would import the library at each start."""
    return now - authority.made < _DAY_SECONDS * (_AUTHORITY_DAYS - _RENEWED_DAYS_BEFORE - _HOST_DAYS)


def _key_path(data: Path) -> Path:
    return data / "ca.key"


def _in_folder(data: Path, now: float) -> Authority | None:
    """The authority of a folder whose store has none, since an earlier passrole made it."""
    certificate, key = authority_path(data), _key_path(data)
    if not (certificate.exists() and key.exists()):
        return None
    found = Authority(certificate.read_text(), key.read_text(), certificate.stat().st_mtime)
    return found if _is_valid(found, now) else None


def _write(data: Path, authority: Authority) -> None:
    """Write the folder's files, where they are others."""
    for path, text, mode in (
        (_key_path(data), authority.key, private_files.FILE_MODE),
        (authority_path(data), authority.certificate, private_files.PUBLIC_MODE),
    ):
        if not path.exists() or path.read_text() != text:
            private_files.write(path, text.encode(), mode)


def _made_authority(now: float) -> Authority:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    domains = [x509.DNSName(domain) for domain in AWS_DOMAINS]
    certificate = (
        _certificate("passrole, for this installation alone", None, key.public_key(), _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.NameConstraints(permitted_subtrees=domains, excluded_subtrees=None), critical=True
        )
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    return Authority(pem.decode(), private.decode(), now)


def _host_pem(host: str, authority: "x509.Certificate", authority_key: Any) -> bytes:
    """A key and a certificate for a host, as one PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID

    key: EllipticCurvePrivateKey = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _certificate(host[:_COMMON_NAME_LENGTH_MAX], authority.subject, key.public_key(), _HOST_DAYS)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _certificate(name: str, issuer: "x509.Name | None", key: Any, days: int) -> "x509.CertificateBuilder":
    """A builder with the common fields; self-signed without an issuer."""
    from cryptography import x509

    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
