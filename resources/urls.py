"""Addresses of what is shared, and of bookings."""

from django.urls import path

from resources.views import (
    asking,
    blocking,
    bookings,
    deciding,
    feeds,
    finding,
    inventory,
    pictures,
    sharing,
    timelines,
    waiting,
)

urlpatterns = [
    # Finding
    path("resurser/", finding.resources, name="resources"),
    path("resurser/<int:pk>/", finding.resource, name="resource"),
    # Timeline
    path("resurser/tidslinje/", timelines.timeline, name="timeline"),
    # Sharing
    path("resurser/ny/", sharing.new, name="resource_new"),
    path("resurser/<int:pk>/delad/", sharing.shared, name="resource_shared"),
    path("resurser/<int:pk>/andra/", sharing.change, name="resource_change"),
    path("resurser/<int:pk>/oppettider/", sharing.opening, name="resource_opening"),
    path("resurser/<int:pk>/pris/", sharing.price, name="resource_price"),
    path("resurser/<int:pk>/exemplar/", sharing.units, name="resource_units"),
    path("resurser/<int:pk>/exemplar/<int:unit>/andra/", sharing.unit_change, name="unit_change"),
    path("resurser/<int:pk>/exemplar/<int:unit>/ta-bort/", sharing.unit_remove, name="unit_remove"),
    path("resurser/<int:pk>/sluta-dela/", sharing.retire, name="resource_retire"),
    path("resurser/stallforetradare/", sharing.deputies, name="deputies"),
    path("resurser/stallforetradare/<int:pk>/avsluta/", sharing.deputy_end, name="deputy_end"),
    # Pictures and inventories
    path("resurser/<int:pk>/bilder/", pictures.pictures, name="resource_pictures"),
    path("resurser/bilder/<int:pk>/", pictures.picture, name="picture"),
    path("resurser/bilder/<int:pk>/andra/", pictures.picture_change, name="picture_change"),
    path("resurser/bilder/<int:pk>/flytta/", pictures.picture_move, name="picture_move"),
    path("resurser/bilder/<int:pk>/ta-bort/", pictures.picture_remove, name="picture_remove"),
    path("resurser/las-in/", inventory.inventory_import, name="inventory_import"),
    path("resurser/las-in/mall/<file_kind:kind>/", inventory.inventory_template, name="inventory_template"),
    path("resurser/fil/<file_kind:kind>/", inventory.inventory_file, name="inventory_file"),
    # Asking
    path("resurser/<int:pk>/boka/", asking.booking_new, name="booking_new"),
    path("resurser/bokningar/", bookings.bookings, name="bookings"),
    path("resurser/bokningar/<int:pk>/", bookings.booking, name="booking"),
    path("resurser/bokningar/<int:pk>/andra/", bookings.booking_change, name="booking_change"),
    path("resurser/bokningar/<int:pk>/avboka/", bookings.booking_cancel, name="booking_cancel"),
    path("resurser/bokningar/<int:pk>/svara/", bookings.booking_answer, name="booking_answer"),
    path("resurser/bokningar/<int:pk>/behall/", bookings.booking_keep, name="booking_keep"),
    # Deciding, blocking, waiting
    path("resurser/att-besluta/", deciding.to_decide, name="to_decide"),
    path("resurser/bokningar/<int:pk>/godkann/", deciding.booking_approve, name="booking_approve"),
    path("resurser/bokningar/<int:pk>/avsla/", deciding.booking_decline, name="booking_decline"),
    path("resurser/bokningar/<int:pk>/fraga/", deciding.booking_ask, name="booking_ask"),
    path("resurser/bokningar/<int:pk>/serie/", deciding.series_decide, name="series_decide"),
    path("resurser/<int:pk>/sparra/", blocking.resource_block, name="resource_block"),
    path("resurser/sparrar/<int:pk>/avsluta/", blocking.blocking_end, name="blocking_end"),
    path("resurser/vantelista/", waiting.waiting_list, name="waiting_list"),
    path("resurser/<int:pk>/vantelista/", waiting.wait, name="wait"),
    path("resurser/vantelista/<int:pk>/lamna/", waiting.waiting_leave, name="waiting_leave"),
    path("resurser/erbjudanden/<int:pk>/ta/", waiting.offer_accept, name="offer_accept"),
    # Calendars
    path("resurser/kalendrar/", feeds.feeds, name="feeds"),
    path("resurser/kalendrar/<int:pk>/ta-tillbaka/", feeds.feed_revoke, name="feed_revoke"),
    path("resurser/bokningar/<int:pk>.ics", feeds.booking_calendar, name="booking_calendar"),
    path("kalender/<str:secret>.ics", feeds.feed, name="feed"),
]
