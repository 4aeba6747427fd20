"""A folder of pictures with a net, an optimizer and a metric of one's own, from docs/own.md to a ranking."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.checkout import Checkout
from tests.own_document import CODE, STUDY, draw

pytestmark = pytest.mark.workflow


def test_pictures_and_ones_own_code_come_to_a_ranking_and_edits_are_followed(fresh: Checkout) -> None:
    pictures, code = draw(fresh.root / "pictures"), fresh.root / "mine.py"
    code.write_text(CODE)
    plain = "  plain: {model: {name: mlp, hidden: [8]}, loss: cross_entropy, optimizer: {name: sgd, lr: 0.1}, "
    plain += "schedule: constant, metrics: [], regularizations: [none]}\n"
    text = STUDY.replace("name: mine\n", "name: smoke\nfigures: [gap_forest]\n").replace("seeds: 6", "seeds: 2")
    fresh.edit("config/smoke.yaml", lambda _: text.replace("{grid: [0.1, 1.0]}", "0.1") + plain)
    tables = [f"results/smoke/{name}" for name in ("runs.parquet", "comparisons.csv", "ranking.csv")]
    fresh.snakemake("--cores", "2", "--", *tables)
    runs = pd.read_parquet(fresh.results / "runs.parquet")
    own = runs[runs["regime"] == "trees"]
    assert own["best_validation_macro_f1"].between(0, 1).all()
    assert runs.loc[runs["regime"] == "plain", "test_macro_f1"].isna().all()
    compared = pd.read_csv(fresh.results / "comparisons.csv")
    assert set(compared.loc[compared["metric"] == "best_test_macro_f1", "regime"]) == {"trees"}
    assert {"global_norm", "dropout"} <= set(pd.read_csv(fresh.results / "ranking.csv")["method"])
    assert _to_train(fresh) == 0
    edited, trained = (len(list((fresh.results / "runs").glob(f"{of}/*/*/weights.parquet"))) for of in ("trees", "*"))
    code.write_text(CODE.replace("0.99 * m", "0.98 * m"))
    assert _to_train(fresh) == edited < trained, "the runs of the edited optimizer, and no others"
    code.write_text(CODE)
    one = pictures / "oak/000.png"
    Image.open(one).rotate(180).save(one)
    assert _to_train(fresh) == trained, "all that see the picture"


def _to_train(checkout: Checkout) -> int:
    """How many trainings a run would do."""
    printed = checkout.snakemake("--cores", "1", "--", "cost")
    return int(printed.partition("To do: ")[2].split()[0])


def test_an_empty_class_is_refused_with_its_line(fresh: Checkout) -> None:
    draw(fresh.root / "pictures", 20)
    (fresh.root / "pictures/yew").mkdir()
    (fresh.root / "mine.py").write_text(CODE)
    fresh.edit("config/smoke.yaml", lambda _: STUDY)
    printed = fresh.snakemake("-n", expect=1)
    line = Path(fresh.root / "config/smoke.yaml").read_text().splitlines().index(
        "  data: {name: trees, path: pictures, size: 28, test: 0.2, validation_size: 40}"
    )  # fmt: skip
    says = f"defaults.data.path (line {line + 1}): The 'path' parameter of data must have a picture in each sub-folder."
    assert f"{says} Got none in 'pictures/yew' instead." in printed
    assert "Traceback" not in printed
