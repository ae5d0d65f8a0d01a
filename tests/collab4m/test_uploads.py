"""Files that people send: what is too much is counted and told, but never kept."""

import io
import tracemalloc

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.handlers.wsgi import WSGIRequest
from django.forms import Form
from django.utils.translation import override

from collab4m.uploads import TableFileField

MEGABYTE = 1_000_000


class OneFile(Form):
    file = TableFileField(label="Fil")


class Body(io.RawIOBase):
    """A form with files of these sizes, made as it is read, and with a word after them."""

    def __init__(self, *sizes, name="utbud <å> & 'b'.csv"):
        self.parts = []
        for size in sizes:
            head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
            self.parts += [head.encode(), size, b"\r\n"]
        self.parts.append(b'--x\r\nContent-Disposition: form-data; name="word"\r\n\r\nhej\r\n--x--\r\n')
        self.length = sum(part if isinstance(part, int) else len(part) for part in self.parts)

    def readable(self):
        return True

    def read(self, size=-1):
        if not self.parts:
            return b""
        part = self.parts.pop(0)
        if isinstance(part, int):
            taken = min(part, size)
            if part > taken:
                self.parts.insert(0, part - taken)
            return b"a;b\n" * (taken // 4) + b"\n" * (taken % 4)
        if len(part) > size:
            self.parts.insert(0, part[size:])
        return part[:size]

    @property
    def environ(self):
        return {
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": "multipart/form-data; boundary=x",
            "CONTENT_LENGTH": str(self.length),
            "wsgi.input": self,
        }


@pytest.fixture(autouse=True)
def in_english():
    with override("en"):
        yield


def errors(request):
    form = OneFile(request.POST, request.FILES)
    form.is_valid()
    return form.errors.get("file", [])


def test_a_file_is_kept_with_its_name_and_what_stands_after_it_is_read():
    request = WSGIRequest(Body(3 * MEGABYTE).environ)

    assert errors(request) == []
    assert (request.FILES["file"].name, request.FILES["file"].size) == ("utbud <å> & 'b'.csv", 3 * MEGABYTE)
    assert len(request.FILES["file"].read()) == 3 * MEGABYTE
    assert request.POST["word"] == "hej"


def test_200_megabytes_are_counted_but_not_kept():
    request = WSGIRequest(Body(200 * MEGABYTE).environ)

    tracemalloc.start()
    said = errors(request)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert said == [
        "“utbud <å> & 'b'.csv”: The file is 200 MB, but may be at most 20 MB. Divide it, or take away what is not "
        "needed."
    ]
    assert peak < 45 * MEGABYTE
    assert (request.FILES["file"].size, request.FILES["file"].read()) == (200 * MEGABYTE, b"")
    assert request.POST["word"] == "hej"


def test_the_limit_is_for_all_files_of_a_request_together():
    request = WSGIRequest(Body(*[15 * MEGABYTE] * 4).environ)

    assert [len(file.read()) for file in request.FILES.getlist("file")] == [15 * MEGABYTE, 0, 0, 0]


@pytest.mark.django_db
def test_200_megabytes_to_the_page_are_told_at_the_field(client, owner):
    owner.language = "en"
    owner.save()
    client.force_login(owner)
    body = Body(200 * MEGABYTE)

    response = client.request(PATH_INFO="/program/rapportering/importera/", **body.environ)

    assert response.status_code == 200
    assert "“utbud &lt;å&gt; &amp; &#x27;b&#x27;.csv”: The file is 200 MB" in response.content.decode()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "“a.csv”: The file is empty. Save it with headings and rows, and send it again."),
        ("a.pdf", b"a", "“a.pdf”: The file is not a table. Choose a CSV file (.csv) or an Excel workbook (.xlsx)."),
        (
            "a.xlsm",
            b"a",
            "“a.xlsm”: The workbook can hold macros. Save it as an Excel workbook without macros (.xlsx).",
        ),
    ],
)
def test_a_file_that_can_be_no_table_is_told_at_once(name, content, message):
    assert OneFile({}, {"file": SimpleUploadedFile(name, content)}).errors["file"] == [message]


def test_no_file_is_told():
    assert OneFile({}, {}).errors["file"] == ["Choose a file: CSV (.csv) or an Excel workbook (.xlsx)."]
