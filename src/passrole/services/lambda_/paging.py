"""Lists of Lambda in pages: a marker holds the name or id after which a page begins."""

from passrole.services.lambda_ import refusals
from passrole.services.pages import Pages

PAGES = Pages("NextMarker", lambda _: refusals.invalid("Invalid marker"))
