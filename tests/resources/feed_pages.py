from tests.pages import Page

FEED_PAGES: list[Page] = []
