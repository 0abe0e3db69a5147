"""The types of steps whose work is a job. A new one is a file here and a row in `table.py`."""
