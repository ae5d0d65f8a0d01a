"""Referral through its pages: sending, answering section by section, settling, reminding and taking back."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agreements.models import AnswerKind, Outcome, Referral, ReferralAnswer, ReferralReminder, Revision, RevisionState
from agreements.operations import (
    AnswersMissing,
    answer_referral,
    parts_of_revision,
    send_to_decision,
    take_back,
)
from collab4m.clock import today
from organisations.models import RoleKind
from records.models import Event, Outgoing, Version
from records.operations import save_part
from tests.agreements.stories import building, draft, fill_in, on_referral, party_of, revision_of
from tests.factories import MembershipFactory, RoleFactory

pytestmark = pytest.mark.django_db

STOCKHOLM = ZoneInfo("Europe/Stockholm")


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return draft(area, [home, neighbour], owner, programme=building())


@pytest.fixture
def sent(agreement):
    fill_in(agreement)
    on_referral(agreement)
    return agreement


def address(agreement, page=""):
    return f"{agreement.get_absolute_url()}{page}"


def wanted(agreement, municipality, by, section="resor"):
    return answer_referral(
        party_of(agreement, municipality),
        kind="change_wanted",
        section=section,
        text="Höj ersättningen.",
        by=by,
        on_behalf_of=municipality.body,
    )


# Sending


def test_sending_freezes_a_version_and_tells_the_parties(client, agreement, owner, neighbour, asker):
    client.force_login(owner)
    page = client.get(address(agreement, "remiss/"))
    assert page.context["form"]["last_day"].value() == today() + timedelta(weeks=3)
    assert page.context["open"]

    answer = client.post(address(agreement, "remiss/"), {"last_day": "2099-01-01"})
    assert answer.status_code == 200
    assert not Referral.objects.exists()
    answer = client.post(address(agreement, "remiss/"), {"last_day": (today() + timedelta(days=5)).isoformat()})

    assert answer.url == address(agreement)
    referral = Referral.objects.get()
    assert (referral.last_day, referral.version.number) == (today() + timedelta(days=5), 1)
    assert revision_of(agreement).state == RevisionState.REFERRAL
    assert [row.to for row in Outgoing.objects.all()] == [asker.email]


@pytest.mark.parametrize("day", ["", "i morgon", "2020-01-01", "2026-02-30", "31/12/2026", "9999-12-31", "\x00"])
def test_a_last_day_that_is_none_is_told_in_the_form(client, agreement, owner, day):
    client.force_login(owner)

    answer = client.post(address(agreement, "remiss/"), {"last_day": day})

    assert answer.status_code in (200, 400)
    assert not Referral.objects.exists()
    assert revision_of(agreement).state == RevisionState.DRAFT


# Answering


def test_the_page_takes_answers_to_many_sections_at_once(client, sent, asker, neighbour):
    client.force_login(asker)
    page = client.get(address(sent, "svar/"))
    assert "Parterna har kommit överens om" in page.content.decode()

    answer = client.post(
        address(sent, "svar/"),
        {
            "kind": "comment",
            "text": "Bra i stort.",
            "resor-kind": "change_wanted",
            "resor-text": "Ersätt från första dagen.",
            "syfte-kind": "no_objection",
        },
    )

    assert answer.url == address(sent, "remissvar/")
    assert list(ReferralAnswer.objects.order_by("pk").values_list("section", "kind", "text")) == [
        ("", "comment", "Bra i stort."),
        ("syfte", "no_objection", ""),
        ("resor", "change_wanted", "Ersätt från första dagen."),
    ]
    written = [row for row in Outgoing.objects.all() if "har svarat" in row.subject]
    assert len(written) == 1
    assert "Ersätt från första dagen." in written[0].text


def test_one_press_answers_for_the_whole(client, sent, asker):
    client.force_login(asker)

    client.post(address(sent, "svar/"), {"quick": "1"})

    assert ReferralAnswer.objects.values_list("section", "kind").get() == ("", AnswerKind.NO_OBJECTION)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"kind": "change_wanted"},
        {"kind": "maybe"},
        {"resor-kind": "comment", "resor-text": "   "},
        {"resor-text": "Utan val."},
        {"quick": "1", "resor-text": "Bortglömt.", "resor-kind": "comment"},
        {"kind": "no_objection", "text": "x" * 4001},
        {"resor-kind": "change_wanted", "resor-text": "Bra.", "syfte-kind": "comment"},
    ],
)
def test_an_answer_that_is_not_whole_gives_all_back(client, sent, asker, data):
    client.force_login(asker)

    answer = client.post(address(sent, "svar/"), data)

    assert answer.status_code == 200
    assert not ReferralAnswer.objects.exists()
    for name, value in data.items():
        if name.endswith("text"):
            assert value.strip()[:100] in answer.content.decode()


def test_an_answer_to_a_closed_referral_gives_the_text_back(client, sent, asker, owner, home):
    take_back(sent, reason="Fel.", by=owner, on_behalf_of=home.body)
    client.force_login(asker)

    answer = client.post(address(sent, "svar/"), {"kind": "comment", "text": "Lång text som inte får försvinna."})

    assert answer.status_code == 409
    assert "Lång text som inte får försvinna." in answer.content.decode()
    assert not ReferralAnswer.objects.exists()
    assert client.get(address(sent, "svar/"), follow=True).redirect_chain == [(address(sent), 302)]


def test_who_acts_for_two_says_for_which(client, sent, two_homes, home, neighbour):
    client.force_login(two_homes)

    assert client.post(address(sent, "svar/"), {"quick": "1"}).status_code == 200
    client.post(address(sent, "svar/"), {"quick": "1", "on_behalf_of": neighbour.pk})

    assert ReferralAnswer.objects.get().municipality == neighbour


# Settling


def test_a_wanted_change_opens_the_text_until_it_is_settled(client, sent, owner, asker, neighbour, home):
    one = wanted(sent, neighbour, asker)
    part = next(part for part in parts_of_revision(revision_of(sent)) if part.key == "resor")
    client.force_login(owner)
    page = client.get(address(sent, "remissvar/"))
    assert part.get_absolute_url() in page.content.decode()
    save_part(part, text="Resor ersätts.", base_version=part.version, by=owner, on_behalf_of=home.body)

    refused = client.post(address(sent, f"remissvar/{one.pk}/"), {"outcome": "declined", "reason": " "})
    assert refused.status_code == 200
    assert "Skriv varför ni avböjer" in refused.content.decode()
    client.post(address(sent, f"remissvar/{one.pk}/"), {"outcome": "declined", "reason": "För dyrt."})

    one.refresh_from_db()
    assert (one.outcome, one.outcome_reason, one.outcome_by) == (Outcome.DECLINED, "För dyrt.", owner)
    assert any("För dyrt." in row.text for row in Outgoing.objects.all())
    assert part.get_absolute_url() not in client.get(address(sent, "remissvar/")).content.decode()
    again = client.post(address(sent, f"remissvar/{one.pk}/"), {"outcome": "accepted"})
    assert again.status_code == 302
    one.refresh_from_db()
    assert one.outcome == Outcome.DECLINED


def test_only_the_sender_settles(client, sent, asker, neighbour, home, committee, principal):
    one = wanted(sent, neighbour, asker)
    for user, status in ((asker, 403), (committee, 403), (principal, 404)):
        client.force_login(user)
        assert client.post(address(sent, f"remissvar/{one.pk}/"), {"outcome": "accepted"}).status_code == status

    one.refresh_from_db()
    assert one.outcome == ""


def test_answers_of_a_closed_referral_stay_readable(client, sent, owner, asker, neighbour, home):
    wanted(sent, neighbour, asker)
    take_back(sent, reason="Nytt utkast.", by=owner, on_behalf_of=home.body)
    fill_in(sent, notice_months=24)
    on_referral(sent)
    client.force_login(asker)

    page = client.get(address(sent, "remissvar/"))

    assert [(one.referral.version.number, one.is_open) for one in page.context["rounds"]] == [(2, True), (1, False)]
    assert "Höj ersättningen." in page.content.decode()
    assert page.context["rounds"][1].sections[0].answers[0].form is None


# Reminding


def test_reminding_is_for_the_silent_and_not_too_often(client, sent, owner, asker, neighbour):
    silent = party_of(sent, neighbour)
    client.force_login(owner)
    for _nth in range(2):
        client.post(address(sent, f"paminn/{silent.pk}/"))
    assert ReferralReminder.objects.count() == 1
    answer_referral(silent, kind="no_objection", by=asker, on_behalf_of=neighbour.body)
    ReferralReminder.objects.all().delete()

    client.post(address(sent, f"paminn/{silent.pk}/"))

    assert not ReferralReminder.objects.exists()
    assert Event.objects.filter(name="agreement.reminded").count() == 1


# The last day


@pytest.mark.parametrize(("moment", "is_late"), [("23:59:59", False), ("00:00:00", True)])
def test_the_last_day_ends_at_midnight_in_stockholm(client, sent, asker, neighbour, moment, is_late):
    referral = Referral.objects.get()
    day = referral.last_day + timedelta(days=is_late)
    said = datetime.fromisoformat(f"{day}T{moment}").replace(tzinfo=STOCKHOLM)
    ReferralAnswer.objects.create(
        referral=referral, municipality=neighbour, kind="comment", text="Sent?", by=asker, at=said
    )
    client.force_login(asker)

    page = client.get(address(sent, "remissvar/"))

    assert [one.is_late for one in page.context["rounds"][0].sections[0].answers] == [is_late]
    assert ("efter sista dagen" in page.content.decode()) is is_late


def test_the_text_goes_on_without_an_answer_only_when_the_last_day_has_passed(
    client, sent, owner, home, neighbour, asker
):
    Referral.objects.update(last_day=today())
    with pytest.raises(AnswersMissing):
        send_to_decision(sent, by=owner, on_behalf_of=home.body)
    Referral.objects.update(last_day=today() - timedelta(days=1))
    client.force_login(asker)
    assert "Sista dagen har passerat" in client.get(address(sent, "svar/")).content.decode()

    send_to_decision(sent, by=owner, on_behalf_of=home.body)

    assert revision_of(sent).state == RevisionState.DECIDING


# A new round


def test_a_new_round_needs_settled_answers_and_another_text(client, sent, owner, asker, neighbour):
    one = wanted(sent, neighbour, asker)
    client.force_login(owner)
    last_day = (today() + timedelta(days=9)).isoformat()

    answer = client.post(address(sent, "remiss/"), {"last_day": last_day})
    assert "Godta eller avböj" in answer.content.decode()
    client.post(address(sent, f"remissvar/{one.pk}/"), {"outcome": "accepted"})
    answer = client.post(address(sent, "remiss/"), {"last_day": last_day})

    assert "densamma" in answer.content.decode()
    assert Referral.objects.filter(closed_at=None).count() == 1
    assert Version.objects.count() == 1


def test_taking_back_needs_a_reason(client, sent, owner):
    client.force_login(owner)

    assert client.post(address(sent, "ta-tillbaka/"), {"reason": "  "}).status_code == 200
    assert revision_of(sent).state == RevisionState.REFERRAL
    client.post(address(sent, "ta-tillbaka/"), {"reason": "Priset var fel."})

    assert revision_of(sent).state == RevisionState.DRAFT
    assert Event.objects.get(name="agreement.taken_back").data == {"reason": "Priset var fel."}


# Wrong order


@pytest.mark.parametrize(
    ("page", "data"),
    [
        ("svar/", {"quick": "1"}),
        ("ta-tillbaka/", {"reason": "Varför inte?"}),
        ("paminn/{party}/", {}),
    ],
)
def test_what_is_not_on_referral_is_not_answered_reminded_or_taken_back(
    client, agreement, owner, neighbour, page, data
):
    client.force_login(owner)
    before = _counts()

    answer = client.post(address(agreement, page.format(party=party_of(agreement, neighbour).pk)), data)

    assert answer.status_code in (302, 409)
    assert _counts() == before


@pytest.mark.parametrize("page", ["remiss/", "svar/", "remissvar/", "ta-tillbaka/", "till-beslut/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_system_administrator_meets_nothing_of_it(client, sent, system_administrator, page, method):
    client.force_login(system_administrator)
    before = _counts()

    assert getattr(client, method)(address(sent, page)).status_code in (404, 405)
    assert _counts() == before


def _counts():
    states = list(Revision.objects.values_list("pk", "state"))
    return [states, *(model.objects.count() for model in (Referral, ReferralAnswer, Version, Event, Outgoing))]


# What it costs


@pytest.mark.parametrize("count", [1, 3])
def test_the_answers_cost_the_same_for_any_number(
    client, area, home, neighbour, owner, asker, count, django_assert_num_queries
):
    others = [MembershipFactory(area=area).municipality for _nth in range(count)]
    users = [RoleFactory(kind=RoleKind.ADMINISTRATOR, body=other.body).user for other in others]
    agreement = draft(area, [home, neighbour, *others], owner, programme=building())
    fill_in(agreement)
    on_referral(agreement)
    for other, user in zip(others, users, strict=True):
        for section in ("resor", "syfte"):
            wanted(agreement, other, user, section)
    client.force_login(owner)
    client.get(address(agreement, "remissvar/"))

    with django_assert_num_queries(15):
        client.get(address(agreement, "remissvar/"))
