"""Every address of the portal, grouped by app."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from collab4m import health, kept, portal

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", portal.start, name="start"),
    path("sok/", portal.search, name="search"),
    path("kvar/", kept.kept, name="kept"),
    path("sprak/", portal.language, name="set_language"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("organisations.urls")),
    path("", include("programmes.urls")),
    path("", include("agreements.urls")),
    path("", include("resources.urls")),
    path("", include("reports.urls")),
    path("", include("records.urls")),
    path("konto/", include("allauth.urls")),
    path("api/v1/", include("collab4m.api_urls")),
    path("admin/", admin.site.urls),
]

handler400 = "collab4m.faults.bad_request"
handler403 = "collab4m.faults.forbidden"
handler404 = "collab4m.faults.not_found"
handler500 = "collab4m.faults.broken"
