"""Agreements for programs: the whole way from draft to cover, who may, and what is refused in which words."""

import base64
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agreements.models import Agreement, Cover, Notice, ReferralAnswer, SeatUse, Term
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.models import RoleKind
from records.documents.files import MadeFile
from records.models import Decision, Part, SignOff, Version
from records.operations import store_renditions
from tests.agreements.api_pages import a_referred, a_signed, with_agreements
from tests.agreements.stories import FACTS, building, decide, draft, fill_in, revision_of, signed, to_decision, year
from tests.factories import BoardFactory, MunicipalityFactory, OrientationFactory, ProgrammeFactory, RoleFactory

pytestmark = pytest.mark.django_db

SCAN = {"name": "avtal.pdf", "content": base64.b64encode(b"%PDF-1.7 signed").decode()}


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return draft(area, [home, neighbour], owner, programme=building())


def refusal(answer):
    told = answer.json()
    return answer.status_code, told["code"], list(told["fields"])


def test_an_agreement_goes_all_the_way_through_the_api(speak, area, home, neighbour, owner, asker):
    building()
    said = {
        "area": "4m", "title": "Bygg", "parties": ["0381", "1980"], "standing": "primary", "gap_year": "2022/23",
        "terms": [{"home": "0381", "provider": "1980", "programme": "BA"}],
    }  # fmt: skip
    begun = speak("post", "agreements/", said)
    assert begun.status_code == 201, begun.content
    told = begun.json()
    assert (told["number"], told["state"], told["validity"]["phase"]) == (f"{today().year}-01", "draft", "not_signed")
    assert [party["municipality"]["code"] for party in told["parties"]] == ["0381", "1980"]
    assert told["waits_for"]["what"] == "draft"

    pk, revision = told["id"], told["revision"]["id"]
    facts = {**FACTS, "first_day": "2022-07-01"}
    filled = speak("patch", f"agreement-revisions/{revision}/", facts, **{"If-Match": '"0"'})
    assert (filled.status_code, filled["ETag"], filled.json()["notice_months"]) == (200, '"1"', 12)
    (term,) = filled.json()["terms"]
    changed = speak("patch", f"agreement-terms/{term['id']}/", {"seats": 10}, **{"If-Match": '"1"'})
    assert (changed.status_code, changed["ETag"], changed.json()["seats"]) == (200, '"2"', 10)
    for text in filled.json()["texts"]:
        saved = speak("put", f"parts/{text['id']}/", {"text": "Parterna är överens."}, **{"If-Match": '"0"'})
        assert saved.status_code == 200, saved.content
    assert speak("get", f"agreement-revisions/{revision}/placeholders/").json() == []

    out = speak("post", f"agreements/{pk}/refer/", {"last_day": today().isoformat()})
    assert (out.json()["state"], out.json()["waits_for"]["what"]) == ("referral", "answer")
    answered = speak(
        "post", "referral-answers/", {"agreement": pk, "section": "resor", "kind": "change_wanted", "text": "Buss."},
        by=asker,
    )  # fmt: skip
    assert (answered.status_code, answered.json()["outcome"]) == (201, None)
    assert refusal(speak("post", f"agreements/{pk}/send-to-decision/")) == (409, "answers_open", [])
    settled = speak("post", f"referral-answers/{answered.json()['id']}/settle/", {"outcome": "accepted"})
    assert (settled.status_code, settled.json()["outcome"]) == (200, "accepted")

    sent = speak("post", f"agreements/{pk}/send-to-decision/").json()
    sha256 = sent["revision"]["version"]["content_sha256"]
    assert (sent["state"], [one["municipality"]["code"] for one in sent["waits_for"]["parties"]]) == (
        "deciding", ["0381", "1980"],
    )  # fmt: skip
    word = {
        "agreement": pk, "content_sha256": sha256, "result": "approved", "day": "2022-06-01", "paragraph": "§ 84",
        "case_number": "2022/17", "board_name": "utbildningsnämnden", "document": SCAN,
    }  # fmt: skip
    for by in (owner, asker):
        decided = speak("post", "decisions/", word, by=by)
        assert decided.status_code == 201, decided.content
    assert decided.json()["municipality"]["code"] == "1980"
    assert decided.json()["document"]["name"] == "avtal.pdf"

    paper = {
        "agreement": pk, "content_sha256": sha256, "method": "paper", "signed_as": "Ordföranden", "day": "2022-06-02",
        "document": SCAN,
    }  # fmt: skip
    assert speak("post", "sign-offs/", paper).status_code == 201
    assert speak("post", "sign-offs/", paper, by=asker).status_code == 201

    told = speak("get", f"agreements/{pk}/").json()
    assert (told["state"], told["validity"]["phase"], told["waits_for"]) == ("signed", "in_force", None)
    covers = speak("get", "cover/?home=0381&intake=2022/23").json()["results"]
    assert [(one["orientation"]["code"], one["seats"], one["last_intake"]) for one in covers] == [
        ("BAHUS", 10, None), ("BAMAR", 10, None),
    ]  # fmt: skip
    (version,) = speak("get", f"agreement-versions/?content_sha256={sha256}").json()["results"]
    assert [one["municipality"]["code"] for one in version["decisions"]] == ["0381", "1980"]
    assert [one["method"] for one in version["sign_offs"]] == ["paper", "paper"]


def test_a_change_is_begun_and_named_for_the_area_only_when_it_is_signed(speak, agreement, area, council_member):
    signed(agreement)
    begun = speak("post", f"agreements/{agreement.pk}/revise/", {"kind": "annex", "applies_from": "2024/25"})
    assert (begun.status_code, begun.json()["state"], begun.json()["revision"]["kind"]) == (201, "draft", "annex")

    told = speak("get", f"agreements/{agreement.pk}/", by=council_member).json()

    assert (told["state"], told["revision"]["kind"], len(told["revisions"])) == ("signed", "original", 1)
    assert (told["secrecy_note"], told["waits_for"]) == (None, None)
    draft_of_annex = speak("get", f"agreement-revisions/{begun.json()['revision']['id']}/", by=council_member)
    assert draft_of_annex.status_code == 404


def test_a_draft_is_changed_by_its_parties(speak, agreement, elsewhere):
    said = {
        "title": "Bygg och anläggning, nytt", "secrecy_note": "Ingen.", "parties": ["1980", "0381", "2180"],
        "signing_order": [{"municipality": "1980", "place": 2}, {"municipality": elsewhere.pk, "place": 1}],
    }  # fmt: skip

    told = speak("patch", f"agreements/{agreement.pk}/", said).json()

    assert (told["title"], told["secrecy_note"]) == ("Bygg och anläggning, nytt", "Ingen.")
    assert {party["municipality"]["code"]: party["signing_order"] for party in told["parties"]} == {
        "1980": 2, "0381": 1, "2180": 1,
    }  # fmt: skip


def test_a_change_that_is_refused_in_part_changes_nothing(speak, agreement):
    told = speak("patch", f"agreements/{agreement.pk}/", {"title": "Annat", "parties": ["0381"]})

    assert refusal(told) == (409, "agreement_refused", ["parties"])
    agreement.refresh_from_db()
    assert agreement.title == "Bygg och anläggning"


# From which edit


@pytest.mark.parametrize(("edit", "status"), [(None, 428), ('"9"', 412), ("x", 412), ('"0"', 409), ('"1"', 200)])
def test_facts_are_changed_from_the_edit_named(speak, agreement, edit, status):
    revision = revision_of(agreement)
    address = f"agreement-revisions/{revision.pk}/"
    speak("patch", address, {"notice_months": 3}, **{"If-Match": '"0"'})

    answer = speak("patch", address, {"notice_months": 6}, **({"If-Match": edit} if edit else {}))

    assert answer.status_code == status
    revision.refresh_from_db()
    assert revision.notice_months == (6 if status == 200 else 3)
    if status == 409:
        told = answer.json()
        assert (told["code"], told["stands"]["notice_months"], answer["ETag"]) == ("changed_meanwhile", 3, '"1"')


def test_what_nobody_knows_is_null_both_ways(speak, agreement):
    revision = fill_in(agreement)
    unknown = {"price_kind": None, "notice_effect": None, "notice_ends": None, "incl_vat": None, "first_day": None}

    told = speak("patch", f"agreement-revisions/{revision.pk}/", unknown, **{"If-Match": f'"{revision.edit}"'}).json()

    assert {name: told[name] for name in unknown} == unknown


def test_terms_are_added_and_taken_out(speak, agreement):
    revision = revision_of(agreement)
    said = {"home": "1980", "provider": "0381", "programme": "BA", "unlimited": True, "intake_from": "2023/24"}

    added = speak("post", f"agreement-revisions/{revision.pk}/terms/", said)
    assert (added.status_code, added.json()["unlimited"], added.json()["intake_from"]) == (201, True, "2023/24")
    assert refusal(speak("post", f"agreement-revisions/{revision.pk}/terms/", said)) == (409, "term_twice", [])
    gone = speak("delete", f"agreement-terms/{added.json()['id']}/?on_behalf_of=0381")
    assert gone.status_code == 204
    assert Term.objects.filter(revision=revision).count() == 1


# What is refused


def test_a_decision_on_an_earlier_text_is_told_so(speak, agreement, home, neighbour):
    fill_in(agreement)
    first = to_decision(agreement)
    decide(agreement, neighbour, first, "remitted")
    fill_in(agreement, notice_months=24)
    to_decision(agreement)
    word = {
        "agreement": agreement.pk, "content_sha256": first, "result": "approved", "day": "2022-06-01",
        "paragraph": "§ 1", "case_number": "1", "board_name": "nämnden",
    }  # fmt: skip

    assert refusal(speak("post", "decisions/", word)) == (409, "old_content", [])
    assert Decision.objects.count() == 1


def test_a_decision_on_record_is_corrected_by_naming_it(speak, agreement):
    fill_in(agreement)
    word = {
        "agreement": agreement.pk, "content_sha256": to_decision(agreement), "result": "approved", "day": "2022-06-01",
        "paragraph": "§ 1", "case_number": "1", "board_name": "nämnden",
    }  # fmt: skip
    first = speak("post", "decisions/", word).json()

    assert refusal(speak("post", "decisions/", word))[:2] == (409, "already_decided")
    second = speak("post", "decisions/", {**word, "paragraph": "§ 2", "corrects": first["id"]}).json()
    assert (second["replaces"], second["replaced"]) == (first["id"], False)
    assert speak("get", f"decisions/{first['id']}/").json()["replaced"] is True


def test_a_program_takes_no_second_step(speak, agreement, neighbour, home):
    fill_in(agreement)
    sha256 = to_decision(agreement)
    for one in (home, neighbour):
        decide(agreement, one, sha256)
    said = {
        "agreement": agreement.pk, "content_sha256": sha256, "method": "second_factor", "signed_as": "Ordföranden",
    }  # fmt: skip

    assert refusal(speak("post", "sign-offs/", said)) == (409, "second_factor_needed", [])
    assert refusal(speak("post", "sign-offs/", {**said, "method": "paper"})) == (409, "signature_refused", ["document"])
    text = {"name": "a.pdf", "content": base64.b64encode(b"just text").decode()}
    told = speak("post", "sign-offs/", {**said, "method": "paper", "document": text})
    assert refusal(told) == (409, "document_refused", ["document"])
    told = speak("post", "sign-offs/", {**said, "method": "paper", "document": {"name": "a.pdf", "content": "å"}})
    assert refusal(told) == (400, "invalid", ["document.content"])
    assert not SignOff.objects.exists()


def test_the_text_of_what_is_decided_on_is_closed(speak, agreement):
    revision = fill_in(agreement)
    part = Part.objects.about(revision)[0]
    assert speak("put", f"parts/{part.pk}/", {"text": "Nytt"}, **{"If-Match": f'"{part.version}"'}).status_code == 200
    to_decision(agreement)

    assert (
        speak("put", f"parts/{part.pk}/", {"text": "Sent"}, **{"If-Match": f'"{part.version + 1}"'}).status_code == 403
    )


def test_what_is_wrong_is_told_field_by_field(speak, area):
    said = {"area": "finns-inte", "title": "", "parties": ["9999"], "kind": "annat", "gap_year": "2022", "replaces": 1}

    answer = speak("post", "agreements/", said)

    assert refusal(answer) == (
        400, "invalid", ["title", "kind", "replaces", "area", "parties.0", "gap_year"],
    )  # fmt: skip


def test_an_agreement_that_one_may_not_see_does_not_exist_for_the_one_who_names_it(speak, agreement, outsider):
    assert speak("get", f"agreements/{agreement.pk}/", by=outsider).status_code == 404
    said = {"agreement": agreement.pk, "kind": "no_objection"}
    assert refusal(speak("post", "referral-answers/", said, by=outsider)) == (400, "invalid", ["agreement"])


# For whom


def test_those_with_two_homes_say_for_which_they_act(speak, agreement, two_homes, home, neighbour, elsewhere):
    address = f"agreements/{agreement.pk}/refer/"
    day = {"last_day": today().isoformat()}

    assert refusal(speak("post", address, day, by=two_homes)) == (409, "not_your_body", ["on_behalf_of"])
    other = speak("post", address, {**day, "on_behalf_of": "2180"}, by=two_homes)
    assert refusal(other) == (409, "not_your_party", ["on_behalf_of"])
    wrong = speak("post", address, {**day, "on_behalf_of": "9999"}, by=two_homes)
    assert refusal(wrong) == (400, "invalid", ["on_behalf_of"])
    sent = speak("post", address, {**day, "on_behalf_of": neighbour.pk}, by=two_homes)
    assert sent.json()["revision"]["referral"]["municipality"]["code"] == "1980"
    answered = {"agreement": agreement.pk, "kind": "no_objection", "on_behalf_of": "0381"}
    assert speak("post", "referral-answers/", answered, by=two_homes).json()["municipality"]["code"] == "0381"


def test_the_committee_reads_from_referral_on_and_records_what_its_board_decides(speak, agreement, committee):
    address = f"agreements/{agreement.pk}/"
    assert speak("get", address, by=committee).status_code == 404
    fill_in(agreement)
    sha256 = to_decision(agreement)

    assert speak("get", address, by=committee).json()["state"] == "deciding"
    assert speak("post", f"{address}withdraw/", {"reason": "Nej"}, by=committee).status_code == 403
    word = {
        "agreement": agreement.pk, "content_sha256": sha256, "result": "approved", "day": "2022-06-01",
        "paragraph": "§ 1", "case_number": "1", "board_name": "nämnden",
    }  # fmt: skip
    assert speak("post", "decisions/", word, by=committee).json()["municipality"]["code"] == "0381"
    signature = {"agreement": agreement.pk, "content_sha256": sha256, "method": "paper", "signed_as": "Ordföranden"}
    assert speak("post", "sign-offs/", signature, by=committee).status_code == 403


def test_case_numbers_are_checked_by_the_board_named(speak, agreement, home):
    board = BoardFactory(municipality=home, name="utbildningsnämnden", case_number_pattern="UAN{år}/{nr}")
    fill_in(agreement)
    word = {
        "agreement": agreement.pk, "content_sha256": to_decision(agreement), "result": "approved", "day": "2022-06-01",
        "paragraph": "§ 1", "case_number": "2022-1", "board": board.pk,
    }  # fmt: skip

    assert refusal(speak("post", "decisions/", word)) == (409, "decision_refused", ["case_number"])
    assert speak("post", "decisions/", {**word, "case_number": "UAN2022/1"}).json()["board_name"] == board.name


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("owner", {"draft", "referral", "signed"}),
        ("asker", {"draft", "referral", "signed"}),
        ("committee", {"referral", "signed"}),
        ("principal", {"signed"}),
        ("council_member", {"signed"}),
        ("outsider", set()),
        ("system_administrator", set()),
    ],
)
def test_each_sees_what_is_theirs(speak, request, area, home, neighbour, owner, asker, who, seen):
    made = a_signed(area, home, neighbour)
    programme = made.covers.first().programme
    draft(area, [home, neighbour], owner, programme=programme, title="Utkast")
    other = draft(area, [home, neighbour], owner, programme=programme, title="Remiss")
    fill_in(other)
    speak("post", f"agreements/{other.pk}/refer/", {"last_day": today().isoformat()})
    speak("post", "referral-answers/", {"agreement": other.pk, "kind": "no_objection"}, by=asker)
    reader = request.getfixturevalue(who)

    def listed(route):
        return speak("get", f"{route}/", by=reader).json()["results"]

    assert {row["state"] for row in listed("agreements")} == seen
    assert {row["state"] for row in listed("agreement-revisions")} == seen
    assert len(listed("referral-answers")) == ("referral" in seen)
    assert {row["agreement"] for row in listed("agreement-versions")} == {
        *([made.pk] if "signed" in seen else []), *([other.pk] if "referral" in seen else []),
    }  # fmt: skip
    for route, count in {"decisions": 2, "sign-offs": 2, "cover": 2, "notices": 1}.items():
        assert len(listed(route)) == (count if "signed" in seen else 0), route
    versions = {row["id"] for row in listed("agreement-versions")}
    for version in Version.objects.filter(subject_type__model="agreement"):
        is_seen = Agreement.objects.visible_to(reader).filter(pk=version.subject_id).exists()
        assert (version.pk in versions) is (is_seen and version.subject.shows_version(version, reader))


# Notice, cover and seats


def test_notice_is_looked_at_given_and_taken_back(speak, agreement, asker, council_member):
    signed(agreement)
    this_year = SchoolYear.of(today())
    day, end = str(this_year.first_day - timedelta(days=1)), str(this_year.last_day)
    asked = f"notices/consequences/?agreement={agreement.pk}&municipality=0381&received_on={day}"
    told = speak("get", asked).json()
    assert (told["effective_on"], {one["first_intake_lost"] for one in told["shortened"]}) == (
        end,
        {str(this_year + 1)},
    )
    assert speak("get", asked, by=council_member).json() == told
    assert not Notice.objects.exists()

    said = {"agreement": agreement.pk, "given_on": day, "received_on": day, "reason": "Egen start."}
    assert speak("post", "notices/", said, by=council_member).status_code == 403
    given = speak("post", "notices/", said)
    assert (given.status_code, given.json()["effective_on"]) == (201, end)
    assert refusal(speak("post", "notices/", said))[:2] == (409, "notice_given")
    address = f"notices/{given.json()['id']}/"
    for_others = speak("get", address, by=council_member).json()
    assert (for_others["reason"], for_others["agreed_to_withdrawal"]) == (None, None)

    speak("post", f"{address}agree-to-withdrawal/")
    assert speak("get", address).json()["withdrawn_at"] is None
    told = speak("post", f"{address}agree-to-withdrawal/", by=asker).json()
    assert [one["code"] for one in told["agreed_to_withdrawal"]] == ["0381", "1980"]
    assert told["withdrawn_at"]
    assert Cover.objects.get(pk=agreement.covers.first().pk).years.upper is None


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("agreement={pk}", 400),
        ("agreement={pk}&municipality=2180", 400),
        ("agreement={pk}&municipality=0381&received_on=1066-10-14", 400),
        ("agreement={pk}&municipality=0381", 409),
    ],
)
def test_consequences_say_what_to_put_right(speak, agreement, elsewhere, query, status):
    assert speak("get", f"notices/consequences/?{query.format(pk=agreement.pk)}").status_code == status


def test_use_of_seats_is_reported_and_small_numbers_are_masked(speak, agreement, committee, asker, outsider):
    signed(agreement)
    cover = Cover.objects.select_related("orientation").first()
    said = {
        "home": "0381", "provider": "1980", "programme": "BA", "orientation": cover.orientation_id, "intake": "2022/23",
        "admitted": 3,
    }  # fmt: skip

    assert speak("post", "seat-uses/", said, by=outsider).status_code == 403
    made = speak("post", "seat-uses/", said, by=asker)
    assert (made.status_code, made.json()["admitted"]) == (201, 3)
    speak("post", "seat-uses/", {**said, "admitted": 4})
    assert SeatUse.objects.get().admitted == 4
    told = speak("get", "seat-uses/?intake=2022/23", by=committee).json()["results"]
    assert [(row["admitted"], row["masked"]) for row in told] == [(None, True)]


# Lists


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"Signerat", "Utkast"}),
        ("party=1980", {"Signerat", "Utkast"}),
        ("party=2180", set()),
        ("programme=BA", {"Signerat"}),
        ("programme=NA", {"Utkast"}),
        ("phase=in_force", {"Signerat"}),
        ("phase=not_signed", {"Utkast"}),
        ("phase=ended", set()),
        ("standing=primary", {"Utkast"}),
        ("state=signed", {"Signerat"}),
        ("state=draft", {"Utkast"}),
        ("kind=premises", set()),
        ("area=4m", {"Signerat", "Utkast"}),
        ("area=annat", set()),
    ],
)
def test_the_register_is_filtered(speak, area, home, neighbour, owner, asker, elsewhere, query, found):
    signed(draft(area, [home, neighbour], owner, programme=building(), title="Signerat"))
    other = ProgrammeFactory(code="NA")
    draft(area, [home, neighbour], owner, programme=other, title="Utkast", standing="primary")

    rows = speak("get", f"agreements/?{query}").json()["results"]

    assert {row["title"] for row in rows} == found


def test_an_unknown_filter_value_is_an_error(speak, area):
    for query in ("phase=snart", "state=klar", "standing=x"):
        assert speak("get", f"agreements/?{query}").status_code == 400
    assert speak("get", "cover/?intake=2022").status_code == 400


def many(count, area, home, neighbour):
    """`count` agreements of each kind that the lists tell of."""
    for number in range(count):
        made = signed(draft(area, [home, neighbour], programme=ProgrammeFactory(code=f"P{number}"), title=f"A{number}"))
        version = Version.objects.of(made).get()
        store_renditions(version, [MadeFile("pdf", home.code, "avtal.pdf", str(number).encode())])
        cover = made.covers.get()
        SeatUse.objects.create(
            home=home, provider=neighbour, programme=cover.programme, intake=year("2022/23"), admitted=3, came_in="form"
        )
        Notice.objects.create(
            agreement=made, given_by=home, given_on=today(), received_on=today(), months=12, effect="day",
            ends="for_all", effective_on=today(), by=made.revisions.get().version.by, on_behalf_of=home.body,
        )  # fmt: skip


QUERIES = {
    "agreements": 17,
    "agreement-revisions": 11,
    "agreement-versions": 14,
    "decisions": 11,
    "sign-offs": 11,
    "notices": 13,
    "cover": 11,
    "seat-uses": 11,
}


@pytest.mark.parametrize("count", [1, 3])
def test_lists_cost_the_same_for_any_number(
    client, area, home, neighbour, owner, asker, count, django_assert_num_queries
):
    many(count, area, home, neighbour)
    client.force_login(owner)
    costs = {}

    for route in QUERIES:
        client.get(f"/api/v1/{route}/")
        with CaptureQueriesContext(connection) as asked:
            assert len(client.get(f"/api/v1/{route}/").json()["results"]) >= count
        costs[route] = len(asked)

    assert costs == QUERIES


@pytest.mark.parametrize("count", [1, 3])
def test_answers_on_referral_cost_the_same_for_any_number(
    client, area, home, neighbour, owner, asker, count, django_assert_num_queries
):
    agreement = a_referred(area, home, neighbour)
    for _number in range(count - 1):
        ReferralAnswer.objects.create(
            referral=agreement.revisions.get().referrals.get(), municipality=neighbour, kind="no_objection", by=asker
        )
    client.force_login(owner)
    client.get("/api/v1/referral-answers/")

    with django_assert_num_queries(11):
        assert len(client.get("/api/v1/referral-answers/").json()["results"]) == count


def test_a_file_of_a_version_is_downloaded(speak, area, home, neighbour, owner, asker, outsider):
    version = Version.objects.of(a_signed(area, home, neighbour)).get()
    address = f"agreement-versions/{version.pk}/download/"

    assert speak("get", f"{address}?file=pdf&municipality=0381").content == b"%PDF-1.7"
    assert speak("get", f"{address}?file=pdf&municipality=1980").status_code == 404
    assert speak("get", f"{address}?file=exe").status_code == 400
    assert speak("get", f"{address}?file=pdf", by=outsider).status_code == 404


def test_an_orientation_of_another_programme_is_refused(speak, agreement):
    said = {"home": "0381", "provider": "1980", "programme": "BA", "orientation": OrientationFactory().pk}

    told = speak("post", f"agreement-revisions/{revision_of(agreement).pk}/terms/", said)

    assert refusal(told) == (409, "agreement_refused", ["orientation"])


def test_everything_that_is_told_of_is_there_at_once(speak, area, home, neighbour, owner, asker):
    """The rows that the schema's own test reads."""
    with_agreements(area, home, neighbour)

    for route in (*QUERIES, "referral-answers"):
        assert speak("get", f"{route}/").json()["count"], route


def test_an_agreement_is_begun_in_an_area_of_ones_own(speak, area, home, outsider, elsewhere):
    said = {"area": "4m", "title": "Bygg", "parties": ["2180", "0381"]}

    assert refusal(speak("post", "agreements/", said, by=outsider)) == (409, "agreement_refused", ["area"])
    assert not Agreement.objects.exists()


def test_a_principal_begins_no_agreement(speak, area, school, home):
    principal = RoleFactory(kind=RoleKind.PRINCIPAL, body=school.body).user
    MunicipalityFactory(code="1980")

    answer = speak("post", "agreements/", {"area": "4m", "title": "Bygg", "parties": ["0381", "1980"]}, by=principal)

    assert answer.status_code == 403
