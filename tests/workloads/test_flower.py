"""The clips of clients' updates against Flower's, where it is installed (`pip install flwr==1.41.0`).

The lock does not have it: it wants an older `rich` than the study, and pip refuses its dependencies by their digests.
"""

import pytest
import torch
from test_server import ADAPTIVE, PARAMETERS, Z, updates

from study.clipping import Clipping
from study.training.server import Server, clipped_updates, of_updates
from study.workloads.federated import Federated

strategy = pytest.importorskip("flwr.serverapp.strategy", reason="flwr is not installed")
privacy = pytest.importorskip("flwr.supercore.differential_privacy", reason="flwr is not installed")


@pytest.mark.parametrize("clip", [{"name": "global_norm", "max_norm": 2.0}, ADAPTIVE], ids=["flat", "adaptive"])
def test_clipped_updates_are_those_of_flower(clip: dict[str, object]) -> None:
    """Flower's clients send weights: those of the server and their clipped update; here an update is w - w_k."""
    given, method = updates(9), Clipping.parse(clip)
    clipped, _ = clipped_updates(method, PARAMETERS, method.initial_state(PARAMETERS), given)
    cut = []
    for k in range(9):
        sent = [(p - given[key][k]).numpy() for key, p in PARAMETERS.items()]
        cut.append(privacy.compute_adaptive_clip_model_update(sent, [p.numpy() for p in PARAMETERS.values()], 2.0))
        for weights, (key, p) in zip(sent, PARAMETERS.items(), strict=True):
            torch.testing.assert_close(p - clipped[key][k], torch.as_tensor(weights), rtol=1e-5, atol=1e-6)
    assert 0 < sum(cut) < 9
    assert float(of_updates(given, clipped)["update_clipped"]) == pytest.approx(sum(cut) / 9)


def test_the_adaptive_bound_and_its_noise_are_those_of_flower() -> None:
    """Flower's rule is given the share of unclipped updates, as in the paper; its strategies give that of clipped."""
    flower = strategy.DifferentialPrivacyServerSideAdaptiveClipping(strategy.FedAvg(), Z, 9, 2.0, 0.3, 0.5)
    workload = Federated(clients=9, fraction=1.0, clip_at="update", noise_multiplier=Z)
    server = Server(workload, Clipping.parse(ADAPTIVE), [])
    state, zeros = server.initial_state(PARAMETERS), {key: torch.zeros_like(p) for key, p in PARAMETERS.items()}
    assert flower.clipped_count_stddev == pytest.approx(workload.count_std)
    for t in range(4):
        _, state, noted = server.round(PARAMETERS, state, updates(9, t), zeros, torch.tensor(0.0))
        std = privacy.compute_stdv(flower.noise_multiplier, flower.clipping_norm, 9)
        assert float(noted["update_noise"]) == pytest.approx(std, rel=1e-5)
        flower._geometric_update(1 - float(noted["update_clipped"]))
        assert float(state.clip["bound"]) == pytest.approx(flower.clipping_norm, rel=1e-5)
