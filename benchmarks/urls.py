"""The portal's addresses and one more: the shell with its menu and an empty body, the baseline of every ratio."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path


def bare(request: HttpRequest) -> HttpResponse:
    return render(request, "base.html")


urlpatterns = [path("bare/", bare), path("", include("collab4m.urls"))]
