"""Files beside the data that make clients trust our certificates, and the SageMaker SDK keep to itself.

Knows no server. The user's own authorities stay trusted, so that everything else he calls by https works on.
"""

from collections.abc import Mapping
from pathlib import Path

from botocore.httpsession import get_cert_path

from passrole import app, private_files
from passrole.client.environment import BUNDLES, SDK_SETTINGS, Https
from passrole.config import Config

_WITHOUT_TELEMETRY = """\
SchemaVersion: "1.0"
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


def https(config: Config, inherited: Mapping[str, str]) -> Https | None:
    """How a running server is reached under AWS's names; None where none runs that could be."""
    proxy = app.proxy(config)
    if proxy is None:
        return None
    data = config.data.resolve()
    authority = app.authority(config).resolve()
    return Https(proxy, _bundle(data, authority, inherited), authority, _sdk_settings(data, inherited))


def _bundle(data: Path, authority: Path, inherited: Mapping[str, str]) -> Path:
    """Whom the user trusts, and us; in an environment of our own making the bundle is there already."""
    bundle = data / "ca-bundle.pem"
    trusted = next((Path(inherited[name]) for name in BUNDLES if inherited.get(name)), None)
    if trusted is None or not trusted.is_file() or trusted == bundle:
        trusted = Path(str(get_cert_path(True)))
    content = trusted.read_bytes().rstrip() + b"\n" + authority.read_bytes()
    private_files.write(bundle, content, private_files.PUBLIC_MODE)
    return bundle


def _sdk_settings(data: Path, inherited: Mapping[str, str]) -> Path | None:
    """Ours, where the user has none: the SDK reads this file in place of his."""
    settings = data / "sagemaker-sdk.yaml"
    his = inherited.get(SDK_SETTINGS, str(settings)) != str(settings)
    if his or any(folder.exists() for folder in _his_folders(inherited)):
        return None
    private_files.write(settings, _WITHOUT_TELEMETRY.encode())
    return settings


def _his_folders(inherited: Mapping[str, str]) -> tuple[Path, ...]:
    """Where the SDK looks by itself, on Linux and on macOS."""
    home = Path.home()
    linux = Path(inherited.get("XDG_CONFIG_HOME") or home / ".config")
    folders = linux / "sagemaker", home / "Library" / "Application Support" / "sagemaker"
    return tuple(folder / "config.yaml" for folder in folders)
