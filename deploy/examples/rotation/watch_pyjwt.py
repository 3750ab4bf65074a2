"""Checks access tokens of tollgate with PyJWT, one on each line of standard input:
watch_pyjwt.py ISSUER AUDIENCE JWKS_URL CACHE_SECONDS < tokens"""

import json
import sys

import jwt

issuer, audience, url, cache = sys.argv[1:]
# A service makes this once and keeps it. The lifespan (5 minutes unless set) must
# not be longer than TOLLGATE_KEY_PREPUBLISH.
keys = jwt.PyJWKClient(url, lifespan=int(cache))
for line in sys.stdin:
    token = line.strip()
    verdict = "ok"
    try:
        key = keys.get_signing_key_from_jwt(token).key
        claims = jwt.decode(token, key, algorithms=["ES256", "RS256", "EdDSA"], issuer=issuer, audience=audience, leeway=10)
        if claims.get("token_type") != "access":
            raise jwt.InvalidTokenError("not an access token")
    except jwt.PyJWTError as error:
        verdict = f"refused: {error}"
    print(json.dumps({"verdict": verdict}), flush=True)
