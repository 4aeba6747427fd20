"""Snakemake, with Ctrl-C answered from its first moment: `python workflow/start.py` and the arguments of snakemake.

Started by its own command it takes a second or more to load itself, before anything of a workflow is read.
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from study.jobs.interrupt import end_quietly

    end_quietly()
    sys.argv[0] = "snakemake"
    runpy.run_module("snakemake", run_name="__main__")
