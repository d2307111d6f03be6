"""A plain step of UNIT. Source: Liu et al. 2017, equations 3 to 7, with the terms of the 2018 code."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.optim import Adam

from benchmarks.plain.adam import adam
from benchmarks.plain.adversarial import lsgan_of_scales
from ugatit.methods import Batch, Networks, Optimizers
from ugatit.methods.unit import Parameters


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """One Adam for encoders and decoders, one for the discriminators."""
    translators = [networks[name] for name in ("enc_a", "gen_a", "enc_b", "gen_b")]
    return {
        "generators": adam(parameters.optimizer, translators),
        "discriminators": adam(parameters.optimizer, [networks["disc_a"], networks["disc_b"]]),
    }


def step(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """The discriminators' update with fakes of its own, then that of encoders and decoders."""
    real_a, real_b = batches[0]
    enc_a, enc_b, gen_a, gen_b = (networks[name] for name in ("enc_a", "enc_b", "gen_a", "gen_b"))
    disc_a, disc_b = networks["disc_a"], networks["disc_b"]
    weights = parameters.loss

    with torch.no_grad():
        latent_a, latent_b = enc_a(real_a), enc_b(real_b)
        fake_b = gen_b(latent_a + torch.randn_like(latent_a))
        fake_a = gen_a(latent_b + torch.randn_like(latent_b))
    disc_loss = lsgan_of_scales(disc_a(real_a), 1.0) + lsgan_of_scales(disc_a(fake_a), 0.0)
    disc_loss = disc_loss + lsgan_of_scales(disc_b(real_b), 1.0) + lsgan_of_scales(disc_b(fake_b), 0.0)
    disc_loss = weights.adversarial * disc_loss
    optimizers["discriminators"].zero_grad()
    disc_loss.backward()
    optimizers["discriminators"].step()

    latent_a, latent_b = enc_a(real_a), enc_b(real_b)
    noisy_a = latent_a + torch.randn_like(latent_a)
    noisy_b = latent_b + torch.randn_like(latent_b)
    rec_a, rec_b = gen_a(noisy_a), gen_b(noisy_b)
    fake_a, fake_b = gen_a(noisy_b), gen_b(noisy_a)
    back_a, back_b = enc_b(fake_b), enc_a(fake_a)
    cycle_a = gen_a(back_a + torch.randn_like(back_a))
    cycle_b = gen_b(back_b + torch.randn_like(back_b))
    adversarial = lsgan_of_scales(disc_a(fake_a), 1.0) + lsgan_of_scales(disc_b(fake_b), 1.0)
    gen_loss = weights.adversarial * adversarial
    gen_loss = gen_loss + weights.reconstruction * (F.l1_loss(rec_a, real_a) + F.l1_loss(rec_b, real_b))
    gen_loss = gen_loss + weights.cycle * (F.l1_loss(cycle_a, real_a) + F.l1_loss(cycle_b, real_b))
    gen_loss = gen_loss + weights.latent * ((latent_a**2).mean() + (latent_b**2).mean())
    gen_loss = gen_loss + weights.latent_cycle * ((back_a**2).mean() + (back_b**2).mean())
    optimizers["generators"].zero_grad()
    gen_loss.backward()
    optimizers["generators"].step()
    return {"discriminator": disc_loss.detach(), "generator": gen_loss.detach()}
