"""The directory's addresses, and what each role meets there."""

from organisations.models import Membership, TravelMode, TravelTime
from tests.factories import BoardFactory, ProviderFactory, SiteFactory
from tests.pages import Page

OPEN = {"anonymous": 200}
BUILDERS = {"system_administrator": 200}
KEEPERS = {"system_administrator": 200, "owner": 200}


def of_area(area):
    return [area.slug]


def of_member(home):
    membership = Membership.objects.get(municipality=home)
    return [membership.area.slug, membership.pk]


def of_home(home):
    return [home.pk]


def of_board(home):
    return [BoardFactory(municipality=home).pk]


def of_school(school):
    return [school.pk]


def of_provider(home):
    return [ProviderFactory(municipality=home).pk]


def of_site(home):
    return [SiteFactory(municipality=home).pk]


def of_year(home):
    return [home.pk, "2022-23"]


def of_travel_time(home, elsewhere):
    return [TravelTime.objects.create(origin=home, destination=elsewhere, mode=TravelMode.RAIL).pk]


PAGES = [
    Page("areas"),
    Page("area_new", everyone=403, status=BUILDERS),
    Page("area", args=of_area),
    Page("area_change", args=of_area, everyone=403, status=BUILDERS),
    Page("member_new", args=of_area, everyone=403, status=BUILDERS),
    Page("member_change", args=of_member, everyone=403, status=BUILDERS),
    Page("member_end", args=of_member, everyone=403, status=BUILDERS),
    Page("municipality", args=of_home),
    Page("board_new", args=of_home, everyone=403, status=BUILDERS),
    Page("school_new", args=of_home, everyone=403, status=BUILDERS),
    Page("site_new", args=of_home, everyone=403, status=BUILDERS),
    Page("provider_new", everyone=403, status=BUILDERS),
    Page("provider", args=of_provider),
    Page("travel_time_new", args=of_home, everyone=403, status=KEEPERS),
    Page("travel_time_change", args=of_travel_time, everyone=403, status=KEEPERS | {"outsider": 200}),
    Page("contacts_change", args=of_home, everyone=403, status=KEEPERS),
    Page("school_year_change", args=of_year, everyone=403, status=KEEPERS),
    Page("board", args=of_board),
    Page("board_change", args=of_board, everyone=403, status=KEEPERS),
    Page("school", args=of_school),
    Page("school_change", args=of_school, everyone=403, status=KEEPERS),
    Page("site", args=of_site),
    Page("site_change", args=of_site, everyone=403, status=KEEPERS),
    Page("glossary"),
    Page("accessibility", status=OPEN),
    Page("personal_data", status=OPEN),
    Page("cookies", status=OPEN),
]
