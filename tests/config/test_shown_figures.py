"""Which figures a study's report shows without a list of them: those that tell something."""

from study.config.read import parse


def test_a_figure_that_would_say_nothing_is_shown_only_where_it_is_listed() -> None:
    clips = {
        "clips": ["none", {"name": "value", "bound": 1}],
        "regularizations": ["none", {"name": "l2", "strength": 1}],
    }
    alone = parse({"name": "few", "defaults": {"grid": "alone"}, "regimes": {"one": clips}})
    assert parse({"name": "few", "regimes": {"one": clips}}).shows("heatmap")
    assert not alone.shows("heatmap"), "no clip meets a regularizer there"
    assert not parse({"name": "few", "regimes": {"one": {**clips, "regularizations": ["none"]}}}).shows("heatmap")
    assert alone.model_copy(update={"figures": ("heatmap",)}).shows("heatmap")
    assert alone.shows("ranking")


def test_a_map_of_rates_is_told_where_a_sweep_of_them_has_clips_at_thresholds() -> None:
    norms = [{"name": "global_norm", "max_norm": c} for c in (0.1, 1.0)]
    rates, warm = {"optimizer.lr": [0.1, 1.0]}, {"schedule.warmup": [0, 9]}
    for clips, sweep, told in ((norms, rates, True), (norms[:1], rates, False), (norms, {**rates, **warm}, False)):
        regime = {"clips": ["none", *clips], "sweep": sweep}
        assert parse({"name": "few", "regimes": {"one": regime}}).shows("lr_map") is told
