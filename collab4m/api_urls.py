"""The API's addresses: what each app offers under /api/v1/, the schema and the page that explains it."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from agreements.api.agreements import AgreementViewSet
from agreements.api.calculations import CalculationViewSet
from agreements.api.clauses import ClauseViewSet
from agreements.api.cover import CoverViewSet, SeatUseViewSet
from agreements.api.decisions import AgreementVersionViewSet, DecisionViewSet
from agreements.api.notices import NoticeViewSet
from agreements.api.prices import PriceListViewSet
from agreements.api.referrals import ReferralAnswerViewSet
from agreements.api.revisions import RevisionViewSet, TermViewSet
from agreements.api.signatures import SignOffViewSet
from agreements.api.statements import StatementViewSet
from collab4m import api_docs
from organisations import api as organisations
from programmes import api as programmes
from records import api as records
from reports import api as reports
from resources.api.blockings import BlockingViewSet
from resources.api.bookings import BookingViewSet
from resources.api.catalogue import ResourceViewSet
from resources.api.units import UnitViewSet
from resources.api.waiting import WaitingOfferViewSet, WaitingViewSet

router = SimpleRouter(use_regex_path=False)
router.register("areas", organisations.AreaViewSet, basename="api-area")
router.register("municipalities", organisations.MunicipalityViewSet, basename="api-municipality")
router.register("boards", organisations.BoardViewSet, basename="api-board")
router.register("schools", organisations.SchoolViewSet, basename="api-school")
router.register("sites", organisations.SiteViewSet, basename="api-site")
router.register("programmes", programmes.ProgrammeViewSet, basename="api-programme")
router.register("orientations", programmes.OrientationViewSet, basename="api-orientation")
router.register("successions", programmes.SuccessionViewSet, basename="api-succession")
router.register("offerings", programmes.OfferingViewSet, basename="api-offering")
router.register("offering-reports", programmes.OfferingReportViewSet, basename="api-offering-report")
router.register("offering-facts", programmes.OfferingFactViewSet, basename="api-offering-fact")
router.register("pupil-flows", programmes.PupilFlowViewSet, basename="api-pupil-flow")
router.register("reports", reports.ReportViewSet, basename="api-report")
router.register("programme-gaps", programmes.ProgrammeGapViewSet, basename="api-programme-gap")
router.register("agreements", AgreementViewSet, basename="api-agreement")
router.register("agreement-revisions", RevisionViewSet, basename="api-agreement-revision")
router.register("agreement-terms", TermViewSet, basename="api-agreement-term")
router.register("agreement-versions", AgreementVersionViewSet, basename="api-agreement-version")
router.register("referral-answers", ReferralAnswerViewSet, basename="api-referral-answer")
router.register("decisions", DecisionViewSet, basename="api-decision")
router.register("sign-offs", SignOffViewSet, basename="api-sign-off")
router.register("notices", NoticeViewSet, basename="api-notice")
router.register("cover", CoverViewSet, basename="api-cover")
router.register("seat-uses", SeatUseViewSet, basename="api-seat-use")
router.register("calculations", CalculationViewSet, basename="api-calculation")
router.register("clauses", ClauseViewSet, basename="api-clause")
router.register("resources", ResourceViewSet, basename="api-resource")
router.register("units", UnitViewSet, basename="api-unit")
router.register("bookings", BookingViewSet, basename="api-booking")
router.register("waiting", WaitingViewSet, basename="api-waiting")
router.register("waiting-offers", WaitingOfferViewSet, basename="api-waiting-offer")
router.register("blockings", BlockingViewSet, basename="api-blocking")
router.register("jobs", records.JobViewSet, basename="api-job")
router.register("parts", records.PartViewSet, basename="api-part")
router.register("price-lists", PriceListViewSet, basename="api-price-list")
router.register("statements", StatementViewSet, basename="api-statement")

urlpatterns = [
    path("", include(router.urls)),
    path("schema/", api_docs.Schema.as_view(), name="api_schema"),
    path("docs/", api_docs.docs, name="api_docs"),
]
