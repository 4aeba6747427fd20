"""Variants and runs have an identity; blocks of seeds train what is new and nothing else."""

from typing import Any, Literal

import pytest
from cases import CLIP_MODES, REGULARIZATION_MODES, SMALL, variant
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from study.config.read import parse
from study.config.variants import Block, RunSpec, Variant, blocks_named, expand, missing_from, plan_blocks
from study.optim.metrics import Metric


class FirstClass(Metric):
    """Mean output of the first class."""

    name: Literal["first_class"] = "first_class"

    def value(self, logits: Tensor, labels: Tensor) -> Tensor:
        return logits[:, 0].mean()


CHANGED: dict[str, Any] = {
    "regime": "another",
    "workload": {"name": "federated", "clients": 10},
    "data": {**SMALL["data"], "label_noise": 0.1},
    "model": {**SMALL["model"], "activation": "tanh"},
    "loss": "squared_error",
    "optimizer": {**SMALL["optimizer"], "momentum": 0.1},
    "schedule": "cosine",
    "epochs": 3,
    "batch_size": 10,
    "clip": {"name": "global_norm", "max_norm": 0.5000001},
    "regularization": {"name": "l2", "strength": 0},
    "statistics": {**SMALL["statistics"], "probes": 3},
    "metrics": ["first_class"],
    "device": "cuda",
    "folds": 5,
    "tuned": {"trials": 5},
}


def test_digest_changes_with_each_field() -> None:
    assert set(CHANGED) == set(Variant.model_fields)
    digests = {variant(**{field: value}).digest for field, value in CHANGED.items()}
    assert len(digests | {variant().digest}) == len(CHANGED) + 1


def test_digest_is_the_same_in_every_process() -> None:
    """Pinned: another digest means that every run stored so far would be trained again."""
    assert variant().digest == "2a9f212c874acd853357a10c5736a64e775e9f742f14332bfcee288011135f8d"
    assert RunSpec(variant(), 3).digest == "a9b0055ee0010cf8c679a52b4b94fc54e8b056fd2ea84317b281138994d9c43d"


def test_digest_does_not_see_how_a_value_was_written() -> None:
    text = variant(clip={"max_norm": "5e-1", "name": "global_norm", "order": 2}, epochs="2", regularization=["none"])
    assert text == variant()
    assert text.digest == variant().digest


@given(st.lists(st.integers(0, 10**6), unique=True, min_size=2, max_size=20))
def test_digests_of_runs_are_unique(seeds: list[int]) -> None:
    runs = [RunSpec(v, seed) for v in (variant(), variant(epochs=3)) for seed in seeds]
    assert len({run.digest for run in runs}) == len(runs)


@pytest.mark.parametrize("make", CLIP_MODES.values(), ids=CLIP_MODES)
def test_json_round_trip_keeps_clipping_and_digest(make: Any) -> None:
    v = variant(clip=make(0.1 + 0.2))
    back = Variant.model_validate_json(v.model_dump_json())
    assert (back, back.digest, back.slug) == (v, v.digest, v.slug)


@pytest.mark.parametrize("make", REGULARIZATION_MODES.values(), ids=REGULARIZATION_MODES)
def test_json_round_trip_keeps_regularizations_and_digest(make: Any) -> None:
    one, other = make(0.1 + 0.2), variant(regularization={"name": "l2", "strength": 0.25}).regularization[0]
    for several in ([one], [one, other] if one.name not in ("none", "l2") else [other]):
        v = variant(regularization=several)
        back = Variant.model_validate_json(v.model_dump_json())
        assert (back, back.digest, back.regularization_label) == (v, v.digest, v.regularization_label)


def test_labels_and_slug() -> None:
    v = variant(regularization=[{"name": "dropout", "p": 0.5}, {"name": "l2", "strength": 1e-3}])
    assert (v.clip_label, v.regularization_label) == ("global_norm(0.5)", "dropout(0.5) + l2(0.001)")
    assert v.slug == f"global_norm-0.5+dropout-0.5+l2-0.001-{v.digest[:10]}"
    assert variant(clip="none").slug.startswith("none+none-")


def test_steps_drop_the_last_incomplete_batch() -> None:
    assert variant(epochs=3, batch_size=30).steps == 3 * (100 // 30)


def test_expand_crosses_clips_and_regularizations_in_every_regime() -> None:
    clips = ["none", {"name": "value", "bound": 0.1}, {"name": "global_norm", "max_norm": 1}]
    regimes = {
        "one": {"clips": clips, "regularizations": ["none", {"name": "l1", "strength": 0.1}], "epochs": 3},
        "two": {"optimizer": "adam", "loss": "squared_error", "batch_size": 7},
    }
    raw = {"name": "a", "regimes": regimes, "statistics": {"probes": 4}, "device": "cpu"}
    variants = expand(parse(raw))
    assert len(variants) == 3 * 2 + 1
    assert [(v.regime, v.clip_label, v.regularization_label) for v in variants[:3]] == [
        ("one", "none", "none"), ("one", "none", "l1(0.1)"), ("one", "value(0.1)", "none"),
    ]  # fmt: skip
    assert {(v.epochs, v.optimizer.name) for v in variants[:6]} == {(3, "sgd")}
    two = variants[6]
    assert (two.regime, two.optimizer.name, two.loss.name, two.batch_size) == ("two", "adam", "squared_error", 7)
    assert {(v.statistics.probes, v.device) for v in variants} == {(4, "cpu")}
    assert len({v.slug for v in variants}) == len(variants)


SEEDS = st.sets(st.integers(0, 40), min_size=1, max_size=20)
BLOCKS = SEEDS.map(lambda seeds: Block(tuple(sorted(seeds))))


@given(BLOCKS)
def test_block_is_read_back_from_its_name(block: Block) -> None:
    assert Block.parse(block.name) == block
    assert not set(block.name) - set("0123456789-_")


@pytest.mark.parametrize(
    ("seeds", "name"),
    [((0,), "0"), ((0, 1), "0-1"), (tuple(range(10)), "0-9"), ((7, 0, 1, 2), "0-2_7"), ((1, 3, 5), "1_3_5")],
)
def test_block_names(seeds: tuple[int, ...], name: str) -> None:
    assert Block(seeds).name == name


@pytest.mark.parametrize("name", ["", "x", "0-", "-1", "1__2", "1-x", "a-b", "3-1", "01", "2_0", "1_2", "5-5"])
def test_what_is_no_block_raises(name: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Block.parse(name)


@given(seeds=SEEDS, done=st.lists(BLOCKS, max_size=5), size=st.integers(1, 12))
def test_a_plan_covers_the_seeds_and_trains_no_more_than_it_must(seeds: set[int], done: list[Block], size: int) -> None:
    plan = plan_blocks(sorted(seeds), done, size)
    old, new = [b for b in plan if b in done], [b for b in plan if b not in done]
    trained = [seed for block in new for seed in block.seeds]
    assert missing_from(seeds, plan) == set()
    assert sorted(trained) == sorted(missing_from(seeds, done)), "new blocks: each missing seed once, nothing else"
    assert all(len(block.seeds) <= size for block in new)
    assert len(new) == -(-len(trained) // size), "as few jobs as the size allows"
    assert all(seeds.intersection(block.seeds) for block in old), "no block that helps nothing"
    assert len(plan) == len(set(plan))


@given(seeds=SEEDS, size=st.integers(1, 12), more=SEEDS)
def test_more_seeds_train_only_the_new_ones(seeds: set[int], size: int, more: set[int]) -> None:
    before = plan_blocks(sorted(seeds), [], size)
    after = plan_blocks(sorted(seeds | more), before, size)
    assert set(before) <= set(after)
    assert {s for b in after if b not in before for s in b.seeds} == more - seeds


@given(seeds=SEEDS, size=st.integers(1, 12), data=st.data())
def test_fewer_seeds_train_nothing(seeds: set[int], size: int, data: st.DataObject) -> None:
    before = plan_blocks(sorted(seeds), [], size)
    fewer = data.draw(st.sets(st.sampled_from(sorted(seeds)), min_size=1))
    assert set(plan_blocks(sorted(fewer), before, size)) <= set(before)


@given(st.lists(st.tuples(SEEDS, st.integers(1, 12)), max_size=5))
def test_whatever_is_asked_in_turn_no_seed_is_trained_twice(asked: list[tuple[set[int], int]]) -> None:
    done: list[Block] = []
    for seeds, size in asked:
        done += [block for block in plan_blocks(sorted(seeds), done, size) if block not in done]
    trained = [seed for block in done for seed in block.seeds]
    assert sorted(trained) == sorted(set().union(*(seeds for seeds, _ in asked)))


@given(seeds=SEEDS, size=st.integers(1, 12))
def test_the_plan_does_not_depend_on_the_order_of_the_seeds(seeds: set[int], size: int) -> None:
    assert plan_blocks(sorted(seeds), [], size) == plan_blocks(sorted(seeds, reverse=True), [], size)


def test_folders_that_are_no_blocks_are_passed_over() -> None:
    assert blocks_named(["0-2", "0-2 (copy)", "5", "05"]) == [Block((0, 1, 2)), Block((5,))]
