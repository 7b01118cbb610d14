"""Records what the program answers, byte for byte, so that code can be moved without any answer changing.

    python -m tests.recorded digests        writes digests.json anew: what is answered now is right
    python -m tests.recorded compare        exit code 1 and the names of what differs from these digests
    python -m tests.recorded write FOLDER   every recorded byte as a file, to see with `diff -r` how two trees differ

Words after it take only groups whose names begin with one of them: `compare answers/rules help`. About 5,000 claims go
in, and what comes out of the HTTP API and of the command line is recorded: answers, explanations, look-ups, batches, a
back-test, OpenAPI and every `--help`. Only `program.py` imports the package; it alone follows a move.
"""
