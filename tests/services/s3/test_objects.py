"""PutObject, GetObject, HeadObject and DeleteObject: shape, refusals, effect."""

import base64
import hashlib
import zlib
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from passrole.services.s3 import objects

S3: TypeAlias = Any


def crc32(body: bytes) -> str:
    return base64.b64encode(zlib.crc32(body).to_bytes(4)).decode()


def test_an_object_is_the_file_under_its_key(s3: S3) -> None:
    answer = s3.put("models/a/weights.bin", b"0123456789")
    etag = f'"{hashlib.md5(b"0123456789").hexdigest()}"'
    assert answer == {"ETag": etag, "ServerSideEncryption": "AES256"}
    assert (s3.root / "models/a/weights.bin").read_bytes() == b"0123456789"
    assert s3.get("models/a/weights.bin") == b"0123456789"


def test_a_reader_is_told_what_the_writer_said(s3: S3) -> None:
    body = b"a,b\n1,2\n"
    said = {"content_type": "text/csv", "cache_control": "no-store", "metadata": {"Team": "ml"}}
    s3.put("t.csv", body, checksum_crc32=crc32(body), tagging="stage=raw&x=", **said)
    answer = s3.get_object(bucket="data", key="t.csv", checksum_mode="ENABLED")
    assert answer.pop("LastModified") == int((s3.root / "t.csv").stat().st_mtime)
    assert answer == {
        "AcceptRanges": "bytes",
        "Body": body,
        "CacheControl": "no-store",
        "ChecksumCRC32": crc32(body),
        "ChecksumType": "FULL_OBJECT",
        "ContentLength": len(body),
        "ContentType": "text/csv",
        "ETag": f'"{hashlib.md5(body).hexdigest()}"',
        "Metadata": {"team": "ml"},
        "ServerSideEncryption": "AES256",
        "TagCount": 2,
    }
    assert "ChecksumCRC32" not in s3.head("t.csv")


def test_a_file_that_another_program_wrote_is_an_object_with_defaults(s3: S3) -> None:
    s3.put("part-0", b"ours", content_type="text/plain", metadata={"a": "b"})
    (s3.root / "part-0").write_bytes(b"from Spark")
    (s3.root / "out").mkdir()
    (s3.root / "out/part-1").write_bytes(b"from Spark too")
    answer = s3.head("part-0")
    assert (answer["ContentType"], answer["Metadata"]) == ("binary/octet-stream", {})
    assert answer["ETag"] == f'"{hashlib.md5(b"from Spark").hexdigest()}"'
    assert s3.get("out/part-1") == b"from Spark too"


def test_what_was_said_of_an_object_ends_with_the_object(s3: S3) -> None:
    s3.put("k", content_type="text/plain", tagging="a=b")
    s3.put("k", b"another")
    assert s3.head("k")["ContentType"] == "binary/octet-stream"
    assert s3.get_object_tagging(bucket="data", key="k") == {"TagSet": []}


@pytest.mark.parametrize(
    "header, bytes_, content_range",
    [
        ("bytes=0-3", b"0123", "bytes 0-3/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-2", b"89", "bytes 8-9/10"),
        ("bytes=5-99", b"56789", "bytes 5-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
        ("bytes=3-1", b"0123456789", None),
        ("lines=1-2", b"0123456789", None),
        ("bytes=0-1,4-5", b"0123456789", None),
    ],
)
def test_a_range_is_a_part_of_the_bytes(s3: S3, header: str, bytes_: bytes, content_range: str) -> None:
    s3.put("k", b"0123456789")
    answer = s3.get_object(bucket="data", key="k", range_=header)
    assert (answer["Body"], answer["ContentLength"]) == (bytes_, len(bytes_))
    assert answer.get("ContentRange") == content_range


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_a_range_beyond_the_end_is_refused(s3: S3, header: str) -> None:
    s3.put("k", b"0123456789")
    assert s3.refusal(lambda: s3.get("k", range_=header)) == ("InvalidRange", 416)


@pytest.mark.parametrize(
    "condition, refused",
    [
        ({"if_match": "etag"}, None),
        ({"if_match": "*"}, None),
        ({"if_match": '"other"'}, ("PreconditionFailed", 412)),
        ({"if_none_match": "etag"}, ("NotModified", 304)),
        ({"if_none_match": '"other"'}, None),
        ({"if_modified_since": 0.0}, None),
        ({"if_modified_since": 1_799_999_999.0}, ("NotModified", 304)),
        ({"if_modified_since": 4e9}, None),
        ({"if_unmodified_since": 0.0}, ("PreconditionFailed", 412)),
        ({"if_unmodified_since": 4e9}, None),
        ({"if_match": "etag", "if_unmodified_since": 0.0}, None),
        ({"if_none_match": '"other"', "if_modified_since": 4e9}, None),
    ],
)
def test_a_condition_decides_whether_an_object_is_read(
    s3: S3, condition: dict[str, Any], refused: tuple[str, int] | None
) -> None:
    etag = s3.put("k")["ETag"]
    given = {name: etag if value == "etag" else value for name, value in condition.items()}
    if refused is None:
        assert s3.get("k", **given) == b"bytes"
    else:
        assert s3.refusal(lambda: s3.get("k", **given)) == refused
        assert s3.refusal(lambda: s3.head("k", **given)) == refused


def test_a_write_may_demand_that_nothing_is_there(s3: S3) -> None:
    s3.put("lock", b"first", if_none_match="*")
    assert s3.refusal(lambda: s3.put("lock", b"second", if_none_match="*")) == ("PreconditionFailed", 412)
    assert s3.get("lock") == b"first"


def test_a_write_may_demand_what_is_there(s3: S3) -> None:
    etag = s3.put("k", b"first")["ETag"]
    s3.put("k", b"second", if_match=etag)
    assert s3.refusal(lambda: s3.put("k", b"third", if_match=etag)) == ("PreconditionFailed", 412)
    assert s3.refusal(lambda: s3.put("none", b"third", if_match=etag)) == ("NoSuchKey", 404)
    assert s3.get("k") == b"second"


@pytest.mark.parametrize(
    "digest, code",
    [
        ({"checksum_crc32": crc32(b"bytes")}, None),
        ({"checksum_crc32": crc32(b"other")}, "BadDigest"),
        ({"checksum_sha256": base64.b64encode(hashlib.sha256(b"other").digest()).decode()}, "BadDigest"),
        ({"checksum_sha1": "not base64!"}, "InvalidDigest"),
        ({"checksum_crc32": "AAAA"}, "InvalidDigest"),
        ({"content_md5": base64.b64encode(hashlib.md5(b"bytes").digest()).decode()}, None),
        ({"content_md5": base64.b64encode(hashlib.md5(b"other").digest()).decode()}, "BadDigest"),
        ({"content_md5": "AAAA"}, "InvalidDigest"),
    ],
)
def test_bytes_are_held_against_what_vouches_for_them(
    s3: S3, digest: dict[str, str], code: str | None
) -> None:
    if code is None:
        s3.put("k", **digest)
    else:
        assert s3.refusal(lambda: s3.put("k", **digest)) == (code, 400)
    assert s3.keys() == (["k"] if code is None else [])
    assert not any(each.is_file() for each in (s3.folder / "s3/.work").rglob("*"))


@pytest.mark.parametrize(
    "key",
    ["../out", "a/../../out", "/etc/out", "a//b", ".", "a/./b", "a\0b", "x" * 256, "a//", "/"],
)
def test_a_key_that_a_folder_cannot_hold_is_refused_and_never_there(s3: S3, key: str) -> None:
    assert s3.refusal(lambda: s3.put(key)) == ("InvalidRequest", 400)
    assert s3.refusal(lambda: s3.get(key)) == ("NoSuchKey", 404)
    assert s3.delete_object(bucket="data", key=key) == {}
    assert s3.keys() == []
    assert not (s3.folder / "s3/out").exists()


def test_a_key_of_over_1024_bytes_is_too_long(s3: S3) -> None:
    assert s3.refusal(lambda: s3.put("x/" * 512 + "x")) == ("KeyTooLongError", 400)


def test_an_object_is_not_also_a_folder(s3: S3) -> None:
    s3.put("a", b"file")
    s3.put("b/c", b"deeper")
    assert s3.refusal(lambda: s3.put("a/b")) == ("InvalidRequest", 400)
    assert s3.refusal(lambda: s3.put("b")) == ("InvalidRequest", 400)
    assert s3.refusal(lambda: s3.put("a/", b"")) == ("InvalidRequest", 400)
    assert s3.refusal(lambda: s3.get("b")) == ("NoSuchKey", 404)
    assert (s3.get("a"), s3.get("b/c"), s3.keys()) == (b"file", b"deeper", ["a", "b/c"])


def test_no_link_leads_out_of_the_bucket(s3: S3, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/file").write_text("secret")
    (s3.root / "folder").symlink_to(tmp_path / "secret")
    (s3.root / "file").symlink_to(tmp_path / "secret/file")
    assert s3.refusal(lambda: s3.get("folder/file")) == ("NoSuchKey", 404)
    assert s3.refusal(lambda: s3.get("file")) == ("NoSuchKey", 404)
    assert s3.refusal(lambda: s3.put("folder/new")) == ("InvalidRequest", 400)
    s3.delete_object(bucket="data", key="folder/file")
    assert s3.keys() == []
    assert sorted(each.name for each in (tmp_path / "secret").iterdir()) == ["file"]
    assert (tmp_path / "secret/file").read_text() == "secret"


def test_a_folder_marker_is_an_empty_object_that_keeps_its_folder(s3: S3) -> None:
    s3.put("empty/", b"")
    s3.put("empty/k")
    s3.delete_object(bucket="data", key="empty/k")
    assert (s3.root / "empty").is_dir()
    assert s3.keys() == ["empty/"]
    assert s3.head("empty/")["ContentLength"] == 0
    assert s3.refusal(lambda: s3.put("full/", b"bytes")) == ("InvalidRequest", 400)
    s3.delete_object(bucket="data", key="empty/")
    assert (s3.keys(), (s3.root / "empty").exists()) == ([], False)


def test_deleting_removes_the_file_and_the_folders_that_only_it_needed(s3: S3) -> None:
    s3.put("a/b/c")
    s3.put("a/d")
    assert s3.delete_object(bucket="data", key="a/b/c") == {}
    assert s3.delete_object(bucket="data", key="a/b/c") == {}
    assert [str(each.relative_to(s3.root)) for each in sorted(s3.root.rglob("*"))] == ["a", "a/d"]


def test_a_delete_may_demand_what_is_there(s3: S3) -> None:
    etag = s3.put("k")["ETag"]
    refused = s3.refusal(lambda: s3.delete_object(bucket="data", key="k", if_match='"other"'))
    assert refused == ("PreconditionFailed", 412)
    s3.delete_object(bucket="data", key="k", if_match=etag)
    assert s3.keys() == []


def meanwhile(s3: S3, monkeypatch: pytest.MonkeyPatch, name: str, key: str, body: bytes) -> None:
    """Another caller's object is acknowledged when the next call comes to `name` of objects.py."""
    real = getattr(objects, name)

    async def after_another(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(objects, name, real)
        await s3.handler("put_object")(s3.context, bucket="data", key=key, body=body)
        return await real(*given, **more)

    monkeypatch.setattr(objects, name, after_another)


CONFLICT = ("ConditionalRequestConflict", 409)


@pytest.mark.parametrize("any_object", [False, True])
def test_a_delete_that_demands_an_object_leaves_the_one_that_replaced_it(
    s3: S3, monkeypatch: pytest.MonkeyPatch, any_object: bool
) -> None:
    etag = s3.put("k", b"old")["ETag"]
    meanwhile(s3, monkeypatch, "remove", "k", b"new")
    wanted = "*" if any_object else etag
    assert s3.refusal(lambda: s3.delete_object(bucket="data", key="k", if_match=wanted)) == CONFLICT
    assert s3.get("k") == b"new"


def test_in_a_list_too_a_delete_leaves_what_replaced_the_object(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = s3.put("k", b"old")["ETag"]
    meanwhile(s3, monkeypatch, "remove", "k", b"new")
    answer = s3.delete_objects(bucket="data", delete={"Objects": [{"Key": "k", "ETag": etag}]})
    assert [(each["Key"], each["Code"]) for each in answer["Errors"]] == [("k", CONFLICT[0])]
    assert "Deleted" not in answer
    assert s3.get("k") == b"new"


@pytest.mark.parametrize("key, body, name", [("k", b"new", "put"), ("folder/", b"", "put_marker")])
def test_a_write_that_demands_nothing_leaves_what_came_meanwhile(
    s3: S3, monkeypatch: pytest.MonkeyPatch, key: str, body: bytes, name: str
) -> None:
    meanwhile(s3, monkeypatch, name, key, body)
    assert s3.refusal(lambda: s3.put(key, b"", if_none_match="*", metadata={"a": "b"})) == CONFLICT
    found = s3.get_object(bucket="data", key=key)
    assert (found["Body"], found["Metadata"]) == (body, {})


def test_a_marker_is_deleted_if_it_is_what_was_demanded(s3: S3) -> None:
    etag = s3.put("folder/", b"")["ETag"]
    s3.delete_object(bucket="data", key="folder/", if_match=etag)
    assert s3.keys() == []


def test_many_are_deleted_at_once_and_each_is_told(s3: S3) -> None:
    for key in ("a", "b", "c"):
        s3.put(key)
    s3.denied.add(("DeleteObject", "b"))
    wanted = [{"Key": key} for key in ("a", "b", "gone")]
    answer = s3.delete_objects(bucket="data", delete={"Objects": wanted})
    assert answer["Deleted"] == [{"Key": "a"}, {"Key": "gone"}]
    assert [(each["Key"], each["Code"]) for each in answer["Errors"]] == [("b", "AccessDenied")]
    assert s3.keys() == ["b", "c"]
    assert s3.delete_objects(bucket="data", delete={"Objects": [{"Key": "c"}], "Quiet": True}) == {}
    assert s3.refusal(lambda: s3.delete_objects(bucket="data", delete={})) == ("MalformedXML", 400)
    nowhere = {"bucket": "none", "delete": {"Objects": [{"Key": "c"}]}}
    assert s3.refusal(lambda: s3.delete_objects(**nowhere)) == ("NoSuchBucket", 404)


def test_who_may_not_list_does_not_learn_what_is_missing(s3: S3) -> None:
    s3.denied.add(("HeadBucket", ""))
    assert s3.refusal(lambda: s3.get("none")) == ("AccessDenied", 403)


@pytest.mark.parametrize("operation", ["get_object", "head_object", "put_object", "delete_object"])
def test_a_bucket_that_is_not_there_or_not_the_expected_owners(s3: S3, operation: str) -> None:
    act = getattr(s3, operation)
    assert s3.refusal(lambda: act(bucket="none", key="k")) == ("NoSuchBucket", 404)
    other = {"bucket": "data", "key": "k", "expected_bucket_owner": "999988887777"}
    assert s3.refusal(lambda: act(**other)) == ("AccessDenied", 403)


@pytest.mark.parametrize(
    "said, code",
    [
        ({"acl": "public-read"}, "AccessControlListNotSupported"),
        ({"storage_class": "GLACIER"}, "InvalidStorageClass"),
        ({"server_side_encryption": "aws:fsx"}, "InvalidArgument"),
        ({"server_side_encryption": "aws:kms", "ssekms_key_id": "k"}, "KMS.NotFoundException"),
        ({"ssekms_key_id": "alias/aws/s3"}, "InvalidArgument"),
        ({"metadata": {"a": "x" * 2048}}, "MetadataTooLarge"),
        ({"tagging": "&".join(f"k{n}=v" for n in range(11))}, "BadRequest"),
        ({"tagging": "a=1&a=2"}, "InvalidTag"),
        ({"if_none_match": '"etag"'}, "NotImplemented"),
        ({"if_match": "*"}, "NotImplemented"),
        ({"if_match": '"etag"', "if_none_match": "*"}, "NotImplemented"),
    ],
)
def test_what_a_folder_does_not_do_is_refused(s3: S3, said: dict[str, Any], code: str) -> None:
    assert s3.refusal(lambda: s3.put("k", **said))[0] == code
    assert s3.keys() == []
