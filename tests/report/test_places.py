"""Regimes are named in words where a person reads, and once as in the configuration."""

from study.config.read import parse
from study.report.places import clips_in, regime_words, regularizers_in

SAMPLE = {"name": "mnist-sample", "train_size": 100, "validation_size": 50}
CLIPS = ["none", {"name": "global_norm", "max_norm": 0.1}]


def test_names_of_regimes_sweeps_and_points() -> None:
    swept = {"data": SAMPLE, "batch_size": 50, "sweep": {"optimizer.lr": [0.1, 3.0]}, "clips": CLIPS}
    study = parse({"name": "s", "regimes": {"high_rate": {"data": SAMPLE, "batch_size": 50}, "map": swept}})
    assert regime_words(study) == {
        "high_rate": "*high rate*",
        "map": "*map*",
        "map_lr=0.1": "*map, learning rate 0.1*",
        "map_lr=3": "*map, learning rate 3*",
    }


def test_methods_of_a_regime_are_told_as_elsewhere() -> None:
    both = [{"name": "dropout", "p": 0.5}, {"name": "l2", "strength": 0.01}]
    regime = {"data": SAMPLE, "batch_size": 50, "clips": CLIPS, "regularizations": ["none", both]}
    (found,) = parse({"name": "s", "regimes": {"a": regime}}).regimes.values()
    assert clips_in(found) == "no clip; clip to norm 0.1"
    assert regularizers_in(found) == "no regularizer; dropout 0.5 + L2, lambda 0.01"
