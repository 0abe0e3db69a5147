"""Lists of EMR Serverless in pages; a token names the last one of the page before."""

from passrole.services.emr_serverless import refusals
from passrole.services.pages import Pages

PAGE_ITEMS = 50
PAGES = Pages("nextToken", refusals.bad_token)
page = PAGES.listed
