"""A plain step of U-GAT-IT. Source: section 2.2, equations 2 to 6; targets as in the authors' code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.optim import Adam

from benchmarks.plain.adversarial import cross_entropy, lsgan
from ugatit.methods import Batch, Networks, Optimizers
from ugatit.methods.ugatit import Parameters

SCALES = ("global", "local")


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """One Adam for both generators, one for the four discriminators."""
    p = parameters.optimizer

    def adam(prefix: str) -> Adam:
        weights = [w for name, net in networks.items() if name.startswith(prefix) for w in net.parameters()]
        kernels = [w for w in weights if w.ndim > 1 or p.decay_scope == "all"]
        others = [w for w in weights if not (w.ndim > 1 or p.decay_scope == "all")]
        groups: list[dict[str, Any]] = [
            {"params": kernels, "weight_decay": p.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        return Adam([group for group in groups if group["params"]], lr=p.lr, betas=(p.beta1, p.beta2))

    return {"generators": adam("gen_"), "discriminators": adam("disc_")}


def step(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """The discriminators' update with fakes of its own, the generators', and rho back into [0, 1].

    For models whose networks all have a classifier.
    """
    gen_ab, gen_ba = networks["gen_ab"], networks["gen_ba"]
    weights = parameters.loss

    real_a, real_b = batches[0]
    with torch.no_grad():
        fakes = {"a": gen_ba(real_b).picture, "b": gen_ab(real_a).picture}
    disc_loss = torch.zeros((), dtype=real_a.dtype, device=real_a.device)
    for domain, real in (("a", real_a), ("b", real_b)):
        for scale in SCALES:
            judge = networks[f"disc_{domain}_{scale}"]
            on_real, on_fake = judge(real), judge(fakes[domain])
            disc_loss = disc_loss + lsgan(on_real.patches, 1.0) + lsgan(on_real.cam_logits, 1.0)
            disc_loss = disc_loss + lsgan(on_fake.patches, 0.0) + lsgan(on_fake.cam_logits, 0.0)
    disc_loss = weights.adversarial * disc_loss
    optimizers["discriminators"].zero_grad()
    disc_loss.backward()
    optimizers["discriminators"].step()

    real_a, real_b = batches[-1]
    to_b, to_a = gen_ab(real_a), gen_ba(real_b)
    rec_a, rec_b = gen_ba(to_b.picture).picture, gen_ab(to_a.picture).picture
    same_a, same_b = gen_ba(real_a), gen_ab(real_b)
    cycle = F.l1_loss(rec_a, real_a) + F.l1_loss(rec_b, real_b)
    identity = F.l1_loss(same_a.picture, real_a) + F.l1_loss(same_b.picture, real_b)
    cam = cross_entropy(to_b.cam_logits, 1.0) + cross_entropy(same_b.cam_logits, 0.0)
    cam = cam + cross_entropy(to_a.cam_logits, 1.0) + cross_entropy(same_a.cam_logits, 0.0)
    gen_loss = weights.cycle * cycle + weights.identity * identity + weights.cam * cam
    for domain, fake in (("a", to_a.picture), ("b", to_b.picture)):
        for scale in SCALES:
            judged = networks[f"disc_{domain}_{scale}"](fake)
            adversarial = lsgan(judged.patches, 1.0) + lsgan(judged.cam_logits, 1.0)
            gen_loss = gen_loss + weights.adversarial * adversarial
    optimizers["generators"].zero_grad()
    gen_loss.backward()
    optimizers["generators"].step()
    for generator in (gen_ab, gen_ba):
        for name, weight in generator.named_parameters():
            if name.endswith(".rho"):
                weight.data.clamp_(0, 1)
    return {"discriminator": disc_loss.detach(), "generator": gen_loss.detach()}
