"""`passrole doctor --install-s3a`: only the jars that are known get into the folder."""

import io
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from passrole.cli import main
from passrole.cli.server import s3a_download


def test_without_a_folder_it_says_which_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_DATA_HOME", "PASSROLE_S3A_JARS"):
        monkeypatch.delenv(name, raising=False)
    ended = CliRunner().invoke(main, ["doctor", "--install-s3a"])
    assert (ended.exit_code, "s3a_jars" in ended.stderr) == (2, True)


@pytest.mark.parametrize("names", [["deps/jars/hadoop-aws-3.3.1.jar"], ["other.txt"]])
def test_what_is_not_the_expected_jar_is_refused(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "package.tar.gz"
    with tarfile.open(package, "w:gz") as archive:
        for name in names:
            member = tarfile.TarInfo(f"package-1/{name}")
            member.size = 4
            archive.addfile(member, io.BytesIO(b"evil"))
    monkeypatch.setattr(s3a_download, "_downloaded", lambda _: package)
    monkeypatch.setenv("PASSROLE_S3A_JARS", str(tmp_path / "jars"))
    ended = CliRunner().invoke(main, ["doctor", "--install-s3a", "--data", str(tmp_path / "data")])
    assert (ended.exit_code, "is not the one that was expected" in ended.stderr) == (1, True)
    assert list((tmp_path / "jars").iterdir()) == []
