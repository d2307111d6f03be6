"""What stands behind a table cell, a figure or a run: code, parameters, data, versions, machine and time.

`trace.trace(target, data)` follows the small text files from a result to the raw pictures and compares the
hashes on the way; `text` and `crate` show what it found.
"""
