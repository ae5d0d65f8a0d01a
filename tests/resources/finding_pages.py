from tests.pages import Page

FINDING_PAGES: list[Page] = []
