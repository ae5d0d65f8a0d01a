"""The addresses of resources and bookings, and what each role meets there."""

from tests.resources.booking_pages import BOOKING_PAGES
from tests.resources.deciding_pages import DECIDING_PAGES
from tests.resources.feed_pages import FEED_PAGES
from tests.resources.finding_pages import FINDING_PAGES
from tests.resources.inventory_pages import INVENTORY_PAGES
from tests.resources.sharing_pages import SHARING_PAGES
from tests.resources.timeline_pages import TIMELINE_PAGES

PAGES = [
    *FINDING_PAGES,
    *TIMELINE_PAGES,
    *SHARING_PAGES,
    *INVENTORY_PAGES,
    *BOOKING_PAGES,
    *DECIDING_PAGES,
    *FEED_PAGES,
]
