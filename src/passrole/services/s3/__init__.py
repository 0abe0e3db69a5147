"""Amazon S3 over a plain folder: an object is the file `<data>/s3/<bucket>/<key>`, for whoever looks.

Handlers, by what they are about:
- buckets.py, policies.py, configuration.py: the buckets and what is attached to them; unset.py: what is not
- getting.py, attributes.py, putting.py, deleting.py, tags.py: one object, or many to delete
- listing.py, versions.py: which there are
- uploading.py, completing.py, upload_lists.py: objects in parts

What they rest on:
- records.py: which bucket a call means; objects.py: which object; unfinished.py: which upload
- folders.py, writing.py, walking.py: files that nothing leads out of, temporary files, keys in order
- rows.py: what is known of an object beside its bytes; saying.py: what of it goes in and out
- names.py, conditions.py, checksums.py, storage.py, paging.py, refusals.py: tables and rules without I/O
- elsewhere.py: another S3 endpoint in the folder's place

Not here: versions, ACLs, classes that archive, encryption of the bytes, and of a bucket's configuration all
but its policy, its tags and what is public.
"""

from passrole.services.s3 import (
    attributes,
    buckets,
    completing,
    configuration,
    deleting,
    getting,
    listing,
    policies,
    putting,
    stored_tags,
    tags,
    unset,
    upload_lists,
    uploading,
    versions,
)

__all__ = [
    "attributes",
    "buckets",
    "completing",
    "configuration",
    "deleting",
    "getting",
    "listing",
    "policies",
    "putting",
    "stored_tags",
    "tags",
    "unset",
    "upload_lists",
    "uploading",
    "versions",
]
