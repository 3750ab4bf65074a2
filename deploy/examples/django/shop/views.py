"""Views as in any Django REST framework project."""

from rest_framework.decorators import api_view, permission_classes
from rest_framework.permissions import IsAdminUser
from rest_framework.response import Response


@api_view(["GET", "POST"])
def me(request):
    """Who calls: from the token that SimpleJWT has verified, and from the gateway."""
    return Response(
        {
            "id": request.user.id,
            "username": request.user.get_username(),
            "token": request.auth.payload,
            "gateway_user": request.headers.get("X-User-Id"),
            "data": request.data,
        }
    )


@api_view(["GET"])
@permission_classes([IsAdminUser])
def staff(request):
    """For staff, as this project's own database says."""
    return Response({"username": request.user.get_username()})
