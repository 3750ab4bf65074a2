"""Views as in any Django REST framework project."""

from rest_framework.decorators import api_view
from rest_framework.response import Response


@api_view(["GET"])
def me(request):
    return Response({"id": request.user.pk, "username": request.user.get_username()})
