"""Script mode does what `sagemaker-training` was seen to do, and refuses what would leave its folder."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.runtimes.programs.training_folder import (
    CASES,
    PROBE,
    PROGRAMS,
    Seen,
    TrainingFolder,
    other_python,
    tiny_wheel,
)

PROGRAM = PROGRAMS / "script_mode.py"
RECORD = json.loads((CASES / "script_mode.json").read_text())
TRAIN = {"sagemaker_program": '"train.py"'}
Make = Callable[[tarfile.TarFile], None]


@pytest.fixture
def folder(tmp_path: Path) -> TrainingFolder:
    return TrainingFolder(tmp_path / "ml")


def run(folder: TrainingFolder, *options: str, python: str = sys.executable, **environment: str) -> Seen:
    return folder.run([python, str(PROGRAM), *options], environment)


def member(name: str, text: str = "", **fields: Any) -> Make:
    """What puts one member into an archive."""

    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.size = len(text.encode())
        for field, value in fields.items():
            setattr(info, field, value)
        tar.addfile(info, io.BytesIO(text.encode()))

    return add


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> Make:
    return member(name, type=kind, linkname=target)


def archive(path: Path, *members: Make) -> str:
    with tarfile.open(path, "w:gz") as tar:
        for add in members:
            add(tar)
    return str(path)


@pytest.mark.parametrize("case", RECORD, ids=lambda case: case["name"])
def test_it_does_what_the_toolkit_did(folder: TrainingFolder, case: dict[str, Any], tmp_path: Path) -> None:
    folder.configure(case["hyperparameters"], case.get("resources"), case.get("channels"))
    folder.write(case["files"])
    options = ["--capture-error"] if case.get("capture_error") else []
    environment = dict(case.get("environment", {}))
    if case.get("capture_error"):
        environment["SAGEMAKER_TRAINING_MODULE"] = "framework:main"
    if "setup.py" in case["files"]:
        environment["PYTHONPATH"] = str(pip_that_installs_the_folder(tmp_path / "pip"))
    seen = run(folder, *options, **environment)
    assert seen == Seen(**case["seen"]), seen.output


def pip_that_installs_the_folder(place: Path) -> Path:
    """The real one would fetch setuptools to build the package with."""
    (place / "pip").mkdir(parents=True)
    (place / "pip/__init__.py").write_text("")
    (place / "pip/__main__.py").write_text(
        "import sys\nassert sys.argv[1:] == ['install', '.'], sys.argv\nassert sys.prefix.endswith('/site')\n"
    )
    return place


@pytest.mark.parametrize("version", ["3.8", "3.13"])
def test_it_needs_no_more_than_an_old_python(folder: TrainingFolder, version: str) -> None:
    folder.configure(TRAIN)
    code = archive(folder.base / "c.tar.gz", member("train.py", PROBE), member("requirements.txt", "pip"))
    seen = run(folder, "--code", code, python=other_python(version))
    assert (seen.exit_code, seen.argv) == (0, ["train.py"]), seen.output


# Where the code comes from


def test_an_archive_that_was_placed_is_unpacked(folder: TrainingFolder) -> None:
    folder.configure({**TRAIN, "sagemaker_submit_directory": '"s3://b/k/sourcedir.tar.gz"'})
    made = archive(folder.base / "c.tar.gz", member("./train.py", PROBE), member("lib/a.py"))
    seen = run(folder, "--code", made)
    assert seen.exit_code == 0, seen.output
    assert (folder.base / "code/lib/a.py").exists()
    assert seen.variables is not None
    assert seen.variables["SM_MODULE_DIR"] == "s3://b/k/sourcedir.tar.gz"


def test_a_folder_that_was_placed_is_copied(folder: TrainingFolder) -> None:
    folder.configure(TRAIN)
    folder.write({"train.py": "@probe", "lib/a.py": ""}, "placed")
    assert run(folder, "--code", str(folder.base / "placed")).success
    assert (folder.base / "code/lib/a.py").exists()


def test_where_nothing_was_placed_the_hyperparameter_counts(folder: TrainingFolder) -> None:
    folder.write({"train.py": "@probe"}, "elsewhere")
    folder.configure({**TRAIN, "sagemaker_submit_directory": json.dumps(str(folder.base / "elsewhere"))})
    assert run(folder, "--code", "/nowhere/code.tar.gz").success


def test_code_that_is_nowhere_is_a_failure(folder: TrainingFolder) -> None:
    folder.configure({**TRAIN, "sagemaker_submit_directory": '"/nowhere"'})
    assert run(folder).failure == "The source directory '/nowhere' does not exist."


def test_code_that_is_there_is_run_as_it_is(folder: TrainingFolder) -> None:
    folder.configure({**TRAIN, "sagemaker_submit_directory": '"s3://nobody/fetches/this"'})
    folder.write({"train.py": "@probe"})
    assert run(folder, "--code", "/nowhere").success


def test_code_in_s3_is_fetched_by_the_users_boto3(folder: TrainingFolder) -> None:
    folder.configure({**TRAIN, "sagemaker_submit_directory": '"s3://b/a%20b/é/sourcedir.tar.gz"'})
    made = archive(folder.base / "c.tar.gz", member("train.py", PROBE))
    fake = (
        "import shutil\nclass Client:\n"
        " def download_file(self, bucket, key, target):\n"
        "  assert (bucket, key) == ('b', 'a%20b/é/sourcedir.tar.gz')\n"
        f"  shutil.copy({made!r}, target)\n"
        "def client(service, region_name, endpoint_url):\n"
        " assert (service, region_name, endpoint_url) == ('s3', 'eu-west-1', None)\n return Client()\n"
    )
    folder.write({"boto3.py": fake}, "fakes")
    seen = run(folder, PYTHONPATH=str(folder.base / "fakes"), AWS_REGION="eu-west-1")
    assert seen.success, seen.output


@pytest.mark.parametrize(
    "bad, said",
    [
        ([member("../out.py")], "'../out.py' leads out of the folder"),
        ([member("a/../../out.py")], "'a/../../out.py' leads out of the folder"),
        ([member("/tmp/out.py")], "'/tmp/out.py' is an absolute name"),
        ([link("out", "/etc/passwd")], "'out' is a link to '/etc/passwd', out of the folder"),
        ([link("out", "../../..")], "'out' is a link to '../../..', out of the folder"),
        ([link("out", "../input", tarfile.LNKTYPE)], "'out' is a link to '../input', out of the folder"),
        ([link("out", "/etc/passwd", tarfile.LNKTYPE)], "'out' is a link to '/etc/passwd', out of"),
        ([link("a", "."), link("a/b", "..")], "'a/b' is a link to '..', out of the folder"),
        ([member("pipe", type=tarfile.FIFOTYPE)], "'pipe' is neither a file nor a folder"),
        ([member("dev", type=tarfile.CHRTYPE)], "'dev' is neither a file nor a folder"),
    ],
)
def test_an_archive_that_would_leave_its_folder_is_refused(
    folder: TrainingFolder, bad: list[Make], said: str
) -> None:
    folder.configure(TRAIN)
    made = archive(folder.base / "c.tar.gz", member("train.py", PROBE), *bad)
    seen = run(folder, "--code", made)
    assert (seen.exit_code, seen.success, seen.argv) == (1, False, None)
    assert seen.failure == f"The source archive '/opt/ml/c.tar.gz' is refused: {said.removesuffix(' of')}" + (
        " of the folder." if said.endswith(" of") else "."
    )


def test_links_within_the_archive_are_kept(folder: TrainingFolder) -> None:
    folder.configure(TRAIN)
    made = archive(
        folder.base / "c.tar.gz",
        member("lib/train.py", PROBE, mode=0o4000),
        link("train.py", "lib/train.py"),
        link("other.py", "lib/train.py", tarfile.LNKTYPE),
    )
    assert run(folder, "--code", made).success
    assert (folder.base / "code/lib/train.py").stat().st_mode & 0o7600 == 0o600


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00garbage"])
def test_what_is_no_archive_is_the_program_itself_or_a_failure(
    folder: TrainingFolder, content: bytes
) -> None:
    folder.configure(TRAIN)
    (folder.base / "c.tar.gz").write_bytes(content)
    seen = run(folder, "--code", str(folder.base / "c.tar.gz"))
    assert (seen.exit_code, seen.success) == (1, False)
    assert seen.failure is not None


def test_an_archive_cut_short_is_said_to_be_so(folder: TrainingFolder) -> None:
    folder.configure(TRAIN)
    made = Path(archive(folder.base / "c.tar.gz", member("train.py", os.urandom(5000).hex())))
    made.write_bytes(made.read_bytes()[:3000])
    seen = run(folder, "--code", str(made))
    assert seen.failure is not None
    assert seen.failure.startswith("The source archive '/opt/ml/c.tar.gz' cannot be unpacked: ")


# Hostile hyperparameters


@pytest.mark.parametrize("name", ["train.py", "go.sh"])
def test_hyperparameters_reach_no_shell(folder: TrainingFolder, name: str) -> None:
    hostile = [
        "$(touch gone)",
        "`touch gone`",
        "a\nb\n",
        "'; touch gone; '",
        '"',
        "|&;<>*?~#",
        "-c",
        "",
        "\\",
    ]
    given = {f"h{index}; touch gone": json.dumps(value) for index, value in enumerate(hostile)}
    folder.configure({**given, "sagemaker_program": json.dumps(name)})
    folder.write({"train.py": "@probe", "go.sh": '#!/bin/sh\nexec @python train.py "$@"\n'})
    seen = run(folder)
    assert seen.argv is not None, seen.output
    assert seen.argv[2::2] == hostile
    assert not list(folder.base.rglob("gone"))


def test_a_value_of_100_kb_arrives(folder: TrainingFolder) -> None:
    folder.configure({**TRAIN, "long": json.dumps("x" * 100_000)})
    folder.write({"train.py": "@probe"})
    seen = run(folder)
    assert seen.argv == ["train.py", "--long", "x" * 100_000]


@pytest.mark.parametrize(
    "hyperparameters, said",
    [
        ({"many": json.dumps("x" * 140_000)}, "Argument list too long"),
        ({"a=b": "1"}, "illegal environment variable name"),
        ({"nul": '"a\\u0000b"'}, "embedded null byte"),
        ({"half": '"\\ud800"'}, "surrogates not allowed"),
    ],
)
def test_what_no_process_can_be_given_is_a_failure(
    folder: TrainingFolder, hyperparameters: dict[str, str], said: str
) -> None:
    folder.configure({**TRAIN, **hyperparameters})
    folder.write({"train.py": "@probe"})
    seen = run(folder)
    assert seen.exit_code != 0
    assert seen.argv is None
    assert seen.failure is not None
    assert seen.failure.startswith("Framework Error: \nTraceback")
    assert said in seen.failure


def test_json_of_any_depth_is_text(folder: TrainingFolder) -> None:
    folder.configure({**TRAIN, "deep": "[" * 20_000})
    folder.write({"train.py": "@probe"})
    assert run(folder).argv == ["train.py", "--deep", "[" * 20_000]


@pytest.mark.parametrize(
    "program",
    [
        "../x.py",
        "/bin/sh",
        "-c",
        "a b.py",
        "x;id",
        "$(id).sh",
        "./train.py",
        "a/../x.py",
        "train.py\n",
        "",
        "null",
    ],
)
def test_an_entry_point_that_is_no_path_in_the_code_is_refused(folder: TrainingFolder, program: str) -> None:
    folder.configure({"sagemaker_program": json.dumps(program) if program != "null" else "null"})
    folder.write({"train.py": "@probe"})
    seen = run(folder)
    assert (seen.exit_code, seen.argv) == (1, None)
    assert seen.failure is not None
    assert "ntry point" in seen.failure


def test_an_entry_point_that_links_out_of_the_code_is_refused(folder: TrainingFolder) -> None:
    folder.configure(TRAIN)
    folder.write({"elsewhere.py": "@probe"}, "input")
    (folder.base / "code/train.py").symlink_to(folder.base / "input/elsewhere.py")
    assert (
        run(folder).failure == "The entry point 'train.py' is a link that leads out of the source directory."
    )


# Requirements


def test_requirements_go_into_the_jobs_own_layer(folder: TrainingFolder) -> None:
    folder.configure(TRAIN)
    folder.write({"requirements.txt": "./tiny-1.0-py3-none-any.whl\n", "train.py": "import tiny\n@probe"})
    tiny_wheel(folder.base / "code")
    seen = run(folder, PIP_NO_INDEX="1")
    assert seen.success, seen.output
    assert [path.name for path in (folder.base / "site").glob("lib/*/site-packages/tiny.py")] == ["tiny.py"]
    assert subprocess.run([sys.executable, "-c", "import tiny"], capture_output=True).returncode == 1


def test_without_requirements_no_layer_is_made(folder: TrainingFolder) -> None:
    folder.configure(TRAIN)
    folder.write({"train.py": "@probe"})
    assert run(folder).success
    assert not (folder.base / "site").exists()


# Signals and streams


def test_term_reaches_the_program_and_its_grace_is_waited_for(folder: TrainingFolder) -> None:
    folder.configure(TRAIN)
    folder.write({"train.py": _SAVES_ON_TERM})
    job = started(folder)
    job.send_signal(signal.SIGTERM)
    assert job.wait(30) == 0
    assert (folder.base / "model/saved").exists()
    assert (folder.base / "output/success").exists()


@pytest.mark.parametrize("name", ["train.py", "go.sh"])
def test_a_program_that_ends_by_term_has_failed(folder: TrainingFolder, name: str) -> None:
    folder.configure({"sagemaker_program": json.dumps(name)})
    folder.write({"train.py": _SLEEPS, "go.sh": "#!/bin/sh\nexec @python train.py\n"})
    job = started(folder)
    job.send_signal(signal.SIGTERM)
    assert job.wait(30) == 1
    assert "ExitCode -15" in (folder.base / "output/failure").read_text()


def started(folder: TrainingFolder) -> "subprocess.Popen[bytes]":
    """Script mode, whose program has begun."""
    job = subprocess.Popen([sys.executable, str(PROGRAM)], env=folder.environment())
    until = time.monotonic() + 30
    while not (folder.base / "begun").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    return job


_SLEEPS = """\
import os, pathlib, time
base = pathlib.Path(os.environ["SM_MODEL_DIR"]).parent
(base / "begun").touch()
time.sleep(60)
"""
_SAVES_ON_TERM = (
    """\
import signal, sys
def save(*_):
    time.sleep(0.2)
    (base / "model/saved").touch()
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
"""
    + _SLEEPS
)


def test_what_is_captured_is_bounded_and_passed_on(folder: TrainingFolder) -> None:
    folder.configure(TRAIN)
    loud = (
        "import sys\nprint('before')\nfor i in range(5000): print('ValueError', i, 'x' * 100)\nsys.exit(1)\n"
    )
    folder.write({"train.py": loud})
    seen = run(folder, "--capture-error")
    assert seen.failure is not None
    assert len(seen.failure) < 100_000
    assert "ValueError 4999" in seen.output
    assert "before" in seen.output


def test_a_process_left_behind_does_not_hold_the_job(folder: TrainingFolder) -> None:
    folder.configure(TRAIN)
    folder.write({"train.py": "import subprocess\nprint(subprocess.Popen(['sleep', '40']).pid)\n"})
    begun = time.monotonic()
    with (folder.base / "log").open("wb") as file:
        command = [sys.executable, str(PROGRAM), "--capture-error"]
        job = subprocess.run(command, env=folder.environment(), stdout=file, stderr=subprocess.DEVNULL)
    os.kill(int((folder.base / "log").read_text().split()[0]), signal.SIGKILL)
    assert job.returncode == 0
    assert time.monotonic() - begun < 30


def test_a_failure_in_bad_utf_8_is_written(folder: TrainingFolder) -> None:
    folder.configure(TRAIN)
    loud = "import sys\nsys.stderr.buffer.write(b'ValueError: \\xff\\xfe\\n')\nsys.exit(1)\n"
    folder.write({"train.py": loud})
    seen = run(folder, "--capture-error")
    assert seen.failure is not None
    assert 'ErrorMessage "ValueError: \ufffd\ufffd"' in seen.failure
