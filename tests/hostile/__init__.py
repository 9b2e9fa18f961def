"""A corpus of hostile and broken model files, each with what must be said of it.

`python -m hostile FOLDER`, run in `tests`, writes them all.
"""
