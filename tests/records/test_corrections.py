"""This figure is wrong: proposed to the owner, who changes the figure or says why not."""

import pytest
from django.core.exceptions import ValidationError

from organisations.models import Board, Body, Role, RoleKind, School, TravelTime
from records.models import CameIn, Correction, CorrectionState, Event, Outgoing, Source
from records.operations import (
    AlreadyDecided,
    FigureChanged,
    FigureGone,
    FigureRefused,
    NobodyAnswers,
    SameFigure,
    accept_correction,
    decline_correction,
    propose_correction,
)
from records.operations.corrections import NotAFigure, ReasonMissing
from records.operations.questions import NotYourBody
from records.people import speaking_for
from tests.factories import BoardFactory, ProviderFactory, RoleFactory, SchoolFactory


@pytest.fixture
def travel(home, neighbour) -> TravelTime:
    return TravelTime.objects.create(
        origin=home,
        destination=neighbour,
        mode="rail",
        minutes=25,
        source=Source.objects.create(key="timetable", publisher="Trafiken"),
        came_in=CameIn.REFERENCE,
        verified=True,
    )


@pytest.fixture
def proposed(travel, asker, neighbour, owner, home) -> Correction:
    """Västerås says that the journey from Enköping takes 27 minutes."""
    return propose(travel, asker, neighbour)


def propose(subject, by, on_behalf_of, **given) -> Correction:
    said = {"field": "minutes", "proposed": "27", "reason": "Ny tidtabell", "source_note": "Tidtabell 2026", **given}
    return propose_correction(subject, **said, by=by, on_behalf_of=on_behalf_of.body)


def test_propose_correction_tells_the_owner_that_is_not_oneself(proposed, owner, home):
    assert (proposed.owner_id, proposed.value_then, proposed.proposed) == (home.pk, "25", "27")
    (mail,) = Outgoing.objects.all()
    assert mail.user == owner
    assert "Står i dag: 25" in mail.text
    assert "Ska stå: 27" in mail.text
    assert f"/rattelser/{proposed.pk}/" in mail.text


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"proposed": "25"}, SameFigure),
        ({"proposed": "snabbt"}, FigureRefused),
        ({"proposed": "-1"}, FigureRefused),
        ({"field": "mode"}, NotAFigure),
        ({"field": "pk"}, NotAFigure),
    ],
)
def test_propose_correction_refuses_what_cannot_be_kept(travel, asker, neighbour, owner, given, error):
    with pytest.raises(error):
        propose(travel, asker, neighbour, **given)

    assert not Correction.objects.exists()


def test_propose_correction_may_say_that_a_figure_is_unknown(travel, asker, neighbour, owner):
    assert propose(travel, asker, neighbour, proposed="").shown_proposed in ("ej angivet", "not stated")


def test_propose_correction_is_for_those_who_act_for_a_body(travel, committee, home, asker):
    with pytest.raises(NotYourBody):
        propose(travel, committee, home)


def test_propose_correction_needs_somebody_who_answers(travel, asker, neighbour):
    with pytest.raises(NobodyAnswers):
        propose(travel, asker, neighbour)


def test_accept_correction_changes_the_figure_and_says_where_it_is_from(proposed, travel, owner, asker, home):
    Outgoing.objects.all().delete()

    accept_correction(proposed, by=owner, on_behalf_of=home.body, seen="25")

    travel.refresh_from_db()
    assert (travel.minutes, travel.came_in, travel.verified) == (27, CameIn.FORM, False)
    assert (travel.source, travel.source_note) == (None, "Tidtabell 2026")
    event = Event.objects.about(travel).get()
    assert (event.name, event.by, event.changes) == ("fact.corrected", owner, {"minutes": ["25", "27"]})
    proposed.refresh_from_db()
    assert (proposed.state, proposed.decided_by) == (CorrectionState.ACCEPTED, owner)
    (mail,) = Outgoing.objects.all()
    assert (mail.user, "godtagen" in mail.subject) == (asker, True)
    assert f"{owner.name} (Enköping) har godtagit rättelsen av" in mail.text
    assert "Nu står: 27" in mail.text


def test_accept_correction_may_say_that_it_is_verified(proposed, travel, owner, home):
    accept_correction(proposed, by=owner, on_behalf_of=home.body, seen="25", verified=True)

    travel.refresh_from_db()
    assert travel.verified


def test_accept_correction_never_publishes_the_private_reason(travel, asker, neighbour, owner, home):
    correction = propose(travel, asker, neighbour, reason="Vår chef sade det", source_note="")

    accept_correction(correction, by=owner, on_behalf_of=home.body, seen="25")

    travel.refresh_from_db()
    assert travel.source_note == ""


def test_accept_correction_keeps_the_note_short_and_the_latest_in_it(travel, asker, neighbour, owner, home):
    TravelTime.objects.update(source_note="a" * 250 + "\n" + "b" * 240)
    correction = propose(travel, asker, neighbour, source_note="c" * 200)

    accept_correction(correction, by=owner, on_behalf_of=home.body, seen="25")

    travel.refresh_from_db()
    assert travel.source_note == "b" * 240 + "\n" + "c" * 200


def test_accept_correction_asks_the_models_own_rules(monkeypatch, asker, neighbour, owner, home):
    def clean(board: Board) -> None:
        if board.name == "KFN":
            raise ValidationError({"case_number_example": "Exemplet stämmer inte."})

    board = BoardFactory(municipality=home, name="UAN")
    correction = propose(board, asker, neighbour, field="name", proposed="KFN")
    monkeypatch.setattr(Board, "clean", clean)

    with pytest.raises(FigureRefused, match="Exemplet stämmer inte."):
        accept_correction(correction, by=owner, on_behalf_of=home.body, seen="UAN")

    board.refresh_from_db()
    correction.refresh_from_db()
    assert (board.name, correction.is_waiting) == ("UAN", True)


@pytest.mark.parametrize("kept", ["Rad 1\nRad 2", "Rad 1\r\nRad 2"])
def test_a_text_of_several_lines_is_accepted_through_a_browser(client, asker, neighbour, owner, home, kept):
    board = BoardFactory(municipality=home, memo_head=kept)
    client.force_login(asker)
    said = {"proposed": "Rad 1\r\nRad 3", "reason": "Ett\r\ntvå"}
    client.post(f"/rattelser/ny/?om=organisations.board:{board.pk}&falt=memo_head", said)
    correction = Correction.objects.get()
    client.force_login(owner)

    client.post(f"/rattelser/{correction.pk}/godta/", {"seen": "Rad 1\r\nRad 2"})

    board.refresh_from_db()
    assert (board.memo_head, correction.reason) == ("Rad 1\nRad 3", "Ett\ntvå")


def test_the_administrators_where_an_independent_school_lies_do_not_decide_for_it(home, owner, principal, school):
    """What the directory says of a school is the municipality's; what is asked of the school is its own."""
    assert [body.pk for body in school.owners()] == [home.pk]
    assert speaking_for(owner, school.body) == []
    school.provider = ProviderFactory(kind="municipal", municipality=home)
    school.save()
    assert speaking_for(owner, Body.objects.get(pk=school.pk)) == [home.pk]


def test_accept_correction_of_a_school_changes_the_school(asker, neighbour, owner, home):
    school = SchoolFactory(municipality=home, name="Edströmska")
    correction = propose(school, asker, neighbour, field="name", proposed="Edströmska gymnasiet")

    accept_correction(correction, by=owner, on_behalf_of=home.body, seen="Edströmska")

    assert School.objects.get(pk=school.pk).name == "Edströmska gymnasiet"


def test_accept_correction_stops_when_the_figure_changed_meanwhile(proposed, travel, owner, home):
    TravelTime.objects.update(minutes=30)

    with pytest.raises(FigureChanged):
        accept_correction(proposed, by=owner, on_behalf_of=home.body, seen="25")
    accept_correction(proposed, by=owner, on_behalf_of=home.body, seen="30")

    assert Event.objects.about(travel).get().changes == {"minutes": ["30", "27"]}


def test_decline_correction_needs_a_reason_and_leaves_the_figure(proposed, travel, owner, home, asker):
    with pytest.raises(ReasonMissing):
        decline_correction(proposed, by=owner, on_behalf_of=home.body, answer=" ")
    Outgoing.objects.all().delete()

    decline_correction(proposed, by=owner, on_behalf_of=home.body, answer="Gäller bara sommaren.")

    travel.refresh_from_db()
    assert travel.minutes == 25
    (mail,) = Outgoing.objects.all()
    assert mail.user == asker
    assert "Gäller bara sommaren." in mail.text


def test_a_correction_is_decided_once(proposed, owner, home):
    decline_correction(proposed, by=owner, on_behalf_of=home.body, answer="Nej.")

    with pytest.raises(AlreadyDecided):
        accept_correction(proposed, by=owner, on_behalf_of=home.body, seen="25")
    with pytest.raises(AlreadyDecided):
        decline_correction(proposed, by=owner, on_behalf_of=home.body, answer="Nej.")


@pytest.mark.parametrize("who", ["asker", "committee", "outsider", "principal"])
def test_a_correction_is_decided_by_the_owner(request, proposed, home, who):
    user = request.getfixturevalue(who)

    with pytest.raises(NotYourBody):
        accept_correction(proposed, by=user, on_behalf_of=home.body, seen="25")
    with pytest.raises(NotYourBody):
        decline_correction(proposed, by=user, on_behalf_of=home.body, answer="Nej.")


def test_the_decision_goes_to_the_colleagues_of_a_proposer_who_left(proposed, owner, asker, home, neighbour):
    colleague = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=neighbour.body).user
    Role.objects.filter(user=asker).delete()
    Outgoing.objects.all().delete()

    accept_correction(proposed, by=owner, on_behalf_of=home.body, seen="25")

    assert Outgoing.objects.get().user == colleague


# Pages


@pytest.mark.parametrize(
    ("who", "page", "decision"),
    [
        ("owner", 200, 302),
        ("asker", 200, 403),
        ("committee", 200, 403),
        ("outsider", 404, 404),
        ("principal", 404, 404),
        ("system_administrator", 404, 404),
    ],
)
def test_correction_page_is_for_the_two_sides(client, request, proposed, who, page, decision):
    client.force_login(request.getfixturevalue(who))

    assert client.get(f"/rattelser/{proposed.pk}/").status_code == page
    assert client.post(f"/rattelser/{proposed.pk}/godta/", {"seen": "25"}).status_code == decision
    proposed.refresh_from_db()
    assert (proposed.state == CorrectionState.ACCEPTED) is (decision == 302)


def test_correction_page_shows_both_values_when_the_figure_changed(client, proposed, owner):
    TravelTime.objects.update(minutes=30)
    client.force_login(owner)

    page = client.get(f"/rattelser/{proposed.pk}/")

    assert page.context["today"] == "30"
    assert "Uppgiften har ändrats sedan förslaget skrevs" in page.content.decode()
    client.post(f"/rattelser/{proposed.pk}/godta/", {"seen": "25"})
    assert TravelTime.objects.get().minutes == 30
    client.post(f"/rattelser/{proposed.pk}/godta/", {"seen": "30"})
    assert TravelTime.objects.get().minutes == 27


def test_correction_decline_asks_for_a_reason(client, proposed, owner):
    client.force_login(owner)

    response = client.post(f"/rattelser/{proposed.pk}/avsla/", {"answer": ""})

    assert response.status_code == 200
    assert "Skriv varför uppgiften står kvar." in response.content.decode()


def test_correction_new_checks_as_the_field_does_and_sends(client, travel, asker, owner, home):
    client.force_login(asker)
    path = f"/rattelser/ny/?om=organisations.traveltime:{travel.pk}"

    wrong = client.post(path, {"proposed": "snabbt", "reason": "Ny tidtabell"})
    assert "proposed" in wrong.context["form"].errors
    same = client.post(path, {"proposed": "25", "reason": "Ny tidtabell"})
    assert "proposed" in same.context["form"].errors
    response = client.post(path, {"proposed": "27", "reason": "Ny tidtabell"})

    assert response.status_code == 302
    assert Correction.objects.get().proposed == "27"


def test_correction_new_keeps_a_text_that_is_too_long_and_counts_it(client, travel, asker, owner):
    client.force_login(asker)
    path = f"/rattelser/ny/?om=organisations.traveltime:{travel.pk}"

    page = client.post(path, {"proposed": "27", "reason": "a" * 2312}).content.decode()

    assert "a" * 2312 in page
    assert "till 2\xa0000 tecken. Nu är det 2\xa0312." in page
    assert "maxlength" not in page.split("<form")[-1]


def test_correction_new_tells_of_a_proposal_that_waits(client, proposed, travel, asker, outsider):
    path = f"/rattelser/ny/?om=organisations.traveltime:{travel.pk}"

    for user, sees in ((asker, True), (outsider, False)):
        client.force_login(user)
        assert (f'href="/rattelser/{proposed.pk}/"' in client.get(path).content.decode()) is sees


@pytest.mark.parametrize(("code", "title"), [("", "Skolenhetskod saknas"), ("95471498", "Skolenhetskod är fel")])
def test_correction_new_says_whether_the_figure_is_wrong_or_missing(client, asker, home, code, title):
    school = SchoolFactory(municipality=home, school_unit_code=code)
    client.force_login(asker)

    page = client.get(f"/rattelser/ny/?om=organisations.school:{school.pk}&falt=school_unit_code").content.decode()

    assert f"<title>{title}" in page
    assert "Enköping avgör och du får beslutet med mejl." in page


def test_correction_new_asks_which_figure_when_there_are_several(client, asker, home):
    school = SchoolFactory(municipality=home, name="Edströmska")
    client.force_login(asker)

    page = client.get(f"/rattelser/ny/?om=organisations.school:{school.pk}").content.decode()

    assert f"?om=organisations.school:{school.pk}&amp;falt=status" in page
    assert "Edströmska" in page


def test_correction_new_is_404_for_what_only_seems_to_have_figures(client, asker, monkeypatch):
    monkeypatch.setattr(type(asker), "sourced_fields", ("name",), raising=False)
    client.force_login(asker)

    assert client.get(f"/rattelser/ny/?om=organisations.user:{asker.pk}").status_code == 404


def test_correction_new_is_404_for_what_has_no_figures(client, asker, area):
    client.force_login(asker)

    assert client.get(f"/rattelser/ny/?om=organisations.collaborationarea:{area.pk}").status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_corrections_page_costs_the_same_with_more_rows(
    client, asker, owner, neighbour, home, django_assert_num_queries, rows
):
    for _row in range(rows):
        board = BoardFactory(municipality=home)
        propose(board, asker, neighbour, field="name", proposed="A")
        declined = propose(board, asker, neighbour, field="name", proposed="B")
        decline_correction(declined, by=owner, on_behalf_of=home.body, answer="Nej.")
    client.force_login(owner)
    client.get("/rattelser/")

    with django_assert_num_queries(CORRECTIONS_QUERIES):
        page = client.get("/rattelser/")

    assert (len(page.context["waiting"]), len(page.context["decided"])) == (rows, rows)


CORRECTIONS_QUERIES = 8


def test_corrections_wait_for_the_owners_people_of_today(proposed, owner, asker):
    assert list(Correction.objects.waiting_for(owner)) == [proposed]
    assert not Correction.objects.waiting_for(asker).exists()

    Role.objects.filter(user=owner).delete()
    del owner.roles_today

    assert not Correction.objects.waiting_for(owner).exists()


def test_a_figure_that_is_gone_is_declined_not_corrected(client, proposed, travel, owner, home):
    travel.delete()
    client.force_login(owner)

    with pytest.raises(FigureGone):
        accept_correction(proposed, by=owner, on_behalf_of=home.body, seen="25")
    assert client.get(proposed.get_absolute_url()).status_code == 200
    decline_correction(proposed, by=owner, on_behalf_of=home.body, answer="Raden finns inte längre.")

    proposed.refresh_from_db()
    assert proposed.state == CorrectionState.DECLINED
