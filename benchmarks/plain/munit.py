"""A plain step of MUNIT. Source: Huang et al. 2018, section 4, equations 1 to 5."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.optim import Adam

from benchmarks.plain.adam import adam
from benchmarks.plain.adversarial import lsgan_of_scales
from ugatit.methods import Batch, Networks, Optimizers
from ugatit.methods.munit import Parameters


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """One Adam for encoders and decoders, one for the discriminators."""
    translators = [networks[f"{part}_{domain}"] for domain in "ab" for part in ("content", "style", "gen")]
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
    """The discriminators' update with fakes and styles of its own, then that of encoders and decoders."""
    real_a, real_b = batches[0]
    encode_a, encode_b = networks["content_a"], networks["content_b"]
    find_a, find_b, gen_a, gen_b = (networks[name] for name in ("style_a", "style_b", "gen_a", "gen_b"))
    disc_a, disc_b = networks["disc_a"], networks["disc_b"]
    weights = parameters.loss
    codes = (len(real_a), parameters.network.style_size)

    with torch.no_grad():
        drawn_a, drawn_b = (torch.randn(codes, dtype=x.dtype, device=x.device) for x in (real_a, real_b))
        fake_a, fake_b = gen_a(encode_b(real_b), drawn_a), gen_b(encode_a(real_a), drawn_b)
    disc_loss = lsgan_of_scales(disc_a(real_a), 1.0) + lsgan_of_scales(disc_a(fake_a), 0.0)
    disc_loss = disc_loss + lsgan_of_scales(disc_b(real_b), 1.0) + lsgan_of_scales(disc_b(fake_b), 0.0)
    disc_loss = weights.adversarial * disc_loss
    optimizers["discriminators"].zero_grad()
    disc_loss.backward()
    optimizers["discriminators"].step()

    drawn_a, drawn_b = (torch.randn(codes, dtype=x.dtype, device=x.device) for x in (real_a, real_b))
    content_a, content_b = encode_a(real_a), encode_b(real_b)
    style_a, style_b = find_a(real_a), find_b(real_b)
    rec_a, rec_b = gen_a(content_a, style_a), gen_b(content_b, style_b)
    fake_a, fake_b = gen_a(content_b, drawn_a), gen_b(content_a, drawn_b)
    back_a, back_b = encode_b(fake_b), encode_a(fake_a)
    adversarial = lsgan_of_scales(disc_a(fake_a), 1.0) + lsgan_of_scales(disc_b(fake_b), 1.0)
    gen_loss = weights.adversarial * adversarial
    gen_loss = gen_loss + weights.reconstruction * (F.l1_loss(rec_a, real_a) + F.l1_loss(rec_b, real_b))
    gen_loss = gen_loss + weights.style * F.l1_loss(find_a(fake_a), drawn_a)
    gen_loss = gen_loss + weights.style * F.l1_loss(find_b(fake_b), drawn_b)
    gen_loss = gen_loss + weights.content * (F.l1_loss(back_a, content_a) + F.l1_loss(back_b, content_b))
    if weights.cycle > 0:
        gen_loss = gen_loss + weights.cycle * F.l1_loss(gen_a(back_a, style_a), real_a)
        gen_loss = gen_loss + weights.cycle * F.l1_loss(gen_b(back_b, style_b), real_b)
    optimizers["generators"].zero_grad()
    gen_loss.backward()
    optimizers["generators"].step()
    return {"discriminator": disc_loss.detach(), "generator": gen_loss.detach()}
