"""The API's addresses: what each app offers under /api/v1/, the schema and the page that explains it."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from collab4m import api_docs
from organisations import api as organisations
from records import api as records

router = SimpleRouter(use_regex_path=False)
router.register("areas", organisations.AreaViewSet, basename="api-area")
router.register("municipalities", organisations.MunicipalityViewSet, basename="api-municipality")
router.register("boards", organisations.BoardViewSet, basename="api-board")
router.register("schools", organisations.SchoolViewSet, basename="api-school")
router.register("sites", organisations.SiteViewSet, basename="api-site")
router.register("jobs", records.JobViewSet, basename="api-job")

urlpatterns = [
    path("", include(router.urls)),
    path("schema/", api_docs.Schema.as_view(), name="api_schema"),
    path("docs/", api_docs.docs, name="api_docs"),
]
