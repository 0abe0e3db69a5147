"""S3's form uploads (presigned POST): signature, equivalent PutObject request, and response.

    POST /bucket   key=user/${filename} policy=.. x-amz-credential=.. x-amz-signature=.. file=..

It knows no key store and no object. The policy is signed, and it restricts the form:
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from passrole.faults import Fault
from passrole.wire import post_forms, post_policies, presigned_headers, sigv2, sigv4, xml_reader, xml_writer
from passrole.wire.http_messages import HttpRequest, HttpResponse
from passrole.wire.post_forms import Form
from passrole.wire.refusals import ACCESS_DENIED, INVALID_SIGNATURE, Unrouted, refused
from passrole.wire.s3_routing import bucket_of_host, object_uri
from passrole.wire.sigv4 import Authorization

KEPT_HEADERS = ("cache-control", "content-disposition", "content-encoding", "content-type", "expires")
_STATUSES = ("200", "201", "204")


@dataclass(frozen=True)
class Posted:
    """A form and its equivalent PutObject request; not trustworthy before `verify`."""

    form: Form
    authorization: Authorization
    bucket: str
    request: HttpRequest


def is_form(request: HttpRequest) -> bool:
    """Whether the request is a form upload."""
    return (
        request.method == "POST"
        and request.headers.get("content-type", "").startswith(post_forms.TYPE)
        and "authorization" not in request.headers
        and "x-amz-target" not in request.headers
    )


def read(request: HttpRequest) -> Posted:
    """Parse a form upload. Raises Unrouted: MethodNotAllowed, InvalidArgument, AccessDenied, ..."""
    form = post_forms.read(request)
    bucket = bucket_of_host(request.headers.get("host", "")) or request.raw_path.strip("/")
    if not bucket or "/" in bucket:
        message = "The specified method is not allowed against this resource."
        raise Unrouted("MethodNotAllowed", message, "rest-xml", status=405)
    if form.file is None:
        raise _argument("POST requires exactly one file upload per request.", "file", "0")
    if not form.fields.get("key"):
        raise _lacking("key")
    key = form.fields["key"].replace("${filename}", form.file_name.rpartition("/")[2])
    form = Form({**form.fields, "key": key, "bucket": bucket}, form.file, form.file_name)
    path = f"/{quote(bucket, safe='')}/{quote(key, safe='/')}"
    headers = {"host": "localhost", **_headers(form.fields)}
    meant = HttpRequest("PUT", path, "", headers, form.file or b"")
    return Posted(form, _authorization(form.fields), bucket, meant)


def verify(posted: Posted, secret: str, now: float) -> None:
    """Return if the form's policy was signed with the secret and allows the form.

    Raises Unrouted: SignatureDoesNotMatch, AccessDenied, EntityTooLarge, EntityTooSmall,
    InvalidPolicyDocument.
    """
    authorization, policy = posted.authorization, posted.form.fields["policy"].encode()
    if authorization.date:
        key = sigv4.signing_key(secret, authorization.date, authorization.region, authorization.service)
        expected = hmac.digest(key, policy, "sha256").hex()
    else:
        expected = base64.b64encode(hmac.digest(secret.encode(), policy, "sha1")).decode()
    if not hmac.compare_digest(expected.encode(), authorization.signature.encode()):
        raise refused(INVALID_SIGNATURE, "rest-xml", members={"AWSAccessKeyId": authorization.access_key})
    post_policies.check(policy.decode(), posted.form.fields, len(posted.form.file or b""), now)


def render(posted: Posted, result: Mapping[str, Any], request_id: str) -> HttpResponse:
    """The response that the form asks for: a redirect, a document, or an empty body."""
    fields, key, etag = posted.form.fields, posted.form.fields["key"], result["ETag"]
    headers = [("x-amz-request-id", request_id), ("x-amz-id-2", request_id), ("etag", etag)]
    redirect = urlsplit(fields.get("success_action_redirect") or fields.get("redirect") or "")
    if redirect.scheme in ("http", "https") and redirect.netloc:
        result_query = urlencode({"bucket": posted.bucket, "key": key, "etag": etag})
        query = f"{redirect.query}&{result_query}" if redirect.query else result_query
        where = quote(redirect._replace(query=query).geturl(), safe="%/:=&?~#+!$,;'@()*[]")
        return HttpResponse(303, [*headers, ("location", where), ("content-length", "0")], b"")
    where = object_uri(posted.bucket, posted.authorization.region, key)
    headers.append(("location", where))
    wanted = fields.get("success_action_status", "")
    status = int(wanted) if wanted in _STATUSES else 204
    if status == 204:
        return HttpResponse(status, headers, b"")
    body = _document(where, posted.bucket, key, etag) if status == 201 else b""
    headers += [("content-type", "application/xml")] if body else []
    return HttpResponse(status, [*headers, ("content-length", str(len(body)))], body)


def _authorization(fields: Mapping[str, str]) -> Authorization:
    if "policy" not in fields:
        raise refused(ACCESS_DENIED, "rest-xml")  # an unsigned form
    if "awsaccesskeyid" in fields:
        if not fields.get("signature"):
            raise _lacking("Signature")
        return Authorization(
            access_key=fields["awsaccesskeyid"],
            session_token=fields.get("x-amz-security-token"),
            date="",
            region=sigv2.REGION,
            service="s3",
            signed_headers=(),
            signature=fields["signature"],
            timestamp="",
            epoch_seconds=0,
            expires_seconds=0,
        )
    for name in ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"):
        if not fields.get(name.lower()):
            raise _lacking(name)
    authorization = sigv4.authorization_of_form(fields)
    if authorization.service != "s3":
        message = "Credential should be scoped to correct service: 's3'."
        raise Unrouted("AuthorizationQueryParametersError", message, "rest-xml", status=400)
    return authorization


def _headers(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields that are headers of PutObject, as latin-1 like in HttpRequest."""
    found = {
        name: value
        for name, value in fields.items()
        if name in KEPT_HEADERS or presigned_headers.is_header(name)
    }
    if "acl" in fields:
        found["x-amz-acl"] = fields["acl"]
    if "tagging" in fields:
        found["x-amz-tagging"] = _tags(fields["tagging"])
    return {name: value.encode("utf-8").decode("latin-1") for name, value in found.items()}


def _tags(document: str) -> str:
    """The tags of a form (an XML document) as those of a header (a query string)."""
    try:
        root = xml_reader.load(document.encode())
    except Fault as fault:
        raise Unrouted(fault.code, fault.message, "rest-xml", status=fault.status) from None
    tags = []
    for tag in root.iter():
        if tag.tag.rpartition("}")[2] == "Tag":
            parts = {child.tag.rpartition("}")[2]: child.text or "" for child in tag}
            tags.append((parts.get("Key", ""), parts.get("Value", "")))
    return urlencode(tags)


def _document(where: str, bucket: str, key: str, etag: str) -> bytes:
    members = {"Location": where, "Bucket": bucket, "Key": key, "ETag": etag}
    inside = "".join(f"<{name}>{xml_writer.escaped(value)}</{name}>" for name, value in members.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{inside}</PostResponse>'.encode()


def _lacking(name: str) -> Unrouted:
    message = (
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the"
        " fields."
    )
    return _argument(message, name, "")


def _argument(message: str, name: str, value: str) -> Unrouted:
    members = {"ArgumentName": name, "ArgumentValue": value}
    return Unrouted("InvalidArgument", message, "rest-xml", status=400, members=members)
