"""Addresses of the directory of who and where, and of people and their roles."""

from django.urls import path

from organisations.views import areas, bodies, municipalities, open_pages, people

urlpatterns = [
    # Areas and their members
    path("omraden/", areas.areas, name="areas"),
    path("omraden/nytt/", areas.area_new, name="area_new"),
    path("omraden/<slug:slug>/", areas.area, name="area"),
    path("omraden/<slug:slug>/andra/", areas.area_change, name="area_change"),
    path("omraden/<slug:slug>/medlemmar/ny/", areas.member_new, name="member_new"),
    path("omraden/<slug:slug>/medlemmar/<int:pk>/andra/", areas.member_change, name="member_change"),
    path("omraden/<slug:slug>/medlemmar/<int:pk>/avsluta/", areas.member_end, name="member_end"),
    # Municipalities and what they have
    path("kommuner/<int:pk>/", municipalities.municipality, name="municipality"),
    path("kommuner/<int:pk>/namnder/ny/", bodies.board_new, name="board_new"),
    path("kommuner/<int:pk>/skolor/ny/", bodies.school_new, name="school_new"),
    path("kommuner/<int:pk>/platser/ny/", bodies.site_new, name="site_new"),
    path("kommuner/<int:pk>/restider/ny/", municipalities.travel_time_new, name="travel_time_new"),
    path("restider/<int:pk>/andra/", municipalities.travel_time_change, name="travel_time_change"),
    path("kommuner/<int:pk>/kontakter/", municipalities.contacts_change, name="contacts_change"),
    path("kommuner/<int:pk>/lasar/<slug:school_year>/", municipalities.school_year_change, name="school_year_change"),
    path("namnder/<int:pk>/", bodies.board, name="board"),
    path("namnder/<int:pk>/andra/", bodies.board_change, name="board_change"),
    path("skolor/<int:pk>/", bodies.school, name="school"),
    path("skolor/<int:pk>/andra/", bodies.school_change, name="school_change"),
    path("platser/<int:pk>/", bodies.site, name="site"),
    path("platser/<int:pk>/andra/", bodies.site_change, name="site_change"),
    path("huvudman/ny/", bodies.provider_new, name="provider_new"),
    path("huvudman/<int:pk>/", bodies.provider, name="provider"),
    # Words, and what the law asks every service to tell
    path("ordlista/", open_pages.glossary, name="glossary"),
    path("tillganglighet/", open_pages.accessibility, name="accessibility"),
    path("personuppgifter/", open_pages.personal_data, name="personal_data"),
    path("kakor/", open_pages.cookies, name="cookies"),
    # People and roles
    path("personer/", people.people, name="people"),
    path("personer/bjud-in/", people.invite, name="invite"),
    path("personer/inbjudningar/<int:pk>/skicka/", people.invitation_resend, name="invitation_resend"),
    path("personer/inbjudningar/<int:pk>/aterkalla/", people.invitation_withdraw, name="invitation_withdraw"),
    path("personer/<int:pk>/", people.person, name="person"),
    path("personer/<int:pk>/roller/ny/", people.role_new, name="role_new"),
    path("personer/<int:pk>/ta-bort/", people.person_forget, name="person_forget"),
    path("roller/<int:pk>/avsluta/", people.role_end, name="role_end"),
    path("inbjudan/<str:token>/", people.invitation, name="invitation"),
    # Oneself
    path("konto/jag/", people.me, name="me"),
    path("konto/jag/nycklar/", people.tokens, name="tokens"),
    path("konto/jag/nycklar/<int:pk>/aterkalla/", people.token_revoke, name="token_revoke"),
]
