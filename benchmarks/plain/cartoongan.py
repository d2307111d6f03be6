"""A plain step of CartoonGAN. Source: Chen et al. 2018, equations 1 to 6."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.optim import Adam

from benchmarks.plain.adam import adam
from benchmarks.plain.adversarial import cross_entropy, lsgan
from ugatit.methods import Batch, Networks, Optimizers
from ugatit.methods.cartoongan import Parameters


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """An Adam for the generator in each phase, and one for the discriminator."""
    source, target = parameters.direction[0], parameters.direction[-1]
    generator = networks[f"gen_{source}{target}"]
    return {
        "initial": adam(parameters.optimizer, [generator], parameters.initial.lr),
        "generator": adam(parameters.optimizer, [generator]),
        "discriminator": adam(parameters.optimizer, [networks[f"disc_{target}"]]),
    }


def step(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """The generator's initial training, or the discriminator's update and then the generator's.

    The generator's update takes no gradients of the discriminator's weights; the fake is that of one forward
    pass.
    """
    photo, cartoon, smoothed = batches[0]
    source, target = parameters.direction[0], parameters.direction[-1]
    generator, judge = networks[f"gen_{source}{target}"], networks[f"disc_{target}"]
    adversarial = lsgan if parameters.adversarial == "lsgan" else cross_entropy

    def content(fake: Tensor) -> Tensor:
        if parameters.content.features == "pixel":
            return parameters.content.weight * F.l1_loss(fake, photo)
        with torch.no_grad():
            wanted = networks["vgg"](photo)
        return parameters.content.weight * F.l1_loss(networks["vgg"](fake), wanted)

    fake = generator(photo)
    if progress <= parameters.initial.share:
        done, full = progress / parameters.initial.share, parameters.initial.full_rate
        for group in optimizers["initial"].param_groups:
            group["lr"] *= 1.0 if done <= full else (1 - done) / (1 - full)
        gen_loss = content(fake)
        optimizers["initial"].zero_grad()
        gen_loss.backward()
        optimizers["initial"].step()
        return {"generator": gen_loss.detach()}

    pooled = networks[f"pool_{target}"](fake.detach()[None])[0]
    disc_loss = adversarial(judge(cartoon), 1.0) + adversarial(judge(smoothed), 0.0)
    disc_loss = disc_loss + adversarial(judge(pooled), 0.0)
    optimizers["discriminator"].zero_grad()
    disc_loss.backward()
    optimizers["discriminator"].step()

    judge.requires_grad_(False)
    gen_loss = adversarial(judge(fake), 1.0) + content(fake)
    optimizers["generator"].zero_grad()
    gen_loss.backward()
    optimizers["generator"].step()
    judge.requires_grad_(True)
    return {"discriminator": disc_loss.detach(), "generator": gen_loss.detach()}
