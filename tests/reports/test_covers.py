"""Each board's own front: whose it is, how it is written, and that nothing else differs."""

from datetime import date

import pytest
from django.core.management import call_command

from collab4m.clock import now
from records.documents.content import check_cover
from records.documents.frame import frame_for
from records.documents.reading import Reading
from records.models import Event
from reports.models import Cover, MemoSection, Report
from reports.operations import NotYourBoard, boards_of, change_cover, content_of, cover_of, covers_of
from reports.operations.covers import CoverRefused
from tests.factories import BoardFactory, MembershipFactory
from tests.programmes.pages import with_offer
from tests.reports.texts import EMPTY, fill_in

pytestmark = pytest.mark.django_db


def test_what_nobody_has_filled_in_is_left_out_and_nothing_is_made_up(report, board):
    made = cover_of(board, None)

    assert (made["case_number"], made["official"], made["send_to"]) == ("", "", [])
    assert "date" not in made
    assert all(point.startswith("att ") for point in made["decision"]["points"])


def test_what_the_board_has_filled_in_stands_on_its_front(report, board, committee):
    cover = fill_in(
        report, board, committee, case_number=" UAN2022/17 ", day=date(2022, 9, 13), official="En handläggare",
        decision_points="att godkänna\r\n\r\natt  avsluta uppdragen\r\n", send_to="Kommunstyrelsen\nRevisorerna",
    )  # fmt: skip

    made = cover_of(board, cover)

    assert (made["case_number"], made["date"], made["official"]) == ("UAN2022/17", "2022-09-13", "En handläggare")
    assert made["decision"]["points"] == ["att godkänna", "att avsluta uppdragen"]
    assert made["send_to"] == ["Kommunstyrelsen", "Revisorerna"]
    event = Event.objects.get(name="report.cover_changed")
    assert (event.by, event.subject) == (committee, report)
    assert set(event.changes) == {
        f"{board}:{name}" for name in ("case_number", "day", "official", "decision_points", "send_to")
    }


def test_saving_the_same_again_is_not_told(report, board, owner):
    for _time in range(2):
        fill_in(report, board, owner, case_number="UAN2022/17")

    assert Event.objects.filter(name="report.cover_changed").count() == 1


@pytest.mark.parametrize("number", ["2022/17", "UAN22/17", "UAN2022/17 b", "BUN2022/17"])
def test_a_case_number_is_written_as_the_board_writes_them(report, board, owner, number):
    with pytest.raises(CoverRefused) as refused:
        fill_in(report, board, owner, case_number=number)

    assert refused.value.field == "case_number"
    assert not Cover.objects.exists()


def test_any_case_number_will_do_while_the_boards_way_is_not_known(report, neighbour_board, asker):
    assert fill_in(report, neighbour_board, asker, case_number="SN 7-22").case_number == "SN 7-22"


@pytest.mark.parametrize("points", ["Nämnden godkänner", "att godkänna\nockså detta", "Att godkänna", "attest"])
def test_each_point_begins_with_att(report, board, owner, points):
    with pytest.raises(CoverRefused) as refused:
        fill_in(report, board, owner, decision_points=points)

    assert refused.value.field == "decision_points"


@pytest.mark.parametrize(
    ("who", "may"),
    [("owner", True), ("committee", True), ("asker", False), ("outsider", False), ("principal", False),
     ("council_member", False), ("system_administrator", False)],
)  # fmt: skip
def test_a_front_is_filled_in_by_its_own_board(report, board, request, who, may):
    user = request.getfixturevalue(who)

    if may:
        fill_in(report, board, user, official="Någon")
    else:
        with pytest.raises(NotYourBoard):
            fill_in(report, board, user, official="Någon")

    assert Cover.objects.exists() is may


def test_on_behalf_of_the_neighbour_nothing_is_filled_in(report, board, owner, neighbour):
    with pytest.raises(NotYourBoard):
        change_cover(report, board, **EMPTY, by=owner, on_behalf_of=neighbour.body)


def test_the_page_says_what_is_wrong_beside_the_field(client, report, board, owner):
    client.force_login(owner)
    address = f"/rapporter/{report.pk}/forsattsblad/{board.pk}/"

    wrong = client.post(address, {"case_number": "17"})
    right = client.post(address, {"case_number": "UAN2022/17"})

    assert (wrong.status_code, list(wrong.context["form"].errors)) == (200, ["case_number"])
    assert (right.status_code, Cover.objects.get().case_number) == (302, "UAN2022/17")


def test_boards_stand_in_the_agreed_order_and_a_second_one_has_its_own_front(report, area, home, board):
    second = BoardFactory(municipality=home)
    first_of_all = MembershipFactory(area=area, position=0).municipality
    BoardFactory(municipality=first_of_all)

    assert [member.municipality.name for member, _board in boards_of(report)] == [
        first_of_all.name, "Enköping", "Enköping", "Västerås",
    ]  # fmt: skip
    assert list(covers_of(report)) == [first_of_all.code, "0381", f"0381-{second.pk}", "1980"]


# Order and headings


def test_a_board_has_its_own_order_and_headings(report, board):
    for place, (section, heading) in enumerate([("arendet", "Beskrivning"), ("barn", "Barnets bästa")], 1):
        MemoSection.objects.create(board=board, section=section, heading=heading, position=place)

    covers = covers_of(report)
    content = content_of(report)

    own = Reading(content, frame_for(content, number=1, at=now(), site="", cover=covers["0381"])).parts
    theirs = Reading(content, frame_for(content, number=1, at=now(), site="", cover=covers["1980"])).parts
    tops = [(part["id"], part["heading"]) for part in own if part["level"] == 1]
    assert [tops[1], tops[2]] == [("arendet", "Beskrivning"), ("barn", "Barnets bästa")]
    assert {part["id"]: part["blocks"] for part in own[1:]} == {part["id"]: part["blocks"] for part in theirs[1:]}
    assert "order" not in covers["1980"]


def test_another_municipalitys_document_differs_only_in_its_front(
    report, board, neighbour_board, home, neighbour, school, owner
):
    with_offer(home, neighbour, school)
    fill_in(report, board, owner, case_number="UAN2022/17", decision_points="att godkänna")
    content, covers = content_of(report), covers_of(report)

    own, theirs = (
        Reading(content, frame_for(content, number=1, at=now(), site="", cover=covers[code]))
        for code in ("0381", "1980")
    )

    assert own.parts[0]["id"] == theirs.parts[0]["id"] == "proposal"
    assert own.parts[0] != theirs.parts[0]
    assert own.parts[1:] == theirs.parts[1:]
    assert own.annexes == theirs.annexes
    assert own.sources == theirs.sources


def test_the_boards_of_the_area_have_fronts_that_fit_and_orders_as_their_memos_have(db):
    call_command("load_reference")
    report = Report.objects.get()
    content, covers = content_of(report), covers_of(report)

    assert list(covers) == ["1980", "0484", "0381", "0486"]
    for cover in covers.values():
        check_cover(cover, content)
    assert covers["0381"]["order"][:2] == ["sammanfattning", "arendet"]
    assert covers["0381"]["headings"] == {"arendet": "Beskrivning av ärendet"}
    assert covers["1980"]["headings"] == {"arendet": "Ärendebeskrivning"}


@pytest.mark.parametrize("number", [1, 3])
def test_fronts_cost_the_same_for_any_number_of_boards(report, area, number, django_assert_num_queries):
    for _nth in range(number):
        BoardFactory(municipality=MembershipFactory(area=area).municipality)

    with django_assert_num_queries(4):
        covers_of(report)
