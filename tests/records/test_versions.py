"""Making something final: numbered once, kept whole, changed by nobody."""

import json
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import DatabaseError, connection, transaction
from django.urls import reverse

from collab4m.clock import now
from organisations.models import School
from records import storage
from records.documents.content import ContentRefused, sha256_of
from records.documents.files import MadeFile
from records.histories import lines_of
from records.models import Event, Job, JobState, Rendition, Version
from records.operations import (
    VersionTaken,
    freeze,
    make_final,
    next_version,
    order_job,
    store_renditions,
    unchanged,
    work_off_jobs,
)
from records.work import RunningJob, job_kind
from tests.records.documents.content import COVER, OTHER_COVER, small


def frozen(subject, title="Fördjupad samverkan", *, by=None, on_behalf_of=None, files=()) -> Version:
    return freeze(next_version(subject, small(title), by=by, on_behalf_of=on_behalf_of), files)


def a_file(data: bytes = b"%PDF-1.7 a", **more) -> MadeFile:
    return MadeFile(**{"kind": "pdf", "variant": "", "name": "a.pdf", "data": data, **more})


def test_freeze_numbers_hashes_and_records(owner, home, school):
    first = frozen(school, "Ett", by=owner, on_behalf_of=home.body, files=[a_file()])
    second = frozen(school, "Två", by=owner, on_behalf_of=home.body)

    assert [first.number, second.number, second.supersedes] == [1, 2, first]
    assert first.content_sha256 == sha256_of(small("Ett"))
    assert first.later == second
    assert second.later is None
    rendition = first.renditions.get()
    assert (storage.read(rendition.sha256), rendition.size) == (b"%PDF-1.7 a", 10)
    assert "typst" in rendition.made_with
    event = Event.objects.about(school).last()
    assert (event.name, event.by, event.on_behalf_of_id) == ("version.frozen", owner, home.body.pk)
    assert event.data == {"title": "Ett", "number": 1, "sha256": first.content_sha256}
    assert "Ett" in lines_of([event])[0].sentence


def test_content_comes_back_from_the_database_as_it_was_hashed(school):
    version = Version.objects.get(pk=frozen(school, 'Å "ä" \u00a0 ö 😀 \\').pk)

    assert version.is_intact()
    assert version.content == json.loads(json.dumps(small('Å "ä" \u00a0 ö 😀 \\')))


def test_content_without_a_source_is_not_frozen(school):
    content = small()
    del content["sources"]["skolverket:2022"]

    with pytest.raises(ContentRefused):
        next_version(school, content, by=None)
    version = next_version(school, small(), by=None)
    version.content = content
    with pytest.raises(ContentRefused):
        freeze(version)
    assert not Version.objects.exists()


def test_two_who_prepared_the_same_number_get_one_each_or_none(school):
    mine, theirs = (next_version(school, small(title), by=None) for title in ("Mitt", "Ert"))
    freeze(theirs)

    with pytest.raises(VersionTaken):
        freeze(mine, [a_file()])

    assert [version.title for version in Version.objects.of(school)] == ["Ert"]
    assert not Rendition.objects.exists()


def test_a_file_that_cannot_be_kept_leaves_no_version(school):
    def files():
        yield a_file()
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        frozen(school, files=files())

    assert not Version.objects.exists()
    assert not Event.objects.about(school).exists()


def test_store_renditions_keeps_the_same_bytes_once_and_a_new_cover_beside_the_old(school):
    version = frozen(school, files=[a_file()])

    assert store_renditions(version, [a_file()]) == []
    store_renditions(version, [a_file(b"%PDF-1.7 b", cover=COVER)])

    assert version.renditions.count() == 2
    assert [one.cover for one in version.renditions.current()] == [COVER]
    assert [one.is_current for one in version.renditions.order_by("pk")] == [False, True]


def test_a_cover_that_comes_back_is_current_again(school):
    version = frozen(school, files=[a_file(cover=COVER)])
    store_renditions(version, [a_file(b"%PDF-1.7 b", cover=OTHER_COVER)])

    store_renditions(version, [a_file(cover=COVER)])

    assert [one.cover for one in version.renditions.current()] == [COVER]
    assert unchanged(school, version.content, {"": COVER}) == version


# Every door


def test_frozen_rows_are_changed_and_deleted_by_no_door(client, school, system_administrator):
    version = frozen(school, files=[a_file()])
    rendition = version.renditions.get()
    doors = [
        lambda: Version.objects.update(number=7),
        lambda: Version.objects.filter(pk=version.pk).delete(),
        lambda: Version.objects.bulk_update([version], ["number"]),
        lambda: version.save(),
        lambda: version.delete(),
        lambda: Rendition.objects.update(sha256="0" * 64),
        lambda: rendition.save(),
        lambda: rendition.delete(),
        lambda: connection.cursor().execute("UPDATE records_version SET content = '{}'"),
        lambda: connection.cursor().execute("DELETE FROM records_version"),
        lambda: connection.cursor().execute("UPDATE records_rendition SET name = 'x'"),
        lambda: connection.cursor().execute("DELETE FROM records_rendition"),
        lambda: connection.cursor().execute(
            "INSERT INTO records_version SELECT * FROM records_version ON CONFLICT (id) DO UPDATE SET number = 7"
        ),
    ]
    for door in doors:
        with pytest.raises(DatabaseError), transaction.atomic():
            door()
    assert list(Version.objects.values_list("number", "content_sha256")) == [(1, version.content_sha256)]
    assert list(Rendition.objects.values_list("sha256", "name")) == [(rendition.sha256, "a.pdf")]


def test_the_administration_of_tables_does_not_know_frozen_rows():
    assert not {Version, Rendition} & set(admin.site._registry)


def test_no_address_changes_what_is_frozen(client, school, owner):
    version = frozen(school, files=[a_file()])
    client.force_login(owner)

    for address in (reverse("version", args=[version.pk]), reverse("rendition", args=[version.renditions.get().pk])):
        for method in ("post", "put", "patch", "delete"):
            assert getattr(client, method)(address).status_code == 405


# In a job


@job_kind("test.final", label="Make final")
def final(job: RunningJob):
    make_final(job, School.objects.get(pk=job.args["school"]), small(job.args["title"]), covers=job.args.get("covers"))


def order(school, title="Fördjupad samverkan", **args):
    return order_job("test.final", str(school.pk), args={"school": school.pk, "title": title, **args})


def test_a_job_makes_a_version_with_all_its_files_and_tells_how_far_it_is(owner, home, school):
    job = order_job(
        "test.final", "a", by=owner, on_behalf_of=home.body,
        args={"school": school.pk, "title": "A", "covers": {"0381": COVER, "1980": OTHER_COVER}},
    )  # fmt: skip
    work_off_jobs()

    job.refresh_from_db()
    version = Version.objects.get()
    assert job.state == JobState.DONE, job.error
    assert job.result == {"version": version.pk, "number": 1, "content_sha256": version.content_sha256}
    assert (version.by, version.on_behalf_of_id) == (owner, home.body.pk)
    assert (job.total, job.done) == (2 + 3 + 8 + 1, 2 + 3 + 8)
    kinds = sorted(version.renditions.values_list("kind", "variant"))
    assert kinds == [
        ("csv", "behov"), ("csv", "matris-tabell"), ("csv", "platser"), ("docx", "0381"), ("docx", "1980"),
        ("html", ""), ("pdf", "0381"), ("pdf", "1980"), ("sealed", "0381"), ("sealed", "1980"), ("xlsx", ""),
        ("zip", "0381"), ("zip", "1980"),
    ]  # fmt: skip
    assert all(len(storage.read(one.sha256)) == one.size for one in version.renditions.all())


def test_the_same_content_again_is_the_same_version_and_only_new_covers_are_added(school):
    order(school)
    work_off_jobs()
    order(school)
    work_off_jobs()
    assert (Version.objects.count(), Rendition.objects.count()) == (1, 2 + 3 + 4)
    assert unchanged(school, small("Fördjupad samverkan")) == Version.objects.get()
    assert unchanged(school, small("Fördjupad samverkan"), {"0381": COVER}) is None
    assert unchanged(school, small("Annat")) is None

    order(school, covers={"0381": COVER})
    work_off_jobs()

    assert (Version.objects.count(), Rendition.objects.count()) == (1, 2 + 3 + 4 + 4)
    assert unchanged(school, small("Fördjupad samverkan"), {"0381": COVER}) == Version.objects.get()


def test_files_of_an_old_version_come_out_the_same_a_day_later(school):
    order(school)
    work_off_jobs()
    before = set(Rendition.objects.values_list("sha256", flat=True))
    Job.objects.update(created_at=now() - timedelta(days=1))
    order(school)
    work_off_jobs()

    assert set(Rendition.objects.values_list("sha256", flat=True)) == before


def test_content_that_is_refused_fails_the_job_in_plain_words(school):
    job = order(school, title="")
    work_off_jobs()

    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "/title" in job.error
    assert not Version.objects.exists()


# The store


def test_a_file_half_written_is_never_seen_under_its_name():
    class Torn:
        name = "torn"

        def chunks(self):
            yield b"half"
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        storage.FinalFiles()._save("zz/torn", Torn())

    assert storage.FinalFiles().listdir("zz") == ([], [])


def test_a_damaged_file_is_missed_and_mended_when_it_is_kept_again():
    digest = storage.keep(b"whole and sound")
    path = storage.FinalFiles().path(f"{digest[:2]}/{digest}")
    with open(path, "wb") as file:
        file.write(b"whole and")

    with pytest.raises(storage.FileMissing):
        storage.read(digest)
    storage.keep(b"whole and sound")

    assert storage.read(digest) == b"whole and sound"


# Pages


def test_version_page_shows_the_frozen_content_and_its_files(client, school, owner):
    version = frozen(school, files=[a_file(), a_file(b"PK", kind="zip", name="a.zip")])
    client.force_login(owner)

    page = client.get(version.get_absolute_url()).content.decode()

    assert "Fördjupad samverkan" in page
    assert "1\u00a0250" in page
    assert page.count('href="/versioner/filer/') == 2
    assert f"/verifiera/{version.content_sha256}/" in page


@pytest.mark.parametrize("count", [1, 3])
def test_version_page_costs_the_same_however_many_files_there_are(
    client, school, owner, count, django_assert_num_queries
):
    version = frozen(school, files=[a_file(bytes([number]), variant=str(number)) for number in range(count)])
    client.force_login(owner)
    client.get(version.get_absolute_url())  # draws the charts

    with django_assert_num_queries(10):
        client.get(version.get_absolute_url())


def test_an_old_version_says_that_there_is_a_later_one(client, school, owner):
    first, second = frozen(school, "Ett"), frozen(school, "Två")
    client.force_login(owner)

    assert second.get_absolute_url() in client.get(first.get_absolute_url()).content.decode()
    assert first.get_absolute_url() not in client.get(second.get_absolute_url()).content.decode()


def test_a_file_is_downloaded_as_it_was_made(client, school, owner):
    rendition = frozen(school, files=[a_file(name="återredovisning.pdf")]).renditions.get()
    client.force_login(owner)

    answer = client.get(rendition.get_absolute_url())

    assert answer.content == b"%PDF-1.7 a"
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == "attachment; filename*=utf-8''%C3%A5terredovisning.pdf"


def test_a_file_that_the_store_has_lost_is_told_of(client, school, owner, caplog):
    rendition = frozen(school, files=[a_file(b"lost")]).renditions.get()
    storage.FinalFiles().delete(f"{rendition.sha256[:2]}/{rendition.sha256}")
    client.force_login(owner)

    answer = client.get(rendition.get_absolute_url())

    assert answer.status_code == 404
    assert rendition.sha256 in answer.content.decode()
    assert rendition.sha256 in caplog.text
