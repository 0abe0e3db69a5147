"""What clients are given to trust, beside what they trust already."""

from pathlib import Path

import pytest
from botocore.httpsession import get_cert_path
from tests.conftest import Server

from passrole.client import ca_bundle
from passrole.config import Config

PEM = "-----BEGIN CERTIFICATE-----"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


def test_the_bundle_holds_everybody_s_authorities_and_ours_last(server: Server) -> None:
    https = ca_bundle.https(Config(data=server.data), {})
    assert https is not None
    bundle = https.bundle.read_text()
    assert bundle.endswith((server.data / "ca.pem").read_text())
    assert bundle.count(PEM) == Path(str(get_cert_path(True))).read_text().count(PEM) + 1


def test_a_company_s_own_bundle_stays_trusted_and_does_not_grow(server: Server, tmp_path: Path) -> None:
    company = tmp_path / "company.pem"
    company.write_text(f"{PEM}\ncompany\n-----END CERTIFICATE-----\n")
    config = Config(data=server.data)
    https = ca_bundle.https(config, {"REQUESTS_CA_BUNDLE": str(company)})
    assert https is not None
    assert https.bundle.read_text().startswith(company.read_text())
    assert https.bundle.read_text().count(PEM) == 2
    again = ca_bundle.https(config, {"AWS_CA_BUNDLE": str(https.bundle)})
    assert again is not None
    assert again.bundle.read_text().count((server.data / "ca.pem").read_text()) == 1


def test_the_sdk_is_told_to_send_no_telemetry_unless_the_user_has_settings_of_his_own(
    server: Server, tmp_path: Path
) -> None:
    config = Config(data=server.data)
    ours = ca_bundle.https(config, {})
    assert ours is not None and ours.sdk_settings is not None
    assert "TelemetryOptOut: true" in ours.sdk_settings.read_text()
    overridden = ca_bundle.https(config, {"SAGEMAKER_USER_CONFIG_OVERRIDE": "s3://team/config.yaml"})
    assert overridden is not None and overridden.sdk_settings is None
    his = tmp_path / ".config" / "sagemaker" / "config.yaml"
    his.parent.mkdir(parents=True)
    his.touch()
    kept = ca_bundle.https(config, {})
    assert kept is not None and kept.sdk_settings is None


def test_without_a_server_there_is_nothing_to_trust(tmp_path: Path) -> None:
    assert ca_bundle.https(Config(data=tmp_path), {}) is None
