"""Checks of the local mesh through boto3: what is answered, and what is refused
with which error. Run by the Go tests of the folder above."""

import expect
from checks import accounts, catalog, lake, schedules, sharing, storage, tables

for section in (accounts, catalog, lake, sharing, storage, tables, schedules):
    section.run()
expect.finish()
