"""The schema says what the API does, and the API does what the schema says."""

import json

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from rest_framework.throttling import UserRateThrottle
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from collab4m.wsgi import application
from organisations.operations import create_token
from tests.agreements.api_pages import with_agreements
from tests.factories import (
    BoardFactory,
    OfferingFactory,
    OfferingReportFactory,
    OrientationFactory,
    PupilFlowFactory,
    RoleFactory,
    SchoolFactory,
    SiteFactory,
)


def document(client):
    return json.loads(client.get("/api/v1/schema/").content)


def test_the_schema_is_public_and_valid(client, db):
    schema = document(client)

    assert schema["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(schema).validate()
    assert schema["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_the_schema_is_made_without_warnings(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yaml"))


def test_every_operation_may_answer_with_the_error_form(client, db):
    for path in document(client)["paths"].values():
        for operation in path.values():
            answer = operation["responses"]["default"]["content"]["application/json"]["schema"]
            assert answer == {"$ref": "#/components/schemas/Error"}


def test_the_docs_are_public_and_name_every_operation(client, db):
    page = client.get("/api/v1/docs/").content.decode()

    for path, methods in document(client)["paths"].items():
        for method in methods:
            assert f"<code>{method.upper()} {path}</code>" in page
    assert "curl -H" in page


@pytest.fixture
def api(area, home, neighbour, system_administrator):
    """The schema over WSGI, and the head of a request that may do everything."""
    for municipality in (home, neighbour):
        SchoolFactory(municipality=municipality).sites.add(SiteFactory(municipality=municipality))
        BoardFactory(municipality=municipality)
    report = OfferingReportFactory(school=home.schools.get())
    orientation = OrientationFactory()
    OfferingFactory(report=report, programme=orientation.programme, orientation=orientation)
    PupilFlowFactory(home=home, provider_municipality=neighbour)
    RoleFactory(kind="administrator", body=home.body, user=system_administrator)
    with_agreements(area, home, neighbour)
    RoleFactory(kind="council_member", area=home.memberships.get().area)
    _token, secret = create_token(system_administrator, name="Fuzz", may_write=True, by=system_administrator)
    # As Django's own test client does: the door would close the connection that holds the test's transaction.
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/v1/schema/", application), {"Authorization": f"Bearer {secret}"}
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
def test_whatever_is_sent_the_answer_is_as_the_schema_says(api, mode, monkeypatch):
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": None})
    schema, headers = api
    checks = [not_a_server_error, status_code_conformance, response_schema_conformance]
    bounded = settings(
        max_examples=12, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    tried = set()

    for operation in (result.ok() for result in schema.get_all_operations()):

        @bounded
        @given(case=operation.as_strategy(generation_mode=mode))
        def answers_as_described(case):
            tried.add(case.operation.label)
            case.call_and_validate(headers=headers, checks=checks)

        if mode is schemathesis.GenerationMode.POSITIVE or operation.body or list(operation.iter_parameters()):
            answers_as_described()

    assert len(tried) >= 30
