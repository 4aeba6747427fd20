"""Draw one figure from its tables, save it in every format, and write its caption."""

import sys

sys.stderr = open(snakemake.log[0], "w", buffering=1)  # noqa: SIM115

from pathlib import Path

from study.figures import FIGURES
from study.figures._style import labels, save, style_for
from study.results import store

figure = FIGURES[snakemake.wildcards.figure]
tables = figure.tables(store.read_all(snakemake.input.tables), snakemake.params.by_themselves)
shown = labels(tables, snakemake.params.clips, snakemake.params.regularizations)
style = style_for(*shown, snakemake.params.regimes)
save(figure.draw(tables, style, snakemake.params.samples), Path(snakemake.output.pdf).with_suffix(""))
Path(snakemake.output.caption).write_text(figure.caption(tables, snakemake.params.scored_at) + "\n", encoding="utf-8")
