"""Two ways for FastAPI to know who calls, behind tollgate.

/who believes the gateway's header; /me checks the forwarded token once more. Debian:
python3-fastapi python3-uvicorn python3-jwt python3-cryptography.
"""

import os

import jwt
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8080")  # TOLLGATE_ISSUER
AUDIENCE = os.environ.get("AUDIENCE", "shop")  # TOLLGATE_AUDIENCE

app = FastAPI()
keys = jwt.PyJWKClient(ISSUER + "/.well-known/jwks.json")  # keeps the keys


def claims(sent: HTTPAuthorizationCredentials | None = Depends(HTTPBearer(auto_error=False))):
    refused = HTTPException(401, "Not authenticated", {"WWW-Authenticate": 'Bearer realm="api"'})
    if sent is None:
        raise refused
    try:
        key = keys.get_signing_key_from_jwt(sent.credentials).key
        found = jwt.decode(
            sent.credentials, key, algorithms=["ES256"], issuer=ISSUER, audience=AUDIENCE,
            leeway=10, options={"require": ["exp", "iat", "jti", "sub"]},
        )
    except jwt.PyJWKClientError:
        raise HTTPException(503, "No key to check the token with")
    except jwt.PyJWTError:
        raise refused
    if found.get("token_type") != "access":  # a refresh token has the same signer
        raise refused
    return found


@app.get("/who")
def who(x_user_id: str = Header()):
    return {"user": x_user_id}


@app.get("/me")
def me(found: dict = Depends(claims)):
    return {"user": found["sub"]}
