"""Bookings: one's own, and one at a time."""

from django.http import HttpRequest, HttpResponse


def booking(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse()
