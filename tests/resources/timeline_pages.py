from tests.pages import Page

TIMELINE_PAGES: list[Page] = []
