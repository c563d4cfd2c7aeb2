"""
What the commands do, for the command line, a console or a script: each function takes values and returns a value.

    stream = Parts(load()[0])
    print(rewind(stream, "2026-11-22T12:12:00Z", dry_run=True).text())

Every result has ``text()`` for a person and ``values`` for JSON.
"""
