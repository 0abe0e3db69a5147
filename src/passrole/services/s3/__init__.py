"""Amazon S3 over a plain folder: an object is the file `<data>/s3/<bucket>/<key>`.

Handlers, by what they are about:
- buckets.py, policies.py, configuration.py: buckets and what is attached to them
- unset_configurations.py: configurations that no bucket has
- get_object.py, attributes.py, put_object.py, copy_object.py, tags.py: one object; delete_objects.py
- list_objects.py, versions.py: lists of objects
- upload_parts.py, complete_multipart_upload.py, upload_lists.py: multipart uploads

What they rest on:
- records.py: which bucket a call means; objects.py: which object; multipart_uploads.py: which upload
- folders.py, temporary_files.py, key_order.py: files that stay in the bucket's folder, and keys in S3's order
- turns.py: whose turn it is to change a bucket's files, outside of any transaction
- rows.py: the SQL of what an object has beside its bytes; object_headers.py: its headers and members
- stored_tags.py, write_permissions.py: what a call on an object asks of IAM
- names.py, conditions.py, checksums.py, storage.py, paging.py, refusals.py: tables and rules without I/O
- upstream.py, upstream_client.py: another S3 endpoint in place of the folder

Not here: versions, ACLs, classes that archive, encryption of the bytes, and of a bucket's configuration all
but its policy, its tags and what is public.
"""

from passrole.services.s3 import (
    attributes,
    buckets,
    complete_multipart_upload,
    configuration,
    copy_object,
    delete_objects,
    get_object,
    list_objects,
    policies,
    put_object,
    stored_tags,
    tags,
    unset_configurations,
    upload_lists,
    upload_parts,
    versions,
)

__all__ = [
    "attributes",
    "buckets",
    "complete_multipart_upload",
    "configuration",
    "copy_object",
    "delete_objects",
    "get_object",
    "list_objects",
    "policies",
    "put_object",
    "stored_tags",
    "tags",
    "unset_configurations",
    "upload_lists",
    "upload_parts",
    "versions",
]
