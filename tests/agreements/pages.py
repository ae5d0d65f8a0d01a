"""The addresses of agreements, and what each role meets there."""

from tests.agreements.calculation_pages import CALCULATION_PAGES
from tests.agreements.cover_pages import COVER_PAGES
from tests.agreements.draft_pages import DRAFT_PAGES
from tests.agreements.price_pages import PRICE_PAGES
from tests.agreements.referral_pages import REFERRAL_PAGES
from tests.agreements.register_pages import REGISTER_PAGES
from tests.agreements.signing_pages import SIGNING_PAGES

PAGES = [*DRAFT_PAGES, *PRICE_PAGES, *CALCULATION_PAGES, *COVER_PAGES, *REFERRAL_PAGES, *REGISTER_PAGES, *SIGNING_PAGES]
