"""Pictures: opened before they are believed, made anew without what they tell, and shown to those who may see."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import translation
from PIL import Image, ImageCms

from records import storage
from records.models import Event
from resources.models import Picture
from resources.operations import NotYours, PictureGone, add_picture, describe_picture, move_picture, remove_picture
from resources.operations.pictures import PictureRefused, TooManyPictures, made_anew
from tests.factories import ResourceFactory
from tests.resources.painted import painted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def bus(home, buses, owner):
    return ResourceFactory(name="Minibuss", municipality=home, category=buses)


@pytest.fixture
def acting(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


@pytest.fixture
def official(client, owner):
    """The administrator of Enköping, who reads English so that the texts stand here as in the code."""
    owner.language = "en"
    owner.save()
    client.force_login(owner)
    return client


def opened(data):
    return Image.open(io.BytesIO(data))


# What is kept


def test_a_picture_tells_nothing_of_where_it_was_taken():
    exif = Image.Exif()
    exif[0x010F] = "Kameramärke"
    exif.get_ifd(0x8825).update({1: "N", 2: (59.0, 38.0, 9.0), 3: "E", 4: (17.0, 4.0, 39.0)})
    sent = painted(exif=exif, comment=b"hemligt", dpi=(300, 300))
    assert opened(sent).getexif().get_ifd(0x8825)
    assert b"hemligt" in sent

    kept, *_size = made_anew(sent)

    assert not opened(kept).getexif()
    assert opened(kept).info.keys() <= {
        "jfif",
        "jfif_version",
        "jfif_unit",
        "jfif_density",
        "progressive",
        "progression",
    }
    assert b"Kamera" not in kept
    assert b"hemligt" not in kept


def test_a_picture_lying_down_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side: turn a quarter clockwise

    kept, width, height = made_anew(painted((40, 30), exif=exif))

    assert (width, height) == opened(kept).size == (30, 40)
    red, _green, blue = opened(kept).getpixel((15, 3))  # what was left is now above
    assert red > 200 > 60 > blue


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_picture_becomes_a_jpeg_of_fit_size(kind):
    kept, width, height = made_anew(painted((3200, 1000), kind))

    assert (width, height) == opened(kept).size == (1600, 500)
    assert opened(kept).format == "JPEG"


def test_what_shines_through_stays_a_png():
    kept, *_size = made_anew(_half_clear())

    assert (opened(kept).format, opened(kept).mode) == ("PNG", "RGBA")
    assert made_anew(painted(kind="PNG", mode="RGBA"))[0].startswith(b"\xff\xd8")  # nothing shines through it


def _half_clear():
    file = io.BytesIO()
    picture = Image.new("RGBA", (20, 20), (255, 0, 0, 128))
    picture.save(file, "PNG", pnginfo=None)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "I;16", "LA"])
def test_every_kind_of_colour_is_understood(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"

    kept, width, height = made_anew(painted(kind=kind, mode=mode))

    assert opened(kept).size == (width, height)


def test_colours_of_a_profile_become_those_of_every_screen():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

    kept, *_size = made_anew(painted(icc_profile=profile))

    assert "icc_profile" not in opened(kept).info
    assert made_anew(painted(icc_profile=b"nonsense"))[0].startswith(b"\xff\xd8")


# What is refused


def a_bomb():
    """A PNG file that says it is enormous."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "JPEG, PNG"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "JPEG, PNG"),
        (b"GIF89a" + b"\0" * 50, "JPEG, PNG"),
        (b"%PDF-1.7", "JPEG, PNG"),
        (painted((400, 300))[:500], "damaged"),
        (painted((400, 300), "PNG")[:200], "damaged"),
        (a_bomb(), "million pixels"),
        (b"x" * 20_000_001, "20 MB"),
    ],
    ids=["empty", "svg", "gif", "pdf", "half a jpeg", "half a png", "bomb", "too large"],
)
def test_what_is_no_whole_picture_is_refused_with_words(data, words):
    with pytest.raises(PictureRefused, match=words):
        made_anew(data)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr("resources.operations.pictures.MOST_PIXELS", 1000)

    with pytest.raises(PictureRefused, match="million pixels"):
        made_anew(painted((40, 30)))


# What the owner does


def test_pictures_are_added_described_ordered_and_removed(bus, acting):
    first, second, third = (
        add_picture(bus, data=painted((40, 30 + n)), alt=f"  Bild   {n} ", **acting) for n in (1, 2, 3)
    )
    assert [str(one) for one in bus.pictures.all()] == ["Bild 1", "Bild 2", "Bild 3"]

    move_picture(third, earlier=True, **acting)
    move_picture(first, earlier=True, **acting)
    describe_picture(first, alt="Bussen framifrån", **acting)
    remove_picture(second, **acting)

    assert [str(one) for one in bus.pictures.all()] == ["Bussen framifrån", "Bild 3"]
    names = Event.objects.filter(subject_id=bus.pk, name__contains="picture").order_by("pk")
    assert list(names.values_list("name", flat=True)) == [
        *["resource.picture_added"] * 3, "resource.pictures_ordered", "resource.picture_described",
        "resource.picture_removed",
    ]  # fmt: skip


def test_a_removed_picture_is_gone_from_the_store_unless_another_is_the_same(
    bus, acting, home, buses, django_capture_on_commit_callbacks
):
    other = ResourceFactory(name="Minibuss 2", municipality=home, category=buses)
    one = add_picture(bus, data=painted(), alt="Bild", **acting)
    same = add_picture(other, data=painted(), alt="Bild", **acting)
    file = Path(storage.path_of(one.sha256))

    with django_capture_on_commit_callbacks(execute=True):
        remove_picture(one, **acting)
    assert file.exists()

    with django_capture_on_commit_callbacks(execute=True):
        remove_picture(same, **acting)
    assert not file.exists()


def test_eight_are_the_most(bus, acting):
    for _number in range(8):
        add_picture(bus, data=painted(), alt="Bild", **acting)

    with pytest.raises(TooManyPictures):
        add_picture(bus, data=painted(), alt="Bild", **acting)


@pytest.mark.parametrize("alt", ["", "   ", "x" * 301])
def test_words_for_those_who_do_not_see_it_are_required(bus, acting, alt):
    with pytest.raises(PictureRefused):
        add_picture(bus, data=painted(), alt=alt, **acting)


def test_only_the_owner_adds_and_what_is_removed_stays_removed(bus, acting, asker, neighbour):
    with pytest.raises(NotYours):
        add_picture(bus, data=painted(), alt="Bild", by=asker, on_behalf_of=neighbour.body)
    picture = add_picture(bus, data=painted(), alt="Bild", **acting)
    remove_picture(picture, **acting)

    with pytest.raises(PictureGone):
        describe_picture(Picture(pk=picture.pk or 1, resource=bus), alt="Annat", **acting)


# Pages


def test_a_picture_is_sent_with_its_type_and_may_be_kept_by_ones_own_browser(client, bus, acting, asker):
    picture = add_picture(bus, data=painted(), alt="Bild", **acting)
    client.force_login(asker)

    answer = client.get(f"/resurser/bilder/{picture.pk}/")

    assert answer.content == storage.read(picture.sha256)
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert "private" in answer["Cache-Control"]
    again = client.get(f"/resurser/bilder/{picture.pk}/", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_picture_that_the_store_has_lost_is_not_found(client, bus, acting, owner):
    picture = add_picture(bus, data=painted((41, 31)), alt="Bild", **acting)
    Path(storage.path_of(picture.sha256)).unlink()
    client.force_login(owner)

    assert client.get(f"/resurser/bilder/{picture.pk}/").status_code == 404


@pytest.mark.parametrize("language", ["sv", "en"])
def test_a_wide_picture_has_its_size_in_plain_figures(client, bus, acting, owner, language):
    add_picture(bus, data=painted((1200, 1600)), alt="Bild", **acting)
    owner.language = language
    owner.save()
    client.force_login(owner)

    for page in (f"/resurser/{bus.pk}/", f"/resurser/{bus.pk}/bilder/"):
        assert 'width="1200" height="1600"' in client.get(page).content.decode()


def test_the_owner_adds_and_removes_on_the_page(official, bus):
    page = f"/resurser/{bus.pk}/bilder/"
    file = SimpleUploadedFile("buss.jpg", painted(), "image/jpeg")

    answer = official.post(page, {"picture": file, "alt": "Bussen framifrån"}, follow=True)

    picture = bus.pictures.get()
    assert "The picture is added." in answer.content.decode()
    assert 'alt="Bussen framifrån"' in answer.content.decode()
    answer = official.post(f"/resurser/bilder/{picture.pk}/ta-bort/", follow=True)
    assert "The picture is removed." in answer.content.decode()
    assert not bus.pictures.exists()


def test_what_was_typed_stays_when_the_file_is_refused(official, bus):
    file = SimpleUploadedFile("buss.jpg", b"no picture", "image/jpeg")

    answer = official.post(f"/resurser/{bus.pk}/bilder/", {"picture": file, "alt": "Bussen framifrån"})

    assert answer.status_code == 200
    assert "Choose a picture in the format" in answer.content.decode()
    assert 'value="Bussen framifrån"' in answer.content.decode()
    assert not bus.pictures.exists()


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_asks_as_much_for_one_picture_as_for_three(official, bus, acting, number, django_assert_num_queries):
    for _one in range(number):
        add_picture(bus, data=painted(), alt="Bild", **acting)
    official.get(f"/resurser/{bus.pk}/bilder/")

    with django_assert_num_queries(11):
        official.get(f"/resurser/{bus.pk}/bilder/")
