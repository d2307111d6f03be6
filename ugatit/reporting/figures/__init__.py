"""One file per kind of figure; a kind is found by its file's name.

Each file defines

- `Entry`, a `ugatit.params.Figure` with what an entry of that kind says beside `kind` and `caption`;
- `Settings`, all that drawing needs beside the files: a strict model that is written as JSON;
- `needs(params, entry)`, the files that it shows, as `ugatit.reporting.figure.Need`: what the tables plan is
  made for it, other files are shown if they are there;
- `settings(params, entry)`, the `Settings`;
- `draw(settings, command)`, a matplotlib figure; `command(target)` is what to type for a missing file.
"""
