"""Words and addresses longer than a telephone is wide break; the page never scrolls sideways."""

import pytest
from django.contrib.contenttypes.models import ContentType

from collab4m.clock import now
from records.models import Question
from records.operations import record
from tests.browser.conftest import NARROW, is_wider_than_its_window
from tests.factories import BoardFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WORD = "gymnasiesärskoleverksamhetsutvecklingssamordnarkonferenserna"
URL = "https://" + "a" * 292


@pytest.mark.parametrize("width", [NARROW, 390])
def test_long_words_and_addresses_break(window, owner, asker, home, neighbour, width):
    board = BoardFactory(municipality=home, name=WORD, administration=WORD)
    record("board.changed", board, by=owner, on_behalf_of=home.body, board=f"{WORD}, Enköping")
    question = Question.objects.create(
        subject_type=ContentType.objects.get_for_model(board),
        subject_id=board.pk,
        subject_name=WORD,
        from_body=neighbour.body,
        to_body=home.body,
        by=asker,
        title=WORD,
        text=f"{URL} {WORD}",
        asked_at=now(),
    )
    opened = window()
    opened.let_in(owner)
    opened.page.set_viewport_size({"width": width, "height": 800})

    pages = [board, question, home]
    paths = [page.get_absolute_url() for page in pages]
    paths += ["/", "/fragor/", f"/historik/organisations/board/{board.pk}/", f"/sok/?q={WORD}"]

    assert [path for path in paths if is_wider_than_its_window(opened.visit(path))] == []


def test_log_out_stands_on_one_line(window, owner):
    opened = window()
    opened.let_in(owner)
    opened.page.set_viewport_size({"width": NARROW, "height": 800})

    button = opened.visit("/").get_by_role("button", name="Logga ut").first

    assert button.evaluate("element => element.getClientRects().length") == 1
    assert button.bounding_box()["height"] < 50
