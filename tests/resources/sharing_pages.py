from tests.pages import Page

SHARING_PAGES: list[Page] = []
