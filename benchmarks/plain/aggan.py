"""A plain step of AGGAN. Source: Mejjati et al. 2018, section 3 and algorithm 1."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.optim import Adam

from benchmarks.plain.adam import adam
from benchmarks.plain.adversarial import lsgan
from ugatit.methods import Batch, Networks, Optimizers
from ugatit.methods.aggan import Parameters

GENERATORS = {"a": ("gen_ba", "att_b"), "b": ("gen_ab", "att_a")}
"""What makes fakes of a domain: a generator, and the attention network of the other domain."""


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """An Adam for each generator with its attention network, and one for each discriminator."""
    adams = {}
    for domain, names in GENERATORS.items():
        adams[f"to_{domain}"] = adam(parameters.optimizer, [networks[name] for name in names])
        adams[f"disc_{domain}"] = adam(parameters.optimizer, [networks[f"disc_{domain}"]])
    return adams


def step(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """Both generators from one forward pass, then both discriminators; or in turn, as the authors do.

    An update takes gradients of its own weights only. From the second stage on, attention stays as it is, and
    discriminators see what is above the threshold, without normalising.
    """
    first_stage = progress <= parameters.attention_share
    threshold = 0.0 if first_stage else parameters.threshold
    real = dict(zip("ab", batches[0], strict=True))
    losses = {}

    def translate(picture: Tensor, target: str) -> tuple[Tensor, Tensor]:
        generator, attention = (networks[name] for name in GENERATORS[target])
        mask = attention(picture)
        return mask * generator(picture) + (1 - mask) * picture, mask

    def judge(domain: str, picture: Tensor, mask: Tensor, target: float) -> Tensor:
        seen = picture * (mask.detach() >= threshold).to(picture)
        return lsgan(networks[f"disc_{domain}"](seen, first_stage), target)

    for targets in ["ab"] if parameters.generator_update == "joint" else ["b", "a"]:
        learning = [name for domain in targets for name in GENERATORS[domain]]
        _train_only(networks, [name for name in learning if first_stage or name.startswith("gen_")])
        fake_b, mask_a = translate(real["a"], "b")
        fake_a, mask_b = translate(real["b"], "a")
        (rec_a, _), (rec_b, _) = translate(fake_b, "a"), translate(fake_a, "b")
        fake = {"a": fake_a, "b": fake_b}
        own_mask, fake_mask = {"a": mask_a, "b": mask_b}, {"a": mask_b, "b": mask_a}
        loss = losses["cycle"] = parameters.cycle * (
            F.l1_loss(rec_a, real["a"]) + F.l1_loss(rec_b, real["b"])
        )
        for domain in targets:
            losses[domain] = judge(domain, fake[domain], fake_mask[domain], 1.0)
            loss = loss + losses[domain]
            optimizers[f"to_{domain}"].zero_grad()
        loss.backward()
        for domain in targets:
            optimizers[f"to_{domain}"].step()

        _train_only(networks, [f"disc_{domain}" for domain in targets])
        for domain in targets:
            name = f"disc_{domain}"
            pooled = networks[f"pool_{domain}"](torch.cat([fake[domain], fake_mask[domain]], dim=1))
            on_real = judge(domain, real[domain], own_mask[domain], 1.0)
            on_fake = judge(domain, pooled[:, :3], pooled[:, 3:], 0.0)
            losses[name] = 0.5 * (on_real + on_fake)
            optimizers[name].zero_grad()
            losses[name].backward()
            optimizers[name].step()
    return {
        "generator": (losses["a"] + losses["b"] + losses["cycle"]).detach(),
        "discriminator": (losses["disc_a"] + losses["disc_b"]).detach(),
    }


def _train_only(networks: Networks, names: Sequence[str]) -> None:
    """Let some networks have gradients, and no others."""
    for name, network in networks.items():
        network.requires_grad_(name in names)
