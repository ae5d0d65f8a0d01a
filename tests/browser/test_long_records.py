"""Questions, corrections, jobs and their history hold their width when what people write is long."""

import pytest

from records.models import Job
from records.operations import decline_correction, order_job, propose_correction
from tests.browser.conftest import NARROW, is_wider_than_its_window
from tests.browser.test_long_words import URL, WORD
from tests.factories import BoardFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_records_with_long_words_and_addresses_break(window, owner, asker, home, neighbour):
    board = BoardFactory(municipality=home, name=WORD, memo_head=WORD)
    said = {"field": "memo_head", "reason": f"{URL} {WORD}", "source_note": URL, "by": asker}
    waits, declined = (
        propose_correction(board, **said, proposed=WORD * number, on_behalf_of=neighbour.body) for number in (2, 3)
    )
    decline_correction(declined, by=owner, on_behalf_of=home.body, answer=URL)
    job = order_job("records.check", WORD, by=owner)
    Job.objects.update(state="failed", error=f"{WORD} {URL}")
    opened = window()
    opened.let_in(owner)
    opened.page.set_viewport_size({"width": NARROW, "height": 800})
    about = f"?om=organisations.board:{board.pk}"

    paths = [row.get_absolute_url() for row in (board, waits, declined, job)]
    paths += ["/rattelser/", f"/rattelser/ny/{about}", f"/rattelser/ny/{about}&falt=memo_head", "/jobb/"]
    paths += [f"/fragor/ny/{about}", f"/historik/organisations/board/{board.pk}/"]
    paths += [f"/historik/records/correction/{declined.pk}/"]

    assert [path for path in paths if is_wider_than_its_window(opened.visit(path))] == []
