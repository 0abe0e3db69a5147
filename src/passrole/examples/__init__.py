"""Four pipelines that `passrole demo` runs: each a folder with its definition, its code and a program.

The programs are clients as anybody writes them: they know boto3 and nothing of passrole but what stands here.
"""
