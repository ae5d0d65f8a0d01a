"""The pages on which a draft is begun, worked on and read: what comes back, what is kept, and what it costs."""

import io
import re

import docx
import pypdfium2
import pytest

from agreements.models import Agreement, RevisionKind, RevisionState, Term
from agreements.operations import (
    NewTerm,
    add_clause,
    add_own_clause,
    add_terms,
    change_facts,
    parts_of_revision,
    take_back,
)
from records.documents.fonts import BREAK, HYPHEN
from records.operations import save_part
from tests.agreements.draft_pages import an_annex
from tests.agreements.stories import building, draft, fill_in, on_referral, revision_of, signed, to_decision, year
from tests.factories import (
    MembershipFactory,
    MunicipalityFactory,
    OrientationFactory,
    PriceListFactory,
    PriceRowFactory,
    ProgrammeFactory,
)
from tests.programmes.offers import own_school, report, say

pytestmark = pytest.mark.django_db


@pytest.fixture
def agreement(area, home, neighbour, owner):
    return draft(area, [home, neighbour], owner, programme=building())


@pytest.fixture
def enkoping(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


@pytest.fixture
def page(client, owner):
    """Gets or posts as the administrator of Enköping; a form that is sent goes where it leads."""
    client.force_login(owner)

    def page(address, data=None, status=200):
        answer = client.get(address) if data is None else client.post(address, data, follow=status == 302)
        assert answer.status_code == (200 if status == 302 else status), address
        return answer

    return page


def errors(answer):
    return {name: list(found) for name, found in answer.context["form"].errors.items()}


def words(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


# Beginning


@pytest.fixture
def gaps(home, neighbour):
    """Enköping lacks BA and an orientation of EE, which Västerås offers."""
    construction, electricity = ProgrammeFactory(code="BA", name_sv="Bygg"), ProgrammeFactory(code="EE", name_sv="El")
    here, there = (OrientationFactory(programme=electricity, name_sv=name) for name in ("Automation", "Elteknik"))
    report(own_school(home), here)
    made = report(own_school(neighbour))
    say(made, construction, seats=16)
    say(made, there)
    return construction, there


def address_of(*keys):
    rows = "".join(f"&rad={key}" for key in keys)
    return f"/avtal/nytt/?kommun=0381&lasar=2022-23{rows}"


def test_an_agreement_begins_from_gaps_with_everything_that_is_known(page, gaps, home, neighbour):
    programme, orientation = gaps
    prices = PriceListFactory(kind="self_cost", municipality=neighbour, year=2023)
    PriceRowFactory(price_list=prices, programme=programme, sek_per_pupil_year=137000)
    address = address_of("BA", f"EE:{orientation.pk}")

    shown = page(address)

    form = shown.context["form"]
    assert form["parties"].value() == [str(neighbour.pk)]
    assert form["title"].value() == "Bygg och Elteknik"
    assert "137 000 kr" in words(shown).replace("\xa0", " ")
    values = {"rows": ["BA", f"EE:{orientation.pk}"], "parties": [neighbour.pk], "title": form["title"].value()}
    page(address, {**values, "kind": "education", "standing": "bilateral"}, status=302)

    agreement = Agreement.objects.get()
    assert (agreement.gap_home, agreement.gap_year) == (home, year("2022/23"))
    assert [(term.home, term.provider, term.programme, term.orientation) for term in Term.objects.order_by("pk")] == [
        (home, neighbour, programme, None),
        (home, neighbour, orientation.programme, orientation),
    ]
    assert Term.objects.filter(seats=None, unlimited=False).count() == 2


def test_a_gap_with_several_neighbours_leaves_the_choice_open(page, gaps, area, neighbour):
    programme, _orientation = gaps
    other = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Eskilstuna")).municipality
    say(report(own_school(other)), programme)

    shown = page(address_of("BA"))

    assert shown.context["form"]["parties"].value() == []
    wrong = page(address_of("BA"), {"rows": ["BA"], "title": "A", "kind": "education", "standing": "primary"})
    assert list(errors(wrong)) == ["parties"]
    assert 'value="A"' in wrong.content.decode()


def test_a_gap_that_no_ticked_party_covers_is_said(page, gaps, area):
    other = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Eskilstuna")).municipality
    values = {"rows": ["BA"], "parties": [other.pk], "title": "A", "kind": "education", "standing": "primary"}

    assert "Bygg" in errors(page(address_of("BA"), values))["rows"][0]
    assert not Agreement.objects.exists()


def test_what_is_no_gap_any_more_is_said_and_left_out(page, gaps):
    shown = page(address_of("BA", "XX", "EE"))

    assert [gap.key for gap, _offered in shown.context["rows"]] == ["BA"]
    assert "XX, EE" in words(shown)


def test_an_agreement_begins_blank_as_well(page, home, neighbour):
    values = {"parties": [neighbour.pk], "title": "Fordon", "kind": "equipment", "standing": "bilateral"}

    page("/avtal/nytt/", values, status=302)

    agreement = Agreement.objects.get()
    assert (agreement.kind, agreement.gap_year, agreement.gap_home) == ("equipment", None, None)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?kommun=1980", 403), ("?kommun=9999", 404), ("?kommun=0381&lasar=22", 404),
        ("?kommun=0381&lasar=9999-00", 404), ("?rad=BA", 200),
    ],
)  # fmt: skip
def test_an_agreement_begins_only_for_ones_own_in_a_school_year(page, home, neighbour, query, status):
    page(f"/avtal/nytt/{query}", status=status)


def test_who_has_two_homes_says_for_which(client, two_homes, home, neighbour):
    client.force_login(two_homes)

    shown = client.get("/avtal/nytt/")

    assert shown.context["homes"] == [home, neighbour]
    assert "form" not in shown.context
    assert client.get("/avtal/nytt/?kommun=1980").context["form"].home == neighbour


def test_a_municipality_without_neighbours_is_told_so(client, outsider):
    client.force_login(outsider)

    assert "c-empty" in client.get("/avtal/nytt/").content.decode()


@pytest.mark.parametrize("number", [1, 3])
def test_beginning_costs_the_same_for_any_number_of_gaps(
    client, owner, home, neighbour, number, django_assert_num_queries
):
    programmes = [ProgrammeFactory() for _one in range(number)]
    report(own_school(home))
    made = report(own_school(neighbour))
    prices = PriceListFactory(kind="self_cost", municipality=neighbour, year=2023)
    for programme in programmes:
        say(made, programme, seats=10)
        PriceRowFactory(price_list=prices, programme=programme)
    client.force_login(owner)
    address = address_of(*(programme.code for programme in programmes))
    client.get(address)

    with django_assert_num_queries(18):
        shown = client.get(address)

    assert len(shown.context["rows"]) == number


# The work


def test_the_work_page_lists_what_is_open_with_the_way_to_each(page, agreement, enkoping):
    revision = revision_of(agreement)
    part = next(part for part in parts_of_revision(revision) if part.key == "syfte")
    save_part(part, text="Parterna ska [antal] gånger om året mötas.", base_version=0, **enkoping)

    shown = page(f"/avtal/{agreement.pk}/arbete/")

    found = {(place.section, place.what): address for place, address in shown.context["open_places"]}
    assert found["syfte", "[antal]"] == f"/texter/{part.pk}/"
    assert found["giltighet", "första dag"] == f"/avtal/{agreement.pk}/uppgifter/giltighet/"
    term = revision.terms.get()
    assert f"/avtal/{agreement.pk}/villkor/{term.pk}/" in found.values()
    for address in found.values():
        assert f'href="{address}"' in shown.content.decode()
        page(address)


def test_the_text_leads_back_to_the_work(page, agreement, client, committee):
    part = parts_of_revision(revision_of(agreement))[0]
    assert f'href="/avtal/{agreement.pk}/arbete/#text-{part.pk}"' in page(f"/texter/{part.pk}/").content.decode()

    on_referral(agreement)
    client.force_login(committee)
    read = client.get(f"/texter/{part.pk}/").content.decode()

    assert f'href="/avtal/{agreement.pk}/#text-{part.pk}"' in read


@pytest.mark.parametrize("number", [1, 3])
def test_the_work_page_costs_the_same_for_any_number_of_rows(
    client, owner, agreement, home, neighbour, enkoping, number, django_assert_num_queries
):
    revision = revision_of(agreement)
    for place in range(number):
        add_own_clause(revision, heading=f"Eget {place}", **enkoping)
        if place:
            new = NewTerm(home=home, provider=neighbour, programme=ProgrammeFactory())
            add_terms(revision, terms=[new], **enkoping)
    client.force_login(owner)
    address = f"/avtal/{agreement.pk}/arbete/"
    client.get(address)

    with django_assert_num_queries(14):
        client.get(address)


def test_what_is_decided_on_is_not_worked_on(client, owner, agreement):
    fill_in(agreement)
    to_decision(agreement)
    client.force_login(owner)
    base = f"/avtal/{agreement.pk}/"

    for form in ("arbete", "parter", "uppgifter/giltighet", "villkor/nytt", "avsnitt/nytt", "avsnitt/syfte/klausul"):
        answer = client.get(f"{base}{form}/")
        assert (answer.status_code, answer["Location"]) == (302, base), form
    sent = client.post(f"{base}uppgifter/giltighet/", {"notice_months": "7"})

    assert (sent.status_code, revision_of(agreement).notice_months) == (200, 12)
    assert 'value="7"' in sent.content.decode()


# Its forms


def test_a_save_on_top_of_another_tells_what_stands_and_keeps_what_was_typed(page, agreement, asker, neighbour):
    address = f"/avtal/{agreement.pk}/uppgifter/giltighet/"
    seen = page(address).context["form"]["seen"].value()
    values = {"notice_months": 18, "notice_effect": "day"}
    change_facts(revision_of(agreement), values=values, seen=0, by=asker, on_behalf_of=neighbour.body)

    typed = {"first_day": "2026-07-01", "notice_months": "6", "notice_effect": "day", "seen": seen}
    answer = page(address, typed)

    assert set(errors(answer)) == {"__all__", "first_day", "notice_months"}
    assert "18" in errors(answer)["notice_months"][0]
    assert 'value="6"' in answer.content.decode()
    assert revision_of(agreement).notice_months == 18

    page(address, {**typed, "seen": answer.context["form"]["seen"].value()}, status=302)
    assert revision_of(agreement).notice_months == 6


def test_a_change_elsewhere_in_the_draft_is_no_conflict(page, agreement, asker, neighbour):
    address = f"/avtal/{agreement.pk}/uppgifter/giltighet/"
    seen = page(address).context["form"]["seen"].value()
    values = {"incl_meals": True}
    change_facts(revision_of(agreement), values=values, seen=0, by=asker, on_behalf_of=neighbour.body)

    page(address, {"notice_months": "6", "seen": seen}, status=302)

    revision = revision_of(agreement)
    assert (revision.notice_months, revision.incl_meals) == (6, True)


@pytest.mark.parametrize(
    ("form", "values", "field"),
    [
        ("uppgifter/giltighet", {"first_day": "i morgon"}, "first_day"),
        ("uppgifter/giltighet", {"first_day": "2027-07-01", "last_day": "2026-07-01"}, "last_day"),
        ("uppgifter/giltighet", {"is_open_ended": "True", "last_day": "2026-07-01"}, "last_day"),
        ("uppgifter/giltighet", {"notice_months": "tolv"}, "notice_months"),
        ("uppgifter/giltighet", {"notice_effect": "aldrig"}, "notice_effect"),
        ("uppgifter/ersattning", {"price_kind": "gratis"}, "price_kind"),
        ("uppgifter/ersattning", {"independents_percent": "mycket"}, "independents_percent"),
        ("uppgifter/bilaga", {"day": "31", "month": "2"}, "__all__"),
        ("uppgifter/bilaga", {"day": "15"}, "day"),
        ("uppgifter/uppfoljning", {"day": "99", "month": "1"}, "day"),
        ("om", {"title": "", "kind": "education", "standing": "primary"}, "title"),
        ("parter", {}, "parties"),
        ("parter", {"parties": ["999999"]}, "parties"),
        ("avsnitt/nytt", {"heading": " "}, "heading"),
        ("avsnitt/syfte/klausul", {"clause": "1"}, "clause"),
        ("dra-tillbaka", {"reason": ""}, "reason"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_changes_nothing(page, agreement, form, values, field):
    before = revision_of(agreement).edit

    answer = page(f"/avtal/{agreement.pk}/{form}/", values)

    assert field in errors(answer)
    assert (revision_of(agreement).edit, revision_of(agreement).state) == (before, RevisionState.DRAFT)


def test_several_homes_make_several_terms(page, area, home, neighbour, owner):
    third = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Strängnäs")).municipality
    agreement = draft(area, [home, neighbour, third], owner)
    programme = building()
    orientation = programme.orientations.first()
    address = f"/avtal/{agreement.pk}/villkor/nytt/"
    values = {"what": f"o{orientation.pk}", "provider": neighbour.pk, "homes": [home.pk, third.pk], "seats": "8"}

    page(address, values, status=302)

    terms = Term.objects.order_by("home__name")
    assert [(term.home, term.provider, term.orientation, term.seats) for term in terms] == [
        (home, neighbour, orientation, 8),
        (third, neighbour, orientation, 8),
    ]
    twice = page(address, values)
    assert list(errors(twice)) == ["__all__"]
    assert Term.objects.count() == 2


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"what": ""}, "what"),
        ({"what": "o0"}, "what"),
        ({"provider": ""}, "provider"),
        ({"homes": []}, "homes"),
        ({"seats": "många"}, "seats"),
        ({"seats": "8", "unlimited": "on"}, "seats"),
        ({"intake_from": "2025/26", "intake_to": "2024/25"}, "intake_to"),
        ({"intake_from": "2025/27"}, "intake_from"),
    ],
)
def test_a_term_that_cannot_be_is_refused_at_its_field(page, area, home, neighbour, owner, values, field):
    agreement, programme = draft(area, [home, neighbour], owner), building()
    right = {"what": f"p{programme.pk}", "provider": neighbour.pk, "homes": [home.pk]}

    answer = page(f"/avtal/{agreement.pk}/villkor/nytt/", {**right, **values})

    assert list(errors(answer)) == [field]
    assert not Term.objects.exists()


def test_a_term_is_changed_and_taken_away_on_its_pages(page, agreement):
    term = revision_of(agreement).terms.get()
    address = f"/avtal/{agreement.pk}/villkor/{term.pk}/"

    page(address, {"seats": "12", "intake_from": "2026/27"}, status=302)
    term.refresh_from_db()
    assert (term.seats, term.intake_from) == (12, year("2026/27"))

    page(f"{address}ta-bort/", {}, status=302)
    assert not Term.objects.exists()
    page(address, status=404)


def test_an_own_section_is_added_written_and_taken_out(page, agreement):
    added = page(f"/avtal/{agreement.pk}/avsnitt/nytt/", {"heading": "Skolskjuts"}, status=302)

    assert added.redirect_chain[0][0].startswith("/texter/")
    page(f"/avtal/{agreement.pk}/avsnitt/egen-1/ta-bort/", {}, status=302)
    assert "egen-1" not in revision_of(agreement).sections
    page(f"/avtal/{agreement.pk}/avsnitt/syfte/ta-bort/", status=404)


def test_a_clause_stands_in_the_section_unless_somebody_wrote_there_meanwhile(page, agreement, asker, neighbour, area):
    acting = {"by": asker, "on_behalf_of": neighbour.body}
    clause = add_clause(area, section="syfte", name="Vårt syfte", text="Parterna samverkar.", **acting)
    part = next(part for part in parts_of_revision(revision_of(agreement)) if part.key == "syfte")
    address = f"/avtal/{agreement.pk}/avsnitt/syfte/klausul/"
    save_part(part, text="Jag skrev först.", base_version=0, **acting)

    answer = page(address, {"clause": clause.pk, "base_version": "0"})
    part.refresh_from_db()
    assert (part.text, answer.context["form"]["base_version"].value()) == ("Jag skrev först.", "1")

    page(address, {"clause": clause.pk, "base_version": "1"}, status=302)
    part.refresh_from_db()
    assert part.text == "Parterna samverkar."
    assert revision_of(agreement).clause_uses.get().clause_version == clause


def test_a_change_of_what_is_signed_begins_on_its_page(page, agreement):
    signed(agreement)
    address = f"/avtal/{agreement.pk}/andra/"
    assert page(address).context["form"]["kind"].value() == RevisionKind.ANNEX
    values = {"kind": "amendment", "sections": ["syfte"], "applies_from": "2026/27"}
    assert list(errors(page(address, {**values, "applies_from": ""}))) == ["applies_from"]
    assert list(errors(page(address, {**values, "sections": []}))) == ["sections"]

    page(address, values, status=302)

    assert revision_of(agreement).sections == ["syfte"]
    assert "Syfte" in words(page(f"/avtal/{agreement.pk}/arbete/"))
    page(f"/avtal/{agreement.pk}/uppgifter/andring/", {"applies_from": "2027/28"}, status=302)
    assert str(revision_of(agreement).first_day) == "2027-07-01"


# The whole text


def squeezed(text):
    for invisible in (HYPHEN, BREAK, "\ufffe", "\r"):
        text = text.replace(invisible, "")
    return "".join(text.split())


def test_the_draft_reads_the_same_on_the_page_in_the_pdf_and_in_the_docx(page, agreement, enkoping):
    part = next(part for part in parts_of_revision(revision_of(agreement)) if part.key == "syfte")
    save_part(part, text="Parterna ska mötas [antal] gånger om året.", base_version=0, **enkoping)
    address = f"/avtal/{agreement.pk}/text/"

    shown = page(address)
    pdf, word = page(f"{address}pdf"), page(f"{address}word")

    with pypdfium2.PdfDocument(pdf.content) as document:
        in_pdf = squeezed("".join(one.get_textpage().get_text_range() for one in document))
    made = docx.Document(io.BytesIO(word.content))
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    in_docx = squeezed("".join([*(paragraph.text for paragraph in made.paragraphs), *cells]))
    on_page = squeezed(words(shown))
    for section in shown.context["document"]["parts"]:
        texts = [section["heading"]]
        for block in section["blocks"]:
            runs = [block["text"]] if "text" in block else block.get("items", [])
            texts += ["".join(run.get("t", "") for run in one) for one in runs]
        for text in map(squeezed, texts):
            assert text in on_page
            assert text in in_pdf, text
            assert text in in_docx, text
    assert "Utkast" in in_pdf
    assert "Kontrollsumma" not in in_pdf + in_docx
    assert "[antal]" in in_pdf


def test_others_read_what_was_sent_and_the_area_what_is_signed(client, agreement, committee, council_member, enkoping):
    address = f"/avtal/{agreement.pk}/text/"
    on_referral(agreement)
    part = next(part for part in parts_of_revision(revision_of(agreement)) if part.key == "syfte")
    client.force_login(committee)

    shown = client.get(address)

    assert (shown.context["version"].number, shown.context["is_draft"]) == (1, False)
    assert part.key == "syfte"
    assert client.get(f"{address}pdf").status_code == 404
    client.force_login(council_member)
    assert client.get(address).status_code == 404


def test_what_is_signed_is_read_as_it_now_holds_while_an_annex_is_drafted(
    client, area, home, neighbour, owner, principal
):
    agreement = an_annex(area, home, neighbour, owner)
    address = f"/avtal/{agreement.pk}/text/"
    client.force_login(owner)
    assert client.get(address).context["is_draft"] is True

    client.force_login(principal)

    assert client.get(address).context["version"].number == 1
    assert client.get(f"{address}?vy=galler").context["holds"] is True
    assert client.get(f"/avtal/{agreement.pk}/jamfor/utkast/").status_code == 404


# What differs


def test_an_annex_is_compared_with_what_held_in_the_sections_it_changes(page, area, home, neighbour, owner):
    agreement = an_annex(area, home, neighbour, owner)
    revision_of(agreement).terms.update(seats=4)

    difference = page(f"/avtal/{agreement.pk}/jamfor/utkast/").context["difference"]

    assert difference.only_before == []
    assert [(cell.before, cell.after) for change in difference.tables for cell in change.cells] == [("10", "4")]
    page(f"/avtal/{agreement.pk}/jamfor/1/", status=404)


def test_a_referred_text_is_compared_with_the_version_before(page, agreement, enkoping):
    on_referral(agreement)
    take_back(agreement, reason="Mer.", **enkoping)
    part = next(part for part in parts_of_revision(revision_of(agreement)) if part.key == "syfte")
    save_part(part, text="Parterna samverkar.", base_version=0, **enkoping)

    draft_now = page(f"/avtal/{agreement.pk}/jamfor/utkast/")
    on_referral(agreement)
    versions = page(f"/avtal/{agreement.pk}/jamfor/2/")

    for answer in (draft_now, versions):
        headings = [change.heading for change in answer.context["difference"].texts]
        assert "Syfte" in headings
        assert answer.context["before"].number == 1


def test_withdrawing_says_why_to_the_parties(page, agreement):
    page(f"/avtal/{agreement.pk}/dra-tillbaka/", {"reason": "Behövs inte."}, status=302)

    revision = revision_of(agreement)
    assert (revision.state, revision.ended_reason) == (RevisionState.WITHDRAWN, "Behövs inte.")


def test_only_administrators_of_a_party_write(client, agreement, outsider, committee, principal):
    on_referral(agreement)
    for user, status in ((outsider, 404), (committee, 403), (principal, 404)):
        client.force_login(user)
        answer = client.post(f"/avtal/{agreement.pk}/dra-tillbaka/", {"reason": "X"})
        assert answer.status_code == status
    assert revision_of(agreement).state == RevisionState.REFERRAL
