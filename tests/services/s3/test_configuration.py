"""Of a bucket's configuration: tags, public access, versioning, and what was never configured."""

from typing import Any, TypeAlias

import pytest

S3: TypeAlias = Any
ALL = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


def test_a_buckets_tags_are_set_told_and_removed(s3: S3) -> None:
    tags = [{"Key": "team", "Value": "ml"}, {"Key": "b", "Value": ""}]
    assert s3.put_bucket_tagging(bucket="data", tagging={"TagSet": tags}) == {}
    assert s3.get_bucket_tagging(bucket="data") == {"TagSet": tags}
    assert s3.delete_bucket_tagging(bucket="data") == {}
    fault = s3.fault(lambda: s3.get_bucket_tagging(bucket="data"))
    assert (fault.code, fault.status, fault.members) == ("NoSuchTagSet", 404, {"BucketName": "data"})


@pytest.mark.parametrize(
    "tags, code",
    [
        ([{"Key": f"k{n}", "Value": ""} for n in range(51)], "BadRequest"),
        ([{"Key": "aws:a", "Value": ""}], "InvalidTag"),
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "InvalidTag"),
    ],
)
def test_tags_that_no_bucket_may_have_are_refused(s3: S3, tags: list[dict[str, str]], code: str) -> None:
    refused = s3.refusal(lambda: s3.put_bucket_tagging(bucket="data", tagging={"TagSet": tags}))
    assert refused == (code, 400)
    assert s3.refusal(lambda: s3.get_bucket_tagging(bucket="data"))[0] == "NoSuchTagSet"


def test_public_access_is_blocked_until_somebody_says_otherwise(s3: S3) -> None:
    assert s3.get_public_access_block(bucket="data") == {"PublicAccessBlockConfiguration": ALL}
    some = {"BlockPublicAcls": True}
    s3.put_public_access_block(bucket="data", public_access_block_configuration=some)
    told = s3.get_public_access_block(bucket="data")["PublicAccessBlockConfiguration"]
    assert told == {**dict.fromkeys(ALL, False), "BlockPublicAcls": True}
    s3.delete_public_access_block(bucket="data")
    fault = s3.fault(lambda: s3.get_public_access_block(bucket="data"))
    assert (fault.code, fault.status) == ("NoSuchPublicAccessBlockConfiguration", 404)
    assert s3.delete_public_access_block(bucket="data") == {}


def test_what_is_configured_of_a_bucket_leaves_the_rest(s3: S3) -> None:
    s3.put_bucket_tagging(bucket="data", tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
    s3.delete_public_access_block(bucket="data")
    assert s3.get_bucket_tagging(bucket="data")["TagSet"] == [{"Key": "a", "Value": "1"}]


@pytest.mark.parametrize(
    "operation, answer",
    [
        ("get_bucket_accelerate_configuration", {}),
        ("get_bucket_logging", {}),
        ("get_bucket_notification_configuration", {}),
        ("get_bucket_request_payment", {"Payer": "BucketOwner"}),
        ("get_bucket_versioning", {}),
    ],
)
def test_what_was_never_configured_is_told_as_of_a_fresh_bucket(
    s3: S3, operation: str, answer: dict[str, Any]
) -> None:
    act = getattr(s3, operation)
    assert act(bucket="data") == answer
    assert s3.refusal(lambda: act(bucket="none")) == ("NoSuchBucket", 404)
    assert s3.refusal(lambda: act(bucket="data", expected_bucket_owner="1")) == ("AccessDenied", 403)


@pytest.mark.parametrize(
    "operation, code",
    [
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ],
)
def test_what_a_bucket_has_not_is_not_found_and_the_bucket_named(s3: S3, operation: str, code: str) -> None:
    fault = s3.fault(lambda: getattr(s3, operation)(bucket="data"))
    assert (fault.code, fault.status, fault.members) == (code, 404, {"BucketName": "data"})


def test_the_owner_alone_may_do_everything(s3: S3) -> None:
    s3.put("k")
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": "111122223333"}, "Permission": "FULL_CONTROL"}
    for answer in (s3.get_bucket_acl(bucket="data"), s3.get_object_acl(bucket="data", key="k")):
        assert answer == {"Owner": {"ID": "111122223333"}, "Grants": [grant]}
    assert s3.refusal(lambda: s3.get_object_acl(bucket="data", key="none")) == ("NoSuchKey", 404)
    rules = s3.get_bucket_ownership_controls(bucket="data")["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (rule,) = s3.get_bucket_encryption(bucket="data")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


@pytest.mark.parametrize(
    "status, refused", [("Enabled", ("NotImplemented", 501)), ("Odd", ("MalformedXML", 400))]
)
def test_versioning_cannot_be_switched_on(s3: S3, status: str, refused: tuple[str, int]) -> None:
    given = {"bucket": "data", "versioning_configuration": {"Status": status}}
    assert s3.refusal(lambda: s3.put_bucket_versioning(**given)) == refused
    assert s3.get_bucket_versioning(bucket="data") == {}


def test_every_object_is_its_only_version(s3: S3) -> None:
    for key in ("a/1", "b", "c"):
        s3.put(key, key.encode())
    answer = s3.list_object_versions(bucket="data", max_keys=2)
    assert [(each["Key"], each["VersionId"], each["IsLatest"]) for each in answer["Versions"]] == [
        ("a/1", "null", True),
        ("b", "null", True),
    ]
    assert (answer["IsTruncated"], answer["NextKeyMarker"], answer["NextVersionIdMarker"]) == (
        True,
        "b",
        "null",
    )
    rest = s3.list_object_versions(bucket="data", key_marker="b", version_id_marker="null")
    assert [each["Key"] for each in rest["Versions"]] == ["c"]
    assert "NextKeyMarker" not in rest
    marker = {"bucket": "data", "version_id_marker": "null"}
    assert s3.refusal(lambda: s3.list_object_versions(**marker)) == ("InvalidArgument", 400)


@pytest.mark.parametrize(
    "operation, more",
    [
        ("get_object", {}),
        ("head_object", {}),
        ("get_object_acl", {}),
        ("get_object_tagging", {}),
        ("put_object_tagging", {"tagging": {"TagSet": []}}),
        ("delete_object_tagging", {}),
        ("get_object_attributes", {"object_attributes": ["ETag"]}),
        ("delete_object", {}),
    ],
)
def test_the_null_version_is_the_object_and_no_other_is_there(
    s3: S3, operation: str, more: dict[str, Any]
) -> None:
    s3.put("k")
    act, version = getattr(s3, operation), "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD"
    fault = s3.fault(lambda: act(bucket="data", key="k", version_id=version, **more))
    assert (fault.code, fault.message) == ("InvalidArgument", "Invalid version id specified")
    assert fault.members == {"ArgumentName": "versionId", "ArgumentValue": version}
    assert s3.get("k") == b"bytes"
    act(bucket="data", key="k", version_id="null", **more)


def test_attributes_are_told_as_asked(s3: S3) -> None:
    etag = s3.put("k", b"0123")["ETag"]
    named = {"bucket": "data", "key": "k"}
    answer = s3.get_object_attributes(**named, object_attributes=["ETag", "ObjectSize", "Checksum"])
    answer.pop("LastModified")
    assert answer == {"ETag": etag.strip('"'), "ObjectSize": 4}
    refused = s3.refusal(lambda: s3.get_object_attributes(**named, object_attributes=["Colour"]))
    assert refused == ("InvalidArgument", 400)


def test_the_number_of_tags_is_for_who_may_read_them(s3: S3) -> None:
    s3.put("k", tagging="a=1&b=2")
    assert s3.head("k")["TagCount"] == s3.get_object(bucket="data", key="k")["TagCount"] == 2
    s3.denied.add(("GetObjectTagging", "k"))
    assert "TagCount" not in s3.head("k")
    assert s3.get("k") == b"bytes"


@pytest.mark.parametrize(
    "rules, code",
    [
        ([], "MalformedXML"),
        ([{"BucketKeyEnabled": True}], "MalformedXML"),
        ([{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}] * 2, "MalformedXML"),
        ([{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "rot13"}}], "MalformedXML"),
        (
            [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "k"}}],
            "InvalidArgument",
        ),
    ],
)
def test_an_encryption_that_no_bucket_may_have_is_refused(s3: S3, rules: list[Any], code: str) -> None:
    before = s3.get_bucket_encryption(bucket="data")
    put = {"server_side_encryption_configuration": {"Rules": rules}}
    assert s3.refusal(lambda: s3.put_bucket_encryption(bucket="data", **put)) == (code, 400)
    assert s3.get_bucket_encryption(bucket="data") == before


def test_objects_are_encrypted_by_s3_until_somebody_says_otherwise(s3: S3) -> None:
    first = s3.get_bucket_encryption(bucket="data")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    given = {"Rules": [rule]}
    assert s3.put_bucket_encryption(bucket="data", server_side_encryption_configuration=given) == {}
    assert s3.get_bucket_encryption(bucket="data") == {"ServerSideEncryptionConfiguration": given}
    assert s3.delete_bucket_encryption(bucket="data") == {}
    assert s3.get_bucket_encryption(bucket="data") == first
