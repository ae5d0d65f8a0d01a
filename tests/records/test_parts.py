"""Texts written together: one winner for each version, nothing lost, and who may."""

import pytest
from django.db import DatabaseError, transaction
from django.template import Context, Template
from django.test import RequestFactory

from collab4m.clock import now
from records.histories import lines_of, stretches_of
from records.models import Event, Part, Wording
from records.operations import PartChanged, PartClosed, save_part
from records.operations.parts import SITTING
from records.operations.questions import NotYourBody
from tests.factories import PartFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def part(area, home, neighbour):
    return PartFactory(subject__area=area)


@pytest.fixture
def enkoping(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


@pytest.fixture
def vasteras(asker, neighbour):
    return {"by": asker, "on_behalf_of": neighbour.body}


def wordings(part):
    return list(part.wordings.order_by("pk").values_list("version", "base_version", "text", "by__email"))


def test_save_part_lets_the_text_stand_and_keeps_who_wrote_it(part, owner, home, enkoping):
    saved = save_part(part, text="Fyra kommuner.", base_version=0, **enkoping)

    part.refresh_from_db()
    assert (part.text, part.version, part.last_by, part.last_on_behalf_of) == ("Fyra kommuner.", 1, owner, home.body)
    assert (saved.version, saved.last_at) == (1, part.last_at)
    assert wordings(part) == [(1, 0, "Fyra kommuner.", owner.email)]


def test_save_part_from_an_old_version_is_refused_with_both_texts(part, owner, asker, enkoping, vasteras):
    save_part(part, text="Deras", base_version=0, **enkoping)

    with pytest.raises(PartChanged) as refused:
        save_part(part, text="Min", base_version=0, **vasteras)

    assert (refused.value.text, refused.value.part.text, refused.value.part.version) == ("Min", "Deras", 1)
    assert wordings(part) == [(1, 0, "Deras", owner.email), (None, 0, "Min", asker.email)]


def test_save_part_keeps_a_refused_text_once_however_often_it_is_sent(part, enkoping, vasteras):
    save_part(part, text="Deras", base_version=0, **enkoping)

    for _attempt in range(3):
        with pytest.raises(PartChanged):
            save_part(part, text="Min", base_version=0, **vasteras)

    assert part.wordings.filter(version=None).count() == 1


@pytest.mark.parametrize(
    ("choice", "sent", "stands", "version"),
    [("mine", "Min", "Min", 2), ("theirs", "Min", "Deras", 1), ("joined", "Deras och min", "Deras och min", 2)],
)
def test_save_part_settles_a_conflict_as_chosen_and_keeps_every_text(
    part, enkoping, vasteras, choice, sent, stands, version
):
    save_part(part, text="Deras", base_version=0, **enkoping)
    with pytest.raises(PartChanged):
        save_part(part, text="Min", base_version=0, **vasteras)

    settled = save_part(part, text=sent, base_version=1, choice=choice, **vasteras)

    assert (settled.text, settled.version) == (stands, version)
    assert {"Deras", "Min", stands} == set(part.wordings.values_list("text", flat=True))
    assert Event.objects.get(name="part.settled").data == {"heading": "Sammanfattning", "choice": choice}


@pytest.mark.parametrize("choice", ["mine", "theirs", "joined"])
def test_save_part_refuses_a_choice_made_without_having_seen_what_stands(part, enkoping, vasteras, choice):
    save_part(part, text="Första", base_version=0, **enkoping)
    save_part(part, text="Andra", base_version=1, **enkoping)

    with pytest.raises(PartChanged):
        save_part(part, text="Min", base_version=1, choice=choice, **vasteras)

    part.refresh_from_db()
    assert part.text == "Andra"
    assert not Event.objects.filter(name="part.settled").exists()


def test_save_part_of_one_open_page_never_conflicts_with_itself(part, enkoping):
    save_part(part, text="Hej", base_version=0, sitting="a", turn=1, **enkoping)

    saved = save_part(part, text="Hej du", base_version=0, sitting="a", turn=2, **enkoping)

    assert (saved.text, saved.version) == ("Hej du", 2)


def test_save_part_that_comes_late_never_overwrites_what_was_written_after_it(part, enkoping):
    save_part(part, text="Hej du", base_version=0, sitting="a", turn=2, **enkoping)

    saved = save_part(part, text="Hej", base_version=0, sitting="a", turn=1, **enkoping)

    assert (saved.text, saved.version) == ("Hej du", 1)
    assert set(part.wordings.values_list("version", "text")) == {(1, "Hej du"), (None, "Hej")}


def test_save_part_of_one_open_page_conflicts_with_what_another_wrote_between(part, enkoping, vasteras):
    save_part(part, text="Hej", base_version=0, sitting="a", turn=1, **enkoping)
    save_part(part, text="Hej du", base_version=1, sitting="b", turn=1, **vasteras)

    with pytest.raises(PartChanged):
        save_part(part, text="Hej igen", base_version=0, sitting="a", turn=2, **enkoping)


def test_save_part_with_the_same_text_makes_no_new_version(part, enkoping):
    save_part(part, text="Hej", base_version=0, **enkoping)

    saved = save_part(part, text="Hej \r\n", base_version=1, **enkoping)

    assert saved.version == 1


def test_save_part_tells_history_once_while_one_person_goes_on_writing(part, enkoping, vasteras):
    save_part(part, text="a", base_version=0, **enkoping)
    save_part(part, text="ab", base_version=1, **enkoping)
    save_part(part, text="abc", base_version=2, **vasteras)

    names = list(Event.objects.order_by("pk").values_list("name", "on_behalf_of__name"))
    assert names == [("part.written", "Enköping"), ("part.written", "Västerås")]


def test_save_part_tells_history_again_after_a_pause(part, enkoping, monkeypatch):
    save_part(part, text="a", base_version=0, **enkoping)
    monkeypatch.setattr("records.operations.parts.now", lambda: now() + SITTING)

    save_part(part, text="ab", base_version=1, **enkoping)

    assert Event.objects.filter(name="part.written").count() == 2


def test_save_part_is_refused_once_the_subject_is_closed(part, enkoping):
    subject = part.subject
    subject.is_closed = True
    subject.save()

    with pytest.raises(PartClosed):
        save_part(part, text="För sent", base_version=0, **enkoping)

    assert wordings(part) == []


@pytest.mark.parametrize("who", ["outsider", "principal", "committee", "council_member", "system_administrator"])
def test_save_part_is_for_those_whom_the_subject_names(part, request, home, who):
    with pytest.raises(PartClosed):
        save_part(part, text="Nej", base_version=0, by=request.getfixturevalue(who), on_behalf_of=home.body)


def test_save_part_is_done_for_a_body_one_acts_for(part, owner, neighbour):
    for body in (neighbour.body, None):
        with pytest.raises(NotYourBody):
            save_part(part, text="Nej", base_version=0, by=owner, on_behalf_of=body)


def test_parts_are_seen_by_those_who_see_what_they_belong_to(part, owner, asker, outsider, council_member, roleless):
    seen = {user: list(Part.objects.visible_to(user)) for user in (owner, asker, outsider, council_member, roleless)}

    assert seen == {owner: [part], asker: [part], outsider: [], council_member: [part], roleless: []}


@pytest.mark.parametrize(
    "attack",
    [
        lambda part: Wording.objects.update(text="Aldrig"),
        lambda part: Wording.objects.all().delete(),
        lambda part: Part.objects.filter(pk=part.pk).update(text="Utan version"),
        lambda part: Part.objects.filter(pk=part.pk).update(text="Bakåt", version=0),
        lambda part: part.delete(),
        lambda part: Wording.objects.create(part=part, version=1, base_version=0, text="Igen", by=part.last_by),
    ],
)
def test_no_text_leaves_the_history(part, enkoping, attack):
    saved = save_part(part, text="Hej", base_version=0, **enkoping)

    with pytest.raises(DatabaseError), transaction.atomic():
        attack(saved)

    assert wordings(part) == [(1, 0, "Hej", enkoping["by"].email)]


def test_history_of_the_subject_tells_of_its_texts(part, owner, enkoping, vasteras):
    save_part(part, text="Deras", base_version=0, **enkoping)
    save_part(part, text="Min", base_version=1, choice="mine", **vasteras)

    told = [event.name for event in Event.objects.seen_by(owner, part.subject)]

    assert told == ["part.settled", "part.written"]
    assert len(lines_of(Event.objects.seen_by(owner, part))) == 2


def test_stretches_gather_what_one_person_saved_in_a_row(part, owner, asker, enkoping, vasteras):
    for version, text in enumerate(["a", "ab", "abc"]):
        save_part(part, text=text, base_version=version, **enkoping)
    save_part(part, text="abcd", base_version=3, **vasteras)
    with pytest.raises(PartChanged):
        save_part(part, text="abd", base_version=3, **enkoping)

    found = [(stretch.version, stretch.by, stretch.before, stretch.savings) for stretch in stretches_of(part)]

    assert found == [(None, owner.pk, 3, 1), (4, asker.pk, 3, 1), (3, owner.pk, 0, 3)]


def drawn(subject, user) -> str:
    request = RequestFactory().get("/")
    request.user = user
    template = Template("{% load records_parts %}{% parts subject %}")
    return template.render(Context({"subject": subject, "request": request}))


@pytest.mark.parametrize(("who", "may"), [("owner", True), ("asker", True), ("committee", False)])
def test_parts_are_shown_in_order_with_a_way_to_write_for_those_who_may(request, part, who, may, enkoping):
    first = PartFactory(subject=part.subject, heading="Inledning", order=0)
    Part.objects.filter(pk=part.pk).update(order=1)
    save_part(part, text="Hej <b\n\n## Rubrik", base_version=0, **enkoping)

    page = drawn(part.subject, request.getfixturevalue(who))

    assert page.index("Inledning") < page.index("Sammanfattning")
    assert "<p>Hej &lt;b</p>" in page
    assert '<h3 class="c-h3">Rubrik</h3>' in page
    assert (first.get_absolute_url() in page) is may


@pytest.mark.parametrize("number", [1, 3])
def test_parts_cost_the_same_however_many(part, owner, number, django_assert_num_queries):
    for _more in range(number - 1):
        PartFactory(subject=part.subject)
    assert owner.roles_today

    with django_assert_num_queries(2):
        drawn(part.subject, owner)


# The pages


def test_part_page_saves_and_says_so(client, part, owner):
    client.force_login(owner)

    response = client.post(part.get_absolute_url(), {"text": "Hej\r\ndu", "base_version": "0"}, follow=True)

    part.refresh_from_db()
    assert part.text == "Hej\ndu"
    assert response.redirect_chain == [(part.get_absolute_url(), 302)]


def test_part_page_answers_a_conflict_with_both_texts_and_three_ways(client, part, asker, enkoping):
    save_part(part, text="Vi är tre kommuner", base_version=0, **enkoping)
    client.force_login(asker)

    response = client.post(part.get_absolute_url(), {"text": "Vi är fyra kommuner", "base_version": "0"})

    page = response.content.decode()
    assert response.status_code == 409
    assert "Vi är <mark>fyra </mark>kommuner" in page
    assert "Vi är <mark>tre </mark>kommuner" in page
    for choice in ("mine", "theirs", "joined"):
        assert f'name="choice" value="{choice}"' in page
    assert response.context["form"]["joined"].value() == "Vi är fyra kommuner\n\nVi är tre kommuner"


def test_part_page_escapes_what_was_written_on_either_side(client, part, asker, enkoping):
    save_part(part, text="<blink onerror=x>", base_version=0, **enkoping)
    client.force_login(asker)

    page = client.post(part.get_absolute_url(), {"text": "<xss onclick=x>", "base_version": "0"}).content.decode()

    assert "<blink" not in page
    assert "<xss" not in page


@pytest.mark.parametrize(("choice", "stands"), [("mine", "Min"), ("theirs", "Deras"), ("joined", "Båda")])
def test_part_page_settles_a_conflict(client, part, asker, enkoping, choice, stands):
    save_part(part, text="Deras", base_version=0, **enkoping)
    client.force_login(asker)

    sent = {"text": "Min", "joined": "Båda", "base_version": "1", "choice": choice}
    response = client.post(part.get_absolute_url(), sent)

    part.refresh_from_db()
    assert (response.status_code, part.text) == (302, stands)


def test_part_page_takes_the_same_text_from_two_for_no_conflict(client, part, asker, enkoping):
    save_part(part, text="Samma", base_version=0, **enkoping)
    client.force_login(asker)

    assert client.post(part.get_absolute_url(), {"text": "Samma", "base_version": "0"}).status_code == 302


def test_part_page_gives_back_what_was_written_after_the_text_was_closed(client, part, owner):
    client.force_login(owner)
    part.subject.is_closed = True
    part.subject.save()

    response = client.post(part.get_absolute_url(), {"text": "En lång text", "base_version": "0"})

    assert response.status_code == 403
    assert "En lång text" in response.content.decode()


def test_part_page_asks_those_with_two_homes_for_whom_they_write(client, part, two_homes, neighbour):
    client.force_login(two_homes)
    sent = {"text": "Hej", "base_version": "0"}

    assert client.post(part.get_absolute_url(), sent).status_code == 200
    client.post(part.get_absolute_url(), {**sent, "on_behalf_of": str(neighbour.pk)})

    part.refresh_from_db()
    assert part.last_on_behalf_of == neighbour.body


def test_too_long_a_joined_text_stays_on_the_page(client, part, asker, enkoping):
    save_part(part, text="Deras", base_version=0, **enkoping)
    client.force_login(asker)

    sent = {"text": "Min", "joined": "å" * 20_001, "base_version": "1", "choice": "joined"}
    response = client.post(part.get_absolute_url(), sent)

    assert response.status_code == 200
    assert "å" * 20_001 in response.content.decode()


def test_part_history_compares_with_what_stood_before(client, part, owner, enkoping, vasteras):
    save_part(part, text="Vi är tre kommuner", base_version=0, **enkoping)
    save_part(part, text="Vi är fyra kommuner", base_version=1, **vasteras)
    client.force_login(owner)

    latest = client.get(f"/texter/{part.pk}/historik/")
    first = client.get(f"/texter/{part.pk}/historik/?lydelse={part.wordings.earliest('pk').pk}")

    assert [(piece.kind, piece.text) for piece in latest.context["pieces"]] == [
        ("same", "Vi är "), ("old", "tre "), ("new", "fyra "), ("same", "kommuner"),
    ]  # fmt: skip
    assert [(piece.kind, piece.text) for piece in first.context["pieces"]] == [("new", "Vi är tre kommuner")]


@pytest.mark.parametrize("asked", ["0", "x", "99999999999999999999"])
def test_part_history_knows_only_its_own_texts(client, part, owner, enkoping, asked):
    save_part(part, text="Hej", base_version=0, **enkoping)
    client.force_login(owner)

    assert client.get(f"/texter/{part.pk}/historik/?lydelse={asked}").status_code == 404


@pytest.mark.parametrize("number", [1, 3])
def test_part_pages_cost_the_same_however_much_was_written(
    client, part, owner, asker, enkoping, vasteras, number, django_assert_num_queries
):
    for version in range(number):
        save_part(part, text=f"Text {version}", base_version=version, **(vasteras if version % 2 else enkoping))
    client.force_login(owner)
    client.get(part.get_absolute_url())

    with django_assert_num_queries(PART_QUERIES):
        client.get(part.get_absolute_url())
    with django_assert_num_queries(PART_HISTORY_QUERIES):
        client.get(f"/texter/{part.pk}/historik/")


PART_QUERIES = 11
PART_HISTORY_QUERIES = 11
