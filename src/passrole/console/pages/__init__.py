"""A file for each page: what it asks AWS, as the caller, and what its forms change."""
