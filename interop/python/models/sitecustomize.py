"""Tells pyarrow where S3 is: AWS_ENDPOINT_URL, which it does not read, unlike all else that uses AWS here.

datacontract reads what Athena wrote with it. Python runs this file before a program whose PYTHONPATH has its folder.
"""

import os

try:
    from pyarrow import fs
except ImportError:
    fs = None

if fs is not None and "AWS_ENDPOINT_URL" in os.environ:

    class S3FileSystem(fs.S3FileSystem):
        def __init__(self, **options):
            options.setdefault("endpoint_override", os.environ["AWS_ENDPOINT_URL"])
            super().__init__(**options)

    fs.S3FileSystem = S3FileSystem
