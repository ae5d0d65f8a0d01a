"""What the clock starts."""

from celery import shared_task

from agreements import operations
from records.tasks import waits_for_the_database


@shared_task(ignore_result=True)
@waits_for_the_database
def call_signing_service() -> None:
    """Have the worker speak to the signing service, if a signature is asked for there."""
    operations.order_service_calls()


@shared_task(ignore_result=True)
@waits_for_the_database
def remind() -> None:
    """Tell the parties of what is coming, once each."""
    operations.remind_due()
