"""Documents: content without looks, checked and hashed, and the files made of it. See docs/documents.md.

Nothing here knows a table of the database; `records.operations.versions` makes content and files final.
"""
