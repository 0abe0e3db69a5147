"""ListObjects and ListObjectsV2: shape, refusals, effect."""

from typing import Any, TypeAlias

import pytest

S3: TypeAlias = Any

KEYS = ["a-b", "a/1", "a/2", "a0", "b/c/1", "b/d", "é x"]


@pytest.fixture
def filled(s3: S3) -> S3:
    """The bucket with KEYS, put in another order."""
    for key in reversed(KEYS):
        s3.put(key, key.encode())
    return s3


def test_a_page_tells_each_object(s3: S3) -> None:
    etag = s3.put("k", b"12345")["ETag"]
    answer = s3.list_objects_v2(bucket="data", fetch_owner=True)
    (content,) = answer.pop("Contents")
    assert content.pop("LastModified") == pytest.approx((s3.root / "k").stat().st_mtime)
    owner = {"ID": s3.context.account}
    assert content == {"Key": "k", "ETag": etag, "Size": 5, "StorageClass": "STANDARD", "Owner": owner}
    assert answer == {"Name": "data", "Prefix": "", "MaxKeys": 1000, "KeyCount": 1, "IsTruncated": False}


def test_keys_come_in_the_order_of_their_bytes(filled: S3) -> None:
    assert filled.keys() == KEYS


@pytest.mark.parametrize(
    "prefix, delimiter, keys, prefixes",
    [
        ("", "/", ["a-b", "a0", "é x"], ["a/", "b/"]),
        ("a", "/", ["a-b", "a0"], ["a/"]),
        ("b/", "/", ["b/d"], ["b/c/"]),
        ("b/c", "/", [], ["b/c/"]),
        ("", "-", ["a/1", "a/2", "a0", "b/c/1", "b/d", "é x"], ["a-"]),
        ("none", "/", [], []),
        ("../", None, [], []),
    ],
)
def test_a_delimiter_rolls_keys_up(
    filled: S3, prefix: str, delimiter: str | None, keys: list[str], prefixes: list[str]
) -> None:
    for operation in (filled.list_objects, filled.list_objects_v2):
        answer = operation(bucket="data", prefix=prefix, delimiter=delimiter)
        assert [each["Key"] for each in answer.get("Contents", [])] == keys
        assert [each["Prefix"] for each in answer.get("CommonPrefixes", [])] == prefixes


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("delimiter", [None, "/"])
def test_pages_tell_everything_once(filled: S3, size: int, delimiter: str | None) -> None:
    whole = told(filled.list_objects_v2(bucket="data", delimiter=delimiter))
    assert by_token(filled, size, delimiter) == whole
    assert by_marker(filled, size, delimiter) == whole


def told(answer: dict[str, Any]) -> list[str]:
    """Keys and common prefixes of a page, in order."""
    keys = [each["Key"] for each in answer.get("Contents", [])]
    return sorted(keys + [each["Prefix"] for each in answer.get("CommonPrefixes", [])])


def by_token(s3: S3, size: int, delimiter: str | None) -> list[str]:
    found: list[str] = []
    token: str | None = None
    while True:
        answer = s3.list_objects_v2(
            bucket="data", delimiter=delimiter, max_keys=size, continuation_token=token
        )
        assert answer["KeyCount"] <= size
        found += told(answer)
        token = answer.get("NextContinuationToken")
        assert answer["IsTruncated"] == (token is not None)
        if token is None:
            return found


def by_marker(s3: S3, size: int, delimiter: str | None) -> list[str]:
    found: list[str] = []
    marker = None
    while True:
        answer = s3.list_objects(bucket="data", delimiter=delimiter, max_keys=size, marker=marker)
        found += told(answer)
        if not answer["IsTruncated"]:
            return found
        marker = answer["NextMarker"] if delimiter else answer["Contents"][-1]["Key"]


def test_a_list_starts_after_a_key(filled: S3) -> None:
    assert filled.keys(start_after="a/2") == ["a0", "b/c/1", "b/d", "é x"]
    assert filled.keys(start_after="b", prefix="b/") == ["b/c/1", "b/d"]


def test_keys_can_be_asked_for_encoded(filled: S3) -> None:
    answer = filled.list_objects_v2(bucket="data", encoding_type="url", prefix="é")
    assert answer["EncodingType"] == "url"
    assert (answer["Prefix"], answer["Contents"][0]["Key"]) == ("%C3%A9", "%C3%A9%20x")


def test_files_of_other_programs_are_listed_with_their_etags(s3: S3) -> None:
    (s3.root / "out").mkdir()
    (s3.root / "out/_SUCCESS").touch()
    (content,) = s3.list_objects_v2(bucket="data")["Contents"]
    assert content["Key"] == "out/_SUCCESS"
    assert content["ETag"] == s3.head("out/_SUCCESS")["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'


def test_no_keys_are_told_where_none_are_wanted(filled: S3) -> None:
    answer = filled.list_objects_v2(bucket="data", max_keys=0)
    assert (answer["KeyCount"], answer["IsTruncated"], answer.get("Contents")) == (0, False, None)


@pytest.mark.parametrize(
    "given, code",
    [
        ({"bucket": "none"}, "NoSuchBucket"),
        ({"bucket": "data", "max_keys": -1}, "InvalidArgument"),
        ({"bucket": "data", "encoding_type": "xml"}, "InvalidArgument"),
        ({"bucket": "data", "continuation_token": "no token"}, "InvalidArgument"),
        ({"bucket": "data", "continuation_token": "é"}, "InvalidArgument"),
    ],
)
def test_what_cannot_be_listed_is_refused(s3: S3, given: dict[str, Any], code: str) -> None:
    assert s3.refusal(lambda: s3.list_objects_v2(**given))[0] == code


@pytest.mark.parametrize("token", ["", "ZGF0YQ==", "YS8x", "no token"])
def test_a_token_of_no_page_is_refused_and_named(filled: S3, token: str) -> None:
    fault = filled.fault(lambda: filled.list_objects_v2(bucket="data", continuation_token=token))
    assert (fault.code, fault.members) == ("InvalidArgument", {"ArgumentName": "continuation-token"})


def test_a_token_is_of_its_own_bucket(filled: S3) -> None:
    filled.create_bucket(bucket="other")
    token = filled.list_objects_v2(bucket="data", max_keys=1)["NextContinuationToken"]
    filled.list_objects_v2(bucket="data", continuation_token=token)
    refused = filled.refusal(lambda: filled.list_objects_v2(bucket="other", continuation_token=token))
    assert refused == ("InvalidArgument", 400)


@pytest.mark.parametrize(
    "marker, rest",
    [
        ("a/1", ["a0", "b/", "é x"]),
        ("a/", ["a0", "b/", "é x"]),
        ("b/c", ["é x"]),
        ("a", ["a-b", "a/", "a0", "b/", "é x"]),
    ],
)
def test_a_marker_inside_a_prefix_is_beyond_the_whole_of_it(filled: S3, marker: str, rest: list[str]) -> None:
    assert told(filled.list_objects(bucket="data", delimiter="/", marker=marker)) == rest
    versions = filled.list_object_versions(bucket="data", delimiter="/", key_marker=marker)
    keys = [each["Key"] for each in versions.get("Versions", [])]
    assert sorted(keys + [each["Prefix"] for each in versions.get("CommonPrefixes", [])]) == rest


def test_start_after_inside_a_prefix_leaves_the_rest_of_it(filled: S3) -> None:
    assert told(filled.list_objects_v2(bucket="data", delimiter="/", start_after="a/1"))[0] == "a/"


def test_a_wrong_argument_is_named_with_its_value(filled: S3) -> None:
    fault = filled.fault(lambda: filled.list_objects(bucket="data", max_keys=-1))
    assert fault.members == {"ArgumentName": "maxKeys", "ArgumentValue": -1}
    fault = filled.fault(lambda: filled.list_multipart_uploads(bucket="data", encoding_type="xml"))
    assert fault.members == {"ArgumentName": "encoding-type", "ArgumentValue": "xml"}
