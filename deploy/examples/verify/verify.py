"""Checks an access token of tollgate: verify.py ISSUER AUDIENCE [JWKS_URL] < token

Prints the claims and exits 0, or prints why not and exits 1. The arguments may
come from ISSUER, AUDIENCE and JWKS_URL in the environment instead. Needs PyJWT
with cryptography (Debian: python3-jwt, python3-cryptography).
"""

import json
import os
import sys

import jwt


def verify(token, issuer, audience, keys):
    key = keys.get_signing_key_from_jwt(token)
    claims = jwt.decode(
        token,
        key.key,
        algorithms=["ES256", "RS256", "EdDSA"],  # never what the token asks for
        issuer=issuer,
        audience=audience,
        leeway=10,
        options={"require": ["exp", "iat", "jti", "sub"]},
    )
    # A refresh token has the same signer and audience, and opens nothing.
    if claims.get("token_type") != "access":
        raise jwt.InvalidTokenError(f"token_type is {claims.get('token_type')}, not access")
    return claims


def main():
    names = ("ISSUER", "AUDIENCE", "JWKS_URL")
    given = dict(zip(names, sys.argv[1:]))
    issuer, audience, url = (given.get(name) or os.environ.get(name) for name in names)
    if not issuer or not audience:
        print("usage: verify.py ISSUER AUDIENCE [JWKS_URL] < token", file=sys.stderr)
        return 2
    # A service makes this once and keeps it: it caches the keys, and asks again
    # when a token names a key that it has not seen.
    keys = jwt.PyJWKClient(url or issuer + "/.well-known/jwks.json")
    try:
        claims = verify(sys.stdin.read().strip(), issuer, audience, keys)
    except jwt.PyJWTError as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    print(json.dumps(claims, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
