"""Commands about permissions: check, explain, and those of policies.

What they compute is in `needs` and `policy`; here are the options, where policies come from, and the reports.
"""
