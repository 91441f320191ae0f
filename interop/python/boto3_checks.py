"""Checks of the local mesh through boto3: what is answered, and what is refused
with which error. Run by the Go tests of the folder above."""

import expect
from checks import accounts, catalog, lake, sharing, storage, tables

for section in (accounts, catalog, lake, sharing, storage, tables):
    section.run()
expect.finish()
