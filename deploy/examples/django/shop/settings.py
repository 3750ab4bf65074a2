"""A Django REST framework project that checks the tokens of its requests itself.

Nothing here is written for tollgate: SIMPLE_JWT names a key set and an issuer, as
for any other. The project issues no tokens and needs no key of its own.
"""

import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = os.environ["DJANGO_SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["*"]  # tollgate is the only client; it sends the upstream's host

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "rest_framework_simplejwt",
]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", str(BASE_DIR / "db.sqlite3")),
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

SIMPLE_JWT = {
    "ALGORITHM": os.environ.get("JWT_ALGORITHM", "ES256"),  # TOLLGATE_SIGNING_ALG
    "JWK_URL": os.environ.get("JWK_URL", "http://127.0.0.1:8080/.well-known/jwks.json"),
    "ISSUER": os.environ.get("JWT_ISSUER", "http://127.0.0.1:8080"),  # TOLLGATE_ISSUER
    "AUDIENCE": os.environ.get("JWT_AUDIENCE", "shop"),  # TOLLGATE_AUDIENCE
    "LEEWAY": 10,  # seconds; TOLLGATE_LEEWAY
}
