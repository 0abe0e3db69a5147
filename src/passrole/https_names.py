"""The variables with which AWS's own https names reach a server, for clients and for jobs. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1,localhost"
BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
SDK_SETTINGS = "SAGEMAKER_USER_CONFIG_OVERRIDE"


@dataclass(frozen=True)
class Https:
    """How AWS's own https names reach a server.

    `bundle` holds the authorities to trust, ours and the user's; `authority` ours alone. `sdk_settings` is
    the SageMaker SDK's settings file that keeps it from sending telemetry; None leaves the user's own.
    """

    proxy: str
    bundle: Path
    authority: Path
    sdk_settings: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the variables name."""
        return tuple(filter(None, (self.bundle, self.authority, self.sdk_settings)))

    def below(self, folder: Path) -> "Https":
        """The same with its files in another folder, where a container is shown them."""
        settings = self.sdk_settings and folder / self.sdk_settings.name
        return Https(self.proxy, folder / self.bundle.name, folder / self.authority.name, settings)

    def variables(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """The variables to set; hosts in the user's NO_PROXY stay in it."""
        values = dict.fromkeys(("HTTPS_PROXY", "https_proxy"), self.proxy)
        values |= {name: str(self.bundle) for name in BUNDLES}
        values["NODE_EXTRA_CA_CERTS"] = str(self.authority)
        if self.sdk_settings is not None:
            values[SDK_SETTINGS] = str(self.sdk_settings)
        excepted = inherited.get("NO_PROXY") or inherited.get("no_proxy") or ""
        hosts = dict.fromkeys([*filter(None, excepted.split(",")), *LOOPBACK.split(",")])
        return values | {name: ",".join(hosts) for name in ("NO_PROXY", "no_proxy")}
