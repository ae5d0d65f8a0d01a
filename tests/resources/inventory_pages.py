from tests.pages import Page

INVENTORY_PAGES: list[Page] = []
