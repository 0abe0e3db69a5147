"""Lists of CloudWatch Logs in pages: a token holds the name of the last one of the page before.

The tokens of events are others (get_log_events.py): they have a direction, and they have no end.
"""

from passrole.services.logs import refusals
from passrole.services.pages import Pages

PAGES = Pages("nextToken", lambda _: refusals.invalid("The specified nextToken is invalid."))
