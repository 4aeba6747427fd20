"""The transformer against torch.nn.TransformerEncoder."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch.nn import functional as F

from study.models import sites
from study.models.networks.patch_transformer import positions
from study.models.patch_transformer import PatchTransformer


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Torchs(nn.Module):
    """torch's pre-norm encoder on the same patches, its gains 1 and their biases 0."""

    def __init__(self, model: PatchTransformer, parameters: dict[str, Tensor]) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(
            model.width, model.heads, model.expansion * model.width, 0.0, F.gelu, norm_first=True, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, model.blocks, nn.LayerNorm(model.width), enable_nested_tensor=False)
        self.embed, self.output = nn.Linear(model.patch**2, model.width), nn.Linear(model.width, 10)
        self.patch, self.ours = model.patch, parameters
        with torch.no_grad():
            for number, block in enumerate(self.encoder.layers):
                self._fill(block, f"blocks.{number}.")
            for name in ("embed", "output"):
                getattr(self, name).weight.copy_(parameters[f"{name}.weight"])
                getattr(self, name).bias.copy_(parameters[f"{name}.bias"])

    def _fill(self, block: nn.TransformerEncoderLayer, prefix: str) -> None:
        for kind in ("weight", "bias"):
            attention = [self.ours[f"{prefix}{name}.{kind}"] for name in ("query", "key", "value")]
            getattr(block.self_attn, f"in_proj_{kind}").copy_(torch.cat(attention))
            for theirs, ours in ((block.self_attn.out_proj, "mix"), (block.linear1, "up"), (block.linear2, "down")):
                getattr(theirs, kind).copy_(self.ours[f"{prefix}{ours}.{kind}"])

    def forward(self, x: Tensor) -> Tensor:
        tokens = F.unfold(x.view(-1, 1, 28, 28), self.patch, stride=self.patch).mT
        h = self.embed(tokens)
        return self.output(self.encoder(h + positions(h.shape[1], h.shape[2])).mean(1))


@given(blocks=st.integers(1, 3), heads=st.integers(1, 3), patch=st.sampled_from([4, 7, 14]), seed=st.integers(0, 99))
@settings(max_examples=12)
def test_logits_and_gradients_are_those_of_torchs_encoder(blocks: int, heads: int, patch: int, seed: int) -> None:
    model = PatchTransformer(blocks=blocks, heads=heads, width=8 * heads, patch=patch)
    module = model.build(784, 10)
    parameters = model.initialise(module, random(seed))
    oracle = Torchs(model, parameters)
    x, labels = torch.randn(5, 784, generator=random(seed + 1)), torch.arange(5)
    torch.testing.assert_close(functional_call(module, parameters, (x,)), oracle(x), rtol=1e-4, atol=1e-5)
    gradient = grad(lambda p: F.cross_entropy(functional_call(module, p, (x,)), labels))(parameters)
    F.cross_entropy(oracle(x), labels).backward()
    torch.testing.assert_close(gradient["embed.weight"], oracle.embed.weight.grad, rtol=1e-3, atol=1e-5)
    for number, block in enumerate(oracle.encoder.layers):
        ours = torch.cat([gradient[f"blocks.{number}.{name}.weight"] for name in ("query", "key", "value")])
        torch.testing.assert_close(ours, block.self_attn.in_proj_weight.grad, rtol=1e-3, atol=1e-5)


def test_the_order_of_patches_counts_through_their_positions_alone() -> None:
    table = positions(16, 8)
    assert table.shape == (16, 8)
    torch.testing.assert_close(table[0], torch.tensor([0.0, 1.0] * 4))
    assert torch.pdist(table).min() > 0.1
    torch.testing.assert_close(table.square().sum(1), torch.full((16,), 4.0))


def test_there_is_a_site_after_each_block() -> None:
    module = PatchTransformer(blocks=2, width=16, heads=2, patch=7).build(784, 10)
    PatchTransformer(blocks=2, width=16, heads=2).initialise(module, random())
    assert list(sites(module, 5, 784).items()) == [
        ("input", (5, 784)),
        ("hidden0", (5, 16, 16)),
        ("hidden1", (5, 16, 16)),
    ]


def test_heads_must_share_the_width() -> None:
    with pytest.raises(ValidationError, match=r"must be a multiple of 6, twice the number of heads\. Got 64 instead"):
        PatchTransformer(heads=3)
