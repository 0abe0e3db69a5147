"""Files in the data folder: the authorities that clients trust, and settings that stop the SDK's telemetry.

The user's own authorities stay trusted, so that other https calls still work.
"""

from collections.abc import Mapping
from pathlib import Path

from botocore.httpsession import get_cert_path

from passrole import app, private_files, server_file
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
    """The proxy and CA bundle with which AWS's https names reach the server; None if no server runs."""
    proxy = server_file.proxy(config)
    if proxy is None:
        return None
    data = config.data.resolve()
    authority = app.authority(config).resolve()
    return Https(proxy, _bundle(data, authority, inherited), authority, _sdk_settings(data, inherited))


def _bundle(data: Path, authority: Path, inherited: Mapping[str, str]) -> Path:
    """The user's authorities and ours. After `passrole env` the environment names our bundle already."""
    bundle = data / "ca-bundle.pem"
    trusted = next((Path(inherited[name]) for name in BUNDLES if inherited.get(name)), None)
    if trusted is None or not trusted.is_file() or trusted == bundle:
        trusted = Path(str(get_cert_path(True)))
    content = trusted.read_bytes().rstrip() + b"\n" + authority.read_bytes()
    private_files.write(bundle, content, private_files.PUBLIC_MODE)
    return bundle


def _sdk_settings(data: Path, inherited: Mapping[str, str]) -> Path | None:
    """Our settings, only if the user has none: the SDK reads this file instead of the user's."""
    settings = data / "sagemaker-sdk.yaml"
    overridden = inherited.get(SDK_SETTINGS, str(settings)) != str(settings)
    if overridden or any(file.exists() for file in _sdk_files(inherited)):
        return None
    private_files.write(settings, _WITHOUT_TELEMETRY.encode())
    return settings


def _sdk_files(inherited: Mapping[str, str]) -> tuple[Path, ...]:
    """The SDK's default settings files on Linux and macOS."""
    home = Path.home()
    linux = Path(inherited.get("XDG_CONFIG_HOME") or home / ".config")
    folders = linux / "sagemaker", home / "Library" / "Application Support" / "sagemaker"
    return tuple(folder / "config.yaml" for folder in folders)
