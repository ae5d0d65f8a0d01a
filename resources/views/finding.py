"""Finding what is shared."""

from django.http import HttpRequest, HttpResponse


def resources(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def resource(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse()
