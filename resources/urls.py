"""Addresses of what is shared, and of bookings."""

from django.urls import path

from resources.views import bookings, finding

urlpatterns = [
    # Finding
    path("resurser/", finding.resources, name="resources"),
    path("resurser/<int:pk>/", finding.resource, name="resource"),
    # Timeline
    # Sharing
    # Pictures and inventories
    # Asking
    path("resurser/bokningar/<int:pk>/", bookings.booking, name="booking"),
    # Deciding, blocking, waiting
    # Calendars
]
