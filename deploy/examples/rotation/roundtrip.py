"""Reads a JWK Set on standard input with python3-jwcrypto, and writes each key as it
understood it: the members, the RFC 7638 thumbprint, and whether it is private."""

import json
import sys

from jwcrypto import jwk

out = []
for member in json.load(sys.stdin)["keys"]:
    key = jwk.JWK(**member)
    out.append({"jwk": json.loads(key.export_public()), "thumbprint": key.thumbprint(), "private": key.has_private})
json.dump(out, sys.stdout)
