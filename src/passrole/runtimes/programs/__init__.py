"""Programs that run inside a job's sandbox, under the user's interpreter, in the place of AWS's images.

Each is one file, run as `python /somewhere/script_mode.py`. It needs Python 3.8 and the standard library,
and imports nothing of passrole: the interpreter is the user's, and passrole is not installed there.
"""
