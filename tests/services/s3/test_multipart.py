"""Objects in parts: shape, refusals, effect."""

import asyncio
import base64
import dataclasses
import errno
import hashlib
import zlib
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from passrole.services.s3 import complete_multipart_upload, objects, rows, temporary_files
from passrole.services.s3.turns import turn

S3: TypeAlias = Any


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of four bytes are enough, so that tests need no megabytes."""
    monkeypatch.setattr(complete_multipart_upload, "PART_BYTES_MIN", 4)


def begun(s3: S3, key: str = "k", **more: Any) -> str:
    upload: str = s3.create_multipart_upload(bucket="data", key=key, **more)["UploadId"]
    return upload


def sent(s3: S3, upload: str, number: int, body: bytes, **more: Any) -> dict[str, Any]:
    named = {"bucket": "data", "key": "k", "upload_id": upload}
    return {"PartNumber": number, **s3.upload_part(**named, part_number=number, body=body, **more)}


def completed(s3: S3, upload: str, parts: Sequence[dict[str, Any]], **more: Any) -> dict[str, Any]:
    named = {"bucket": "data", "key": "k", "upload_id": upload}
    answer: dict[str, Any] = s3.complete_multipart_upload(**named, multipart_upload={"Parts": parts}, **more)
    return answer


def crc32(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(4)


def written(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def test_parts_become_one_file(s3: S3) -> None:
    upload = begun(s3, content_type="text/plain", metadata={"a": "b"}, tagging="t=1")
    second, first = sent(s3, upload, 7, b"56"), sent(s3, upload, 2, b"1234")
    assert s3.keys() == []
    answer = completed(s3, upload, [first, second])
    digest = hashlib.md5(hashlib.md5(b"1234").digest() + hashlib.md5(b"56").digest()).hexdigest()
    etag = f'"{digest}-2"'
    assert answer == {
        "Location": "https://data.s3.us-east-1.amazonaws.com/k",
        "Bucket": "data",
        "Key": "k",
        "ETag": etag,
        "ServerSideEncryption": "AES256",
    }
    found = s3.get_object(bucket="data", key="k")
    assert (found["Body"], found["ETag"], found["ContentType"]) == (b"123456", etag, "text/plain")
    assert (found["Metadata"], found["TagCount"]) == ({"a": "b"}, 1)
    assert (s3.root / "k").read_bytes() == b"123456"
    assert not any(each.is_file() for each in (s3.folder / "s3/.work").rglob("*"))


def test_an_object_of_parts_is_whole_though_what_tells_of_it_cannot_be_written(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    upload = begun(s3, content_type="text/plain", metadata={"a": "b"})
    parts = [sent(s3, upload, 1, b"1234"), sent(s3, upload, 2, b"56")]
    with monkeypatch.context() as patched, pytest.raises(OSError, match="no room"):
        patched.setattr(rows, "confirm", no_room)
        completed(s3, upload, parts)
    found = s3.head("k")
    assert found["ETag"].endswith('-2"')
    assert (found["ContentType"], found["Metadata"]) == ("text/plain", {"a": "b"})
    assert completed(s3, upload, parts)["ETag"] == found["ETag"]
    assert s3.get("k") == b"123456"


def test_a_part_is_replaced_by_one_of_its_number(s3: S3) -> None:
    upload = begun(s3)
    old, new = sent(s3, upload, 1, b"old"), sent(s3, upload, 1, b"new")
    assert s3.refusal(lambda: completed(s3, upload, [old])) == ("InvalidPart", 400)
    completed(s3, upload, [new])
    assert s3.get("k") == b"new"


def test_an_upload_is_over_once_it_is_completed(s3: S3) -> None:
    upload = begun(s3)
    part = sent(s3, upload, 1, b"1")
    completed(s3, upload, [part])
    fault = s3.fault(lambda: sent(s3, upload, 2, b"2"))
    assert (fault.code, fault.members) == ("NoSuchUpload", {"UploadId": upload})


def test_a_completion_that_was_not_heard_is_answered_again(s3: S3) -> None:
    upload = begun(s3, checksum_algorithm="CRC32", server_side_encryption="aws:kms")
    parts = [sent(s3, upload, 1, b"1234"), sent(s3, upload, 2, b"5")]
    answer = completed(s3, upload, parts, if_none_match="*")
    assert completed(s3, upload, parts, if_none_match="*") == answer
    assert s3.refusal(lambda: completed(s3, upload, parts[:1])) == ("InvalidPart", 400)
    assert s3.refusal(lambda: completed(s3, upload, [{"PartNumber": 1, "ETag": "x"}])) == (
        "InvalidPart",
        400,
    )
    other = {"bucket": "data", "key": "other", "upload_id": upload, "multipart_upload": {"Parts": parts}}
    assert s3.refusal(lambda: s3.complete_multipart_upload(**other)) == ("NoSuchUpload", 404)
    s3.put("k", b"another")
    assert s3.refusal(lambda: completed(s3, upload, parts)) == ("NoSuchUpload", 404)
    assert s3.get("k") == b"another"


def both(s3: S3, *calls: Coroutine[Any, Any, Any]) -> list[Any]:
    """What calls at the same time come to: answers, or what they raise."""

    async def gathered() -> list[Any]:
        return await asyncio.gather(*calls, return_exceptions=True)

    found: list[Any] = s3.run(asyncio.wait_for(gathered(), 60))
    return found


def test_a_completion_that_is_repeated_while_it_is_under_way_is_answered_as_the_first(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begun(s3)
    listed = {"Parts": [sent(s3, upload, 1, b"1234"), sent(s3, upload, 2, b"5")]}
    write, repeated, asked, copies = temporary_files.write, asyncio.Event(), list[str](), list[Path]()

    async def slow(where: Path, *given: Any) -> Any:
        """The bytes are copied once the other call is here as well: for its turn, or to copy them again."""
        copies.append(where)
        if len(copies) == 2:
            repeated.set()
        await repeated.wait()
        return await write(where, *given)

    def seen(root: Path, key: str) -> Any:
        asked.append(key)
        if asked == [upload, upload]:
            repeated.set()
        return turn(root, key)

    monkeypatch.setattr(temporary_files, "write", slow)
    monkeypatch.setattr(complete_multipart_upload, "turn", seen)
    named = {"bucket": "data", "key": "k", "upload_id": upload, "multipart_upload": listed}
    complete = s3.handler("complete_multipart_upload")
    first, second = both(s3, *(complete(s3.context, **named, if_none_match="*") for _ in range(2)))
    assert first == second == completed(s3, upload, listed["Parts"])
    assert len(copies) == 1
    assert s3.get("k") == b"12345"
    assert not any(each.is_file() for each in (s3.folder / "s3/.work").rglob("*"))


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    """Something is done between the look at the parts and the first byte that is read of them."""
    write = temporary_files.write

    async def after(*given: Any) -> Any:
        monkeypatch.setattr(temporary_files, "write", write)
        await act()
        return await write(*given)

    monkeypatch.setattr(temporary_files, "write", after)


def test_an_upload_that_is_aborted_while_it_is_completed_is_none(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = begun(s3)
    part = sent(s3, upload, 1, b"1")
    named = {"bucket": "data", "key": "k", "upload_id": upload}
    meanwhile(monkeypatch, lambda: s3.handler("abort_multipart_upload")(s3.context, **named))
    assert s3.refusal(lambda: completed(s3, upload, [part])) == ("NoSuchUpload", 404)
    assert s3.keys() == []
    assert not any(each.is_file() for each in (s3.folder / "s3/.work").rglob("*"))


@pytest.mark.parametrize("body, refused", [(b"old", None), (b"new", ("InvalidPart", 400))])
def test_a_part_that_is_sent_again_during_the_completion_counts_if_it_is_the_same(
    s3: S3, monkeypatch: pytest.MonkeyPatch, body: bytes, refused: tuple[str, int] | None
) -> None:
    upload = begun(s3)
    part = sent(s3, upload, 1, b"old")
    named = {"bucket": "data", "key": "k", "upload_id": upload, "part_number": 1, "body": body}
    meanwhile(monkeypatch, lambda: s3.handler("upload_part")(s3.context, **named))
    if refused is None:
        completed(s3, upload, [part])
        assert s3.get("k") == body
    else:
        assert s3.refusal(lambda: completed(s3, upload, [part])) == refused
        assert s3.keys() == []


def test_a_part_that_is_lost_on_the_disk_is_our_failure(s3: S3) -> None:
    upload = begun(s3)
    part = sent(s3, upload, 1, b"1")
    for file in (s3.folder / "s3/.work" / upload).iterdir():
        file.unlink()
    with pytest.raises(FileNotFoundError):
        completed(s3, upload, [part])


@pytest.mark.parametrize(
    "bucket, key, location",
    [
        ("data", "a/b c", "https://data.s3.us-east-1.amazonaws.com/a%2Fb%20c"),
        ("with.dots", "k", "https://s3.us-east-1.amazonaws.com/with.dots/k"),
    ],
)
def test_the_place_of_a_whole_object_is_a_uri(s3: S3, bucket: str, key: str, location: str) -> None:
    s3.create_bucket(bucket=bucket)
    upload = s3.create_multipart_upload(bucket=bucket, key=key)["UploadId"]
    named = {"bucket": bucket, "key": key, "upload_id": upload}
    part = {"PartNumber": 1, **s3.upload_part(**named, part_number=1, body=b"1")}
    answer = s3.complete_multipart_upload(**named, multipart_upload={"Parts": [part]})
    assert answer["Location"] == location


def test_a_part_can_be_read_by_its_place(s3: S3) -> None:
    upload = begun(s3)
    completed(s3, upload, [sent(s3, upload, 3, b"1234"), sent(s3, upload, 9, b"56")])
    second = s3.get_object(bucket="data", key="k", part_number=2)
    assert (second["Body"], second["ContentRange"], second["PartsCount"]) == (b"56", "bytes 4-5/6", 2)
    assert s3.head("k", part_number=1)["ContentLength"] == 4
    assert "PartsCount" not in s3.head("k")
    fault = s3.fault(lambda: s3.get("k", part_number=3))
    assert (fault.code, fault.status) == ("InvalidPartNumber", 416)
    assert fault.members == {"ActualPartCount": 2, "PartNumberRequested": 3}
    assert s3.refusal(lambda: s3.get("k", part_number=0)) == ("InvalidArgument", 400)
    assert s3.refusal(lambda: s3.get("k", part_number=1, range_="bytes=0-1")) == ("InvalidRequest", 400)


def test_an_object_that_came_whole_is_its_only_part(s3: S3) -> None:
    s3.put("k", b"0123")
    answer = s3.get_object(bucket="data", key="k", part_number=1)
    assert (answer["Body"], answer["ContentRange"]) == (b"0123", "bytes 0-3/4")
    assert "PartsCount" not in answer
    assert s3.refusal(lambda: s3.head("k", part_number=2)) == ("InvalidPartNumber", 416)
    s3.put("empty", b"")
    assert "ContentRange" not in s3.head("empty", part_number=1)


def test_what_was_put_together_before_sizes_were_kept_has_no_parts_to_read(s3: S3) -> None:
    s3.put("k", b"012345")
    found = s3.run(objects.existing(s3.context, "data", "k"))
    s3.run(objects.change(s3.context, found, dataclasses.replace(found.record.metadata, parts=2)))
    assert s3.refusal(lambda: s3.get("k", part_number=1)) == ("NotImplemented", 501)
    assert s3.get("k") == b"012345"


def test_the_attributes_of_parts_come_in_pages(s3: S3) -> None:
    upload = begun(s3, checksum_algorithm="SHA256")
    completed(s3, upload, [sent(s3, upload, each, b"1234") for each in (1, 2, 3)])
    named = {"bucket": "data", "key": "k", "object_attributes": ["ObjectParts", "Checksum"]}
    answer = s3.get_object_attributes(**named, max_parts=2)
    parts = answer["ObjectParts"]
    assert (parts["TotalPartsCount"], parts["IsTruncated"], parts["NextPartNumberMarker"]) == (3, True, 2)
    digest = written(hashlib.sha256(b"1234").digest())
    assert parts["Parts"][1] == {"PartNumber": 2, "Size": 4, "ChecksumSHA256": digest}
    assert answer["Checksum"]["ChecksumType"] == "COMPOSITE"
    rest = s3.get_object_attributes(**named, part_number_marker=2)["ObjectParts"]
    assert [each["PartNumber"] for each in rest["Parts"]] == [3]
    plain = begun(s3)
    completed(s3, plain, [sent(s3, plain, 1, b"1")])
    assert s3.get_object_attributes(**named)["ObjectParts"] == {"TotalPartsCount": 1}


def test_an_upload_that_is_given_up_leaves_nothing(s3: S3) -> None:
    upload = begun(s3)
    sent(s3, upload, 1, b"1")
    named = {"bucket": "data", "key": "k", "upload_id": upload}
    assert s3.abort_multipart_upload(**named) == {}
    assert s3.refusal(lambda: s3.abort_multipart_upload(**named)) == ("NoSuchUpload", 404)
    assert not any(each.is_file() for each in (s3.folder / "s3").rglob("*"))


def test_the_parts_checksums_make_the_objects(s3: S3) -> None:
    upload = begun(s3, checksum_algorithm="CRC32")
    parts = [
        sent(s3, upload, number, body, checksum_crc32=written(crc32(body)))
        for number, body in enumerate([b"1234", b"56"], 1)
    ]
    answer = completed(s3, upload, parts)
    assert answer["ChecksumCRC32"] == f"{written(crc32(crc32(b'1234') + crc32(b'56')))}-2"
    assert answer["ChecksumType"] == "COMPOSITE"
    assert s3.head("k", checksum_mode="ENABLED")["ChecksumCRC32"] == answer["ChecksumCRC32"]


def test_a_checksum_may_be_of_the_whole(s3: S3) -> None:
    upload = begun(s3, checksum_algorithm="CRC32", checksum_type="FULL_OBJECT")
    parts = [sent(s3, upload, 1, b"1234"), sent(s3, upload, 2, b"56")]
    wrong = s3.refusal(lambda: completed(s3, upload, parts, checksum_crc32=written(crc32(b"other"))))
    assert wrong == ("BadDigest", 400)
    answer = completed(s3, upload, parts, checksum_crc32=written(crc32(b"123456")))
    assert (answer["ChecksumCRC32"], answer["ChecksumType"]) == (written(crc32(b"123456")), "FULL_OBJECT")


def test_a_part_is_held_against_its_checksum(s3: S3) -> None:
    upload = begun(s3)
    refused = s3.refusal(lambda: sent(s3, upload, 1, b"1", checksum_crc32=written(crc32(b"2"))))
    assert refused == ("BadDigest", 400)
    assert s3.refusal(lambda: sent(s3, upload, 0, b"1")) == ("InvalidArgument", 400)
    assert s3.refusal(lambda: sent(s3, upload, 10_001, b"1")) == ("InvalidArgument", 400)


@pytest.mark.parametrize(
    "numbers, code",
    [
        ([], "MalformedXML"),
        ([2, 1], "InvalidPartOrder"),
        ([1, 1], "InvalidPartOrder"),
        ([1, 3], "InvalidPart"),
        ([1, 2, 4], "EntityTooSmall"),
    ],
)
def test_a_list_of_parts_that_makes_no_object_is_refused(s3: S3, numbers: list[int], code: str) -> None:
    upload = begun(s3)
    bodies = {1: b"1234", 2: b"5", 4: b"6"}
    parts = {number: sent(s3, upload, number, body) for number, body in bodies.items()}
    listed = [parts.get(number, {"PartNumber": number, "ETag": '"none"'}) for number in numbers]
    assert s3.refusal(lambda: completed(s3, upload, listed)) == (code, 400)
    assert s3.keys() == []


def test_a_part_may_be_a_copy_of_an_objects_bytes(s3: S3) -> None:
    s3.put("from", b"0123456789")
    upload = begun(s3)
    named = {"bucket": "data", "key": "k", "upload_id": upload, "copy_source": "data/from"}
    results = [
        s3.upload_part_copy(**named, part_number=1, copy_source_range="bytes=2-5"),
        s3.upload_part_copy(**named, part_number=2),
    ]
    parts = [
        {"PartNumber": number, "ETag": result["CopyPartResult"]["ETag"]}
        for number, result in enumerate(results, 1)
    ]
    completed(s3, upload, parts)
    assert s3.get("k") == b"23450123456789"
    for beyond in ("bytes=5-10", "bytes=3-2", "bytes=3-"):
        again = {**named, "upload_id": begun(s3), "part_number": 1, "copy_source_range": beyond}
        assert s3.refusal(lambda given=again: s3.upload_part_copy(**given)) == ("InvalidArgument", 400)


def test_the_parts_are_listed_by_number(s3: S3) -> None:
    upload = begun(s3)
    for number in (10, 2, 1):
        sent(s3, upload, number, b"1234")
    named = {"bucket": "data", "key": "k", "upload_id": upload}
    answer = s3.list_parts(**named, max_parts=2)
    assert [(each["PartNumber"], each["Size"]) for each in answer["Parts"]] == [(1, 4), (2, 4)]
    assert (answer["IsTruncated"], answer["NextPartNumberMarker"]) == (True, 2)
    rest = s3.list_parts(**named, part_number_marker=2)
    assert [each["PartNumber"] for each in rest["Parts"]] == [10]
    assert rest["IsTruncated"] is False
    assert s3.refusal(lambda: s3.list_parts(**{**named, "key": "other"})) == ("NoSuchUpload", 404)
    for marker in ("x", "-1", "9" * 5_000):
        refused = s3.refusal(lambda marker=marker: s3.list_parts(**named, part_number_marker=marker))
        assert refused[0] == "InvalidArgument"


def test_the_uploads_are_listed_by_key(s3: S3) -> None:
    ids = {key: begun(s3, key) for key in ("b", "a/2", "a/1")}
    answer = s3.list_multipart_uploads(bucket="data")
    assert [(each["Key"], each["UploadId"]) for each in answer["Uploads"]] == sorted(ids.items())
    assert answer["IsTruncated"] is False
    first = s3.list_multipart_uploads(bucket="data", max_uploads=1)
    assert first["IsTruncated"] is True
    markers = {"key_marker": first["NextKeyMarker"], "upload_id_marker": first["NextUploadIdMarker"]}
    rest = s3.list_multipart_uploads(bucket="data", **markers)
    assert [each["Key"] for each in rest["Uploads"]] == ["a/2", "b"]
    rolled = s3.list_multipart_uploads(bucket="data", delimiter="/")
    assert rolled["CommonPrefixes"] == [{"Prefix": "a/"}]
    assert [each["Key"] for each in rolled["Uploads"]] == ["b"]


@pytest.mark.parametrize(
    "given, code",
    [
        ({"bucket": "none"}, "NoSuchBucket"),
        ({"key": "../k"}, "InvalidRequest"),
        ({"key": "folder/"}, "InvalidRequest"),
        ({"checksum_algorithm": "ADLER"}, "InvalidArgument"),
        ({"acl": "public-read"}, "AccessControlListNotSupported"),
    ],
)
def test_an_upload_that_could_not_end_well_is_not_begun(s3: S3, given: dict[str, Any], code: str) -> None:
    named = {"bucket": "data", "key": "k", **given}
    assert s3.refusal(lambda: s3.create_multipart_upload(**named))[0] == code


def test_completing_may_demand_that_nothing_is_there(s3: S3) -> None:
    upload = begun(s3)
    part = sent(s3, upload, 1, b"1")
    s3.put("k", b"before")
    refused = s3.refusal(lambda: completed(s3, upload, [part], if_none_match="*"))
    assert refused == ("PreconditionFailed", 412)
    assert s3.get("k") == b"before"
