"""Texts written together, for programs: the version in If-Match, and both texts when somebody else came first."""

import pytest

from records.operations import save_part
from tests.factories import PartFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def part(area, home, neighbour):
    return PartFactory(subject__area=area, key="summary")


@pytest.fixture
def put(program, owner, part):
    """Saves as a program that speaks for the owner."""
    client = program(owner, may_write=True)

    def send(version=None, **body):
        headers = {} if version is None else {"If-Match": version}
        return client.put(f"/api/v1/parts/{part.pk}/", body, content_type="application/json", headers=headers)

    return send


def test_part_is_read_with_its_version(program, owner, part, home):
    save_part(part, text="Hej", base_version=0, by=owner, on_behalf_of=home.body)

    response = program(owner).get(f"/api/v1/parts/{part.pk}/")

    told = response.json()
    assert told.pop("last_at")
    assert told == {
        "id": part.pk,
        "subject": f"writing.paper:{part.subject_id}",
        "key": "summary",
        "heading": "Sammanfattning",
        "text": "Hej",
        "version": 1,
        "last_by": str(owner),
        "last_on_behalf_of": "Enköping",
    }
    assert response["ETag"] == '"1"'


def test_part_is_saved_from_the_version_named(put, part):
    response = put('"0"', text="Hej\r\ndu")

    part.refresh_from_db()
    assert (response.status_code, response["ETag"], part.text) == (200, '"1"', "Hej\ndu")


def test_part_that_another_has_saved_comes_back_with_both_texts(put, part, asker, neighbour):
    save_part(part, text="Deras", base_version=0, by=asker, on_behalf_of=neighbour.body)

    response = put('"0"', text="Min")

    told = response.json()
    assert response.status_code == 409
    assert (told["code"], told["mine"], told["theirs"]["text"], told["theirs"]["version"]) == (
        "part_changed",
        "Min",
        "Deras",
        1,
    )
    assert response["ETag"] == '"1"'
    assert put('"1"', text="Min", choice="mine").json()["text"] == "Min"


@pytest.mark.parametrize("version", ['"1"', "x", "*", "-1", '"99999999999999"', 'W/"y"'])
def test_part_has_no_such_version(put, version):
    response = put(version, text="Hej")

    assert (response.status_code, response.json()["code"]) == (412, "version_unknown")


def test_part_is_not_saved_without_a_version(put):
    response = put(text="Hej")

    assert (response.status_code, response.json()["code"]) == (428, "version_missing")


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "text"), ({"text": "å" * 20_001}, "text"), ({"text": "", "choice": "ours"}, "choice"),
     ({"text": "", "turn": -1}, "turn")],
)  # fmt: skip
def test_part_says_what_to_put_right(put, body, field):
    response = put('"0"', **body)

    assert response.status_code == 400
    assert list(response.json()["fields"]) == [field]


@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("asker", 200), ("committee", 403), ("principal", 403), ("outsider", 404)]
)
def test_part_is_saved_by_those_whom_the_subject_names(program, request, part, who, status):
    client = program(request.getfixturevalue(who), may_write=True)

    response = client.put(
        f"/api/v1/parts/{part.pk}/", {"text": "Hej"}, content_type="application/json", headers={"If-Match": "0"}
    )

    assert response.status_code == status


def test_key_for_reading_does_not_save(program, owner, part):
    response = program(owner).put(
        f"/api/v1/parts/{part.pk}/", {"text": "Hej"}, content_type="application/json", headers={"If-Match": "0"}
    )

    assert response.status_code == 403


def test_those_with_two_homes_say_for_whom_they_write(program, two_homes, part, home, elsewhere):
    client = program(two_homes, may_write=True)

    def save(**body):
        return client.put(
            f"/api/v1/parts/{part.pk}/", {"text": "Hej", **body}, content_type="application/json",
            headers={"If-Match": "0"},
        ).json()  # fmt: skip

    assert (save()["code"], save(on_behalf_of=elsewhere.pk)["code"]) == ("not_your_body", "not_your_body")
    assert save(on_behalf_of=home.pk)["last_on_behalf_of"] == "Enköping"


def test_pasted_html_is_cleaned(put, part):
    put('"0"', text="<p>Hej <script>alert(1)</script><b>du</b></p>")

    part.refresh_from_db()
    assert part.text == "Hej du"
