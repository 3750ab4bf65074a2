"""Checks access tokens of tollgate with Django REST framework's SimpleJWT, one on
each line of standard input:
watch_simplejwt.py ISSUER AUDIENCE JWKS_URL ALGORITHM < tokens

It takes one algorithm for each back end: settings.SIMPLE_JWT["ALGORITHM"]."""

import json
import secrets
import sys

import django
from django.conf import settings

issuer, audience, url, algorithm = sys.argv[1:]
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    SECRET_KEY=secrets.token_hex(),  # Django wants one; nothing is signed with it
    SIMPLE_JWT={"ALGORITHM": algorithm, "JWK_URL": url, "ISSUER": issuer, "AUDIENCE": audience, "LEEWAY": 10},
)
django.setup()

from rest_framework_simplejwt.exceptions import TokenError  # noqa: E402
from rest_framework_simplejwt.tokens import AccessToken  # noqa: E402

for line in sys.stdin:
    verdict = "ok"
    try:
        AccessToken(line.strip())
    except TokenError as error:
        verdict = f"refused: {error}"
    print(json.dumps({"verdict": verdict}), flush=True)
