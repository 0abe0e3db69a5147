"""What a kill leaves on the disk is gone after the next start, and nothing else is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Server, zipped
from tests.services.emr.conftest import Fleet, shell

Start = Callable[..., Server]


def beneath(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*")}


def test_temporary_files_and_parts_without_an_upload_go(start_server: Start) -> None:
    server = start_server()
    s3, work = server.client("s3"), server.data / "s3" / ".work"
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key=".work/key", Body=b"kept")
    upload = s3.create_multipart_upload(Bucket="bucket", Key="k")["UploadId"]
    named = {"Bucket": "bucket", "Key": "k", "UploadId": upload}
    part = s3.upload_part(**named, PartNumber=1, Body=b"part")["ETag"]
    server.kill()
    kept = beneath(work)
    (work / "temporary").write_bytes(b"x")
    (work / upload / "replaced").write_bytes(b"x")
    (work / "no-upload" / "deep").mkdir(parents=True)
    outside = server.data.parent / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"kept")
    (work / "link").symlink_to(outside)
    server.start()
    assert beneath(work) == kept
    assert (outside / "file").exists()
    done = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    s3.complete_multipart_upload(**named, MultipartUpload=done)
    assert s3.get_object(Bucket="bucket", Key="k")["Body"].read() == b"part"
    assert s3.get_object(Bucket="bucket", Key=".work/key")["Body"].read() == b"kept"


def test_code_that_no_function_and_no_version_has_goes(start_server: Start) -> None:
    server = start_server()
    client, folder = server.client("lambda"), server.data / "functions"
    server.function("one", "def handler(event, context): return 1")
    client.publish_version(FunctionName="one")
    code = zipped({"main.py": "def handler(event, context): return 2"})
    client.update_function_code(FunctionName="one", ZipFile=code)
    server.function("elsewhere", "def handler(event, context): return 3", region="eu-west-1")
    server.kill()
    kept = beneath(folder)
    for name in ("one/orphan/inner", "one/.temporary", "gone/upload"):
        (folder / "us-east-1" / name).mkdir(parents=True)
    server.start()
    assert beneath(folder) == kept
    for qualifier, said in (("1", b"1"), ("$LATEST", b"2")):
        assert client.invoke(FunctionName="one", Qualifier=qualifier)["Payload"].read() == said
    there = server.client("lambda", region="eu-west-1")
    assert there.invoke(FunctionName="elsewhere")["Payload"].read() == b"3"


def test_temporary_files_of_steps_that_are_over_go(start_server: Start, tmp_path: Path) -> None:
    server, go = start_server(), tmp_path / "go"
    fleet = Fleet(server)
    cluster = fleet.run(StepConcurrencyLevel=2)
    over, running = fleet.add(
        cluster,
        shell("echo said; touch $TMPDIR/left"),
        shell(f"touch $TMPDIR/used; while [ ! -e {go} ]; do sleep 0.05; done; ls $TMPDIR/used"),
    )
    fleet.step_until(cluster, over)
    fleet.step_until(cluster, running, "RUNNING")
    folder: Any = server.data / "emr" / cluster
    while not (folder / running / "tmp" / "used").exists():
        pass
    server.kill()
    (server.data / "emr" / "j-GONE" / "s-1").mkdir(parents=True)
    server.start()
    assert not (server.data / "emr" / "j-GONE").exists()
    assert not (folder / over / "tmp").exists()
    assert (folder / over / "stdout").read_text() == "said\n"
    go.touch()
    fleet.step_until(cluster, running)
    assert (folder / running / "stdout").read_text() == f"{folder / running}/tmp/used\n"
