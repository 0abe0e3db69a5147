"""AWS KMS, as far as pipelines meet it: symmetric keys that really encrypt, and who may use them.

Handlers, by resource:
- keys.py: create, describe, list, enable, disable, delete; aliases.py, tags.py
- key_policies.py, grants.py: who may use a key
- encryption.py: data keys, Encrypt, Decrypt, ReEncrypt

What they rest on:
- records.py: the keys, aliases and grants that exist, and which key a call means
- authorisation.py: policies, grants and condition keys of a call
- ciphertexts.py: AES-GCM; paging.py, refusals.py: pages of lists, and AWS's words

Not here: asymmetric keys, HMAC, imported material, rotation, key stores, keys of several regions.
"""

from passrole.services.kms import aliases, encryption, grants, key_policies, keys, tags

__all__ = ["aliases", "encryption", "grants", "key_policies", "keys", "tags"]
