from tests.pages import Page

BOOKING_PAGES: list[Page] = []
