"""What the clock starts."""

from celery import shared_task

from records.tasks import waits_for_the_database
from reports import operations


@shared_task(ignore_result=True)
@waits_for_the_database
def make_due_reports() -> None:
    """Order the reports that are due and not made."""
    operations.order_due_reports()
