"""The portal's addresses and the page of a paper."""

from django.shortcuts import render
from django.urls import include, path

from collab4m.access import get_visible
from tests.writing.models import Paper


def paper(request, pk):
    return render(request, "writing/paper.html", {"paper": get_visible(Paper.objects, request.user, pk=pk)})


handler400 = "collab4m.faults.bad_request"
handler403 = "collab4m.faults.forbidden"
handler404 = "collab4m.faults.not_found"
handler500 = "collab4m.faults.broken"

urlpatterns = [path("papper/<int:pk>/", paper, name="paper"), path("", include("collab4m.urls"))]
