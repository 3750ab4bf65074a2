"""The user whom the gateway names.

tollgate removes every X-User-Id that a client sends and sets its own, from a token
that it has verified: an old one of this project, or one of tollgate's. Whoever reaches
this project past tollgate could write what he likes: bind it to loopback or a private
network.
"""

from django.contrib.auth import get_user_model
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed


class GatewayAuthentication(BaseAuthentication):
    def authenticate(self, request):
        user_id = request.headers.get("X-User-Id")
        if not user_id:
            return None
        try:
            user = get_user_model().objects.get(pk=user_id)
        except (get_user_model().DoesNotExist, ValueError):
            raise AuthenticationFailed("User not found", code="user_not_found")
        if not user.is_active:
            raise AuthenticationFailed("User is inactive", code="user_inactive")
        return user, None

    def authenticate_header(self, request):
        return 'Bearer realm="api"'
