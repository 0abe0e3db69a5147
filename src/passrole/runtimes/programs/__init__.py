"""Programs that run inside a job's sandbox, under the user's interpreter, in the place of AWS's images.

Each is run as `python /somewhere/script_mode.py`, with this folder as it is. They need Python 3.8 and the
standard library, and import nothing of passrole: the interpreter is the user's, and passrole is not installed
there.
"""
