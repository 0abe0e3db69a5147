"""Lists of EventBridge Scheduler in pages: a token names the last one of the page before."""

from passrole.services.pages import Pages
from passrole.services.scheduler import refusals

PAGE_ITEMS = 100
PAGES = Pages("NextToken", lambda _: refusals.invalid("Invalid NextToken."))
