from tests.pages import Page

DECIDING_PAGES: list[Page] = []
