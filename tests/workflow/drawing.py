"""Figures of a finished study drawn in the test's own process, where one takes a fraction of a job's time."""

import yaml

from study.config import variants
from study.config.read import parse
from study.figures import FIGURES
from study.figures._style import labels, style_for
from study.results import store
from study.results.terms import regime_phrases, samples_of
from tests.checkout import Checkout


def draw_every_figure(checkout: Checkout, text: str) -> set[str]:
    """Draw every figure whose tables the study of this text has, with its caption; return their names."""
    study = parse({key: value for key, value in yaml.safe_load(text).items() if key != "figures"})
    made = store.read_all([*checkout.results.glob("*.csv"), *checkout.results.glob("*.parquet")])
    able = {name for name, one in FIGURES.items() if made.keys() >= set(one.needs) and not study.lacks(name)}
    for name in able:
        figure = FIGURES[name]
        tables = figure.tables(made, [name for name, regime in study.regimes.items() if not regime.part_of])
        clips, regularizations = zip(
            *((v.clip_label, v.regularization_label) for v in variants.expand(study)), strict=True
        )
        shown = labels(tables, list(dict.fromkeys(clips)), list(dict.fromkeys(regularizations)))
        style = style_for(*shown, regime_phrases(study.regimes))
        figure.draw(tables, style, samples_of(study.regimes.values()))
        assert figure.caption(tables, study.scored_epoch)
    return able
