"""Addresses of the catalogue, the offer, gaps, reporting, pupil flows and files on their way in."""

from django.urls import path, register_converter

from programmes.models.catalogue import PROGRAMME_CODE
from programmes.views import catalogue, files, flows, gaps, matrix, reporting


class ProgrammeCode:
    regex = PROGRAMME_CODE

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class FileKind:
    regex = "csv|xlsx"
    to_python = to_url = ProgrammeCode.to_python


register_converter(ProgrammeCode, "programme_code")
register_converter(FileKind, "file_kind")

urlpatterns = [
    path("program/", catalogue.programmes, name="programmes"),
    # The offer
    path("program/utbud/", matrix.matrix, name="matrix"),
    path("program/utbud/fil/<file_kind:kind>/", matrix.matrix_file, name="matrix_file"),
    path("program/saknas/", gaps.gaps, name="gaps"),
    path("program/saknas/fil/<file_kind:kind>/", gaps.gaps_file, name="gaps_file"),
    # Reporting
    path("program/rapportering/", reporting.reporting, name="reporting"),
    path("program/rapportering/sista-dag/", reporting.deadline, name="reporting_deadline"),
    path("program/rapportering/importera/", files.offerings_import, name="offerings_import"),
    path("program/rapportering/kommun/<int:pk>/<slug:school_year>/paminn/", reporting.remind, name="offering_remind"),
    path("program/rapportering/kommun/<int:pk>/<slug:school_year>/ingen-skola/", reporting.no_school, name="no_school"),
    path(
        "program/rapportering/kommun/<int:pk>/<slug:school_year>/ingen-skola/ta-tillbaka/",
        reporting.no_school_taken_back,
        name="no_school_taken_back",
    ),
    path("program/rapportering/<int:pk>/<slug:school_year>/", reporting.report, name="offering_report"),
    path("program/rapportering/<int:pk>/<slug:school_year>/andra/", reporting.change, name="offering_report_change"),
    # Pupil flows
    path("program/elevstrommar/", flows.flows, name="flows"),
    path("program/elevstrommar/fil/<file_kind:kind>/", flows.flows_file, name="flows_file"),
    path("program/elevstrommar/andra/", flows.change, name="flows_change"),
    path("program/elevstrommar/importera/", files.flows_import, name="flows_import"),
    # Files on their way in
    path("program/filer/<int:pk>/", files.file, name="file_import"),
    path("program/filer/<int:pk>/kolumner/", files.columns, name="file_columns"),
    path("program/filer/<int:pk>/bekrafta/", files.confirm, name="file_confirm"),
    path("program/filer/<int:pk>/kasta/", files.drop, name="file_drop"),
    # A programme
    path("program/<programme_code:code>/", catalogue.programme, name="programme"),
]
