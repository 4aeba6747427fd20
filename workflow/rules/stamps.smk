# Stamps of data sets that are there and verified.
import os
from pathlib import Path

from study.data.fetch import DOWNLOADS


def data_of(name):
    """What a training on a data set waits for; the shipped sample needs nothing. Its time says nothing of the digits."""
    return ancient(f"data/{name}.verified") if name in DOWNLOADS else []


def drop_stamps():
    """Delete the stamps of data sets of which a file is gone, as after a purge: they are fetched again."""
    for name, download in DOWNLOADS.items():
        if not all(os.path.exists(f"data/{name}/{file}") for file in download.files):
            Path(f"data/{name}.verified").unlink(missing_ok=True)
