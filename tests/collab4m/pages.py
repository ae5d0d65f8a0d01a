"""The frame's own addresses and those of log-in, met by every role."""

from tests.pages import Page

OPEN = {"anonymous": 200}
ONLY_STRANGERS = {"anonymous": 200}  # who is logged in is sent to the start page
ASKS_AGAIN = 302  # the password is asked for once more before one changes how one logs in

PAGES = [
    Page("start"),
    Page("search"),
    Page("search", query="?q=enk"),
    Page("set_language", method="post", data={"language": "en"}, everyone=302, draws=False),
    Page("kept", everyone=302, draws=False),  # drawn in test_kept and in the browser when something was kept
    Page("healthz", status=OPEN, draws=False),
    Page("readyz", everyone=503, status={"anonymous": 503}, draws=False),
    Page("account_login", everyone=302, status=ONLY_STRANGERS),
    Page("account_logout"),
    Page("account_inactive", status=OPEN),
    Page("account_signup", everyone=302, status=ONLY_STRANGERS),
    Page("account_reauthenticate"),
    Page("account_email"),
    Page("account_email_verification_sent", status=OPEN),
    Page("account_change_password"),
    Page("account_set_password", everyone=302, draws=False),
    Page("account_reset_password", status=OPEN),
    Page("account_reset_password_done", status=OPEN),
    Page("account_reset_password_from_key", args=lambda: ["1", "no-such-key"], status=OPEN),
    Page("account_reset_password_from_key_done", status=OPEN),
    Page("account_confirm_email", args=lambda: ["no-such-key"], status=OPEN),
    Page("account_confirm_login_code", everyone=302, draws=False),
    Page("mfa_index"),
    Page("mfa_authenticate", everyone=302, draws=False),
    Page("mfa_reauthenticate", everyone=302, draws=False),
    Page("mfa_activate_totp", everyone=ASKS_AGAIN),
    Page("mfa_deactivate_totp", everyone=404, draws=False),
    Page("mfa_view_recovery_codes", everyone=404, draws=False),
    Page("mfa_generate_recovery_codes", everyone=ASKS_AGAIN),
    Page("mfa_download_recovery_codes", everyone=404, draws=False),
    Page("mfa_list_webauthn"),
    Page("mfa_add_webauthn", everyone=ASKS_AGAIN),
    Page("mfa_reauthenticate_webauthn", everyone=302, draws=False),
    Page("mfa_remove_webauthn", args=lambda: [1], everyone=ASKS_AGAIN, draws=False),
    Page("mfa_edit_webauthn", args=lambda: [1], everyone=ASKS_AGAIN, draws=False),
    Page("mfa_login_webauthn", everyone=302, draws=False),
    Page("usersessions_list"),
]
