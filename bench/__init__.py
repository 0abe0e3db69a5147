"""The figures of passrole beside its peers' and its budgets, all from one run: `make bench`.

It asserts nothing: a shared machine would make a timed test lie. One file per subject gives rows;
`measure.py` takes the times, `table.py` shows them, `server.py` runs what is measured from outside.
Everything listens on loopback, and everything that waits has a bound, so that the run ends by itself.
"""
