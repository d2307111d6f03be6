"""A plain step of DRIT. Source: Lee et al. 2018, section 3.2; mode seeking: Mao et al. 2019."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils import clip_grad_norm_
from torch.optim import Adam

from benchmarks.plain.adam import adam
from benchmarks.plain.adversarial import cross_entropy, cross_entropy_of_scales
from ugatit.methods import Batch, Networks, Optimizers
from ugatit.methods.drit import Parameters
from ugatit.nn.drit import Attribute

JUDGES = ("disc_a", "disc_b", "disc_a2", "disc_b2")


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """One Adam for each network, as the authors have it."""
    p = parameters.optimizer
    return {
        name: adam(p, [network], p.content_lr if name == "disc_content" else None)
        for name, network in networks.items()
    }


def step(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """Updates of the content discriminator, then of all networks on the last batch.

    Content encoder and generator take two steps. The second loss goes back through the graph of the first,
    which PyTorch refuses once weights have moved: so its gradients are taken before the first step.
    """
    content, attribute, gen = networks["content"], networks["attribute"], networks["gen"]
    weights = parameters.loss
    for batch_a, batch_b in batches[:-1]:
        with torch.no_grad():
            contents = content(batch_a[:1], "a"), content(batch_b[:1], "b")
        _teach_content(networks, optimizers, *contents, parameters.optimizer.content_clip)

    (real_a, real_a2), (real_b, real_b2) = (batch.split(1) for batch in batches[-1])
    content_a, content_b = content(real_a, "a"), content(real_b, "b")
    attribute_a, attribute_b = attribute(real_a, "a"), attribute(real_b, "b")
    code_a, code_b = attribute_a.sample(), attribute_b.sample()
    drawn = [torch.randn_like(code_a) for _ in range(2 if weights.mode_seeking > 0 else 1)]
    fake_a, fake_b = gen(content_b, code_a, "a"), gen(content_a, code_b, "b")
    same_a, same_b = gen(content_a, code_a, "a"), gen(content_b, code_b, "b")
    random_a = [gen(content_b, code, "a") for code in drawn]
    random_b = [gen(content_a, code, "b") for code in drawn]

    pairs = [("disc_a", real_a, fake_a), ("disc_b", real_b, fake_b)]
    pairs += [("disc_a2", real_a2, fake) for fake in random_a]
    pairs += [("disc_b2", real_b2, fake) for fake in random_b]
    disc_loss = torch.zeros((), dtype=real_a.dtype, device=real_a.device)
    for name, real, fake in pairs:
        disc_loss = disc_loss + cross_entropy_of_scales(networks[name](real), 1.0)
        disc_loss = disc_loss + cross_entropy_of_scales(networks[name](fake.detach()), 0.0)
    for name in JUDGES:
        optimizers[name].zero_grad()
    disc_loss.backward()
    for name in JUDGES:
        optimizers[name].step()
    clip = parameters.optimizer.content_clip
    _teach_content(networks, optimizers, content_a.detach(), content_b.detach(), clip)

    random_loss = torch.zeros_like(disc_loss)
    for domain, fakes in (("a", random_a), ("b", random_b)):
        for fake in fakes:
            judged = networks[f"disc_{domain}2"](fake)
            random_loss = random_loss + weights.random * cross_entropy_of_scales(judged, 1.0)
        found = attribute(fakes[0], domain).mean
        random_loss = random_loss + weights.code * F.l1_loss(found, drawn[0])
        if weights.mode_seeking > 0:
            ratio = F.l1_loss(fakes[1], fakes[0]) / F.l1_loss(drawn[1], drawn[0])
            random_loss = random_loss + weights.mode_seeking / (ratio + 1e-5)
    twice = [*content.parameters(), *gen.parameters()]
    random_gradients = torch.autograd.grad(random_loss, twice, retain_graph=True)

    back_a, back_b = content(fake_b, "b"), content(fake_a, "a")
    rec_a = gen(back_a, attribute(fake_a, "a").sample(), "a")
    rec_b = gen(back_b, attribute(fake_b, "b").sample(), "b")
    adversarial = cross_entropy_of_scales(networks["disc_a"](fake_a), 1.0)
    adversarial = adversarial + cross_entropy_of_scales(networks["disc_b"](fake_b), 1.0)
    confusion = cross_entropy(networks["disc_content"](content_a), 0.5)
    confusion = confusion + cross_entropy(networks["disc_content"](content_b), 0.5)
    gen_loss = weights.adversarial * adversarial + weights.content * confusion
    gen_loss = gen_loss + weights.cross_cycle * (F.l1_loss(rec_a, real_a) + F.l1_loss(rec_b, real_b))
    gen_loss = gen_loss + weights.reconstruction * (F.l1_loss(same_a, real_a) + F.l1_loss(same_b, real_b))
    gen_loss = gen_loss + weights.content_prior * ((content_a**2).mean() + (content_b**2).mean())
    gen_loss = gen_loss + weights.attribute_prior * (_prior(attribute_a) + _prior(attribute_b))
    for name in ("content", "attribute", "gen"):
        optimizers[name].zero_grad()
    gen_loss.backward()
    for name in ("content", "attribute", "gen"):
        optimizers[name].step()
    for weight, gradient in zip(twice, random_gradients, strict=True):
        weight.grad = gradient
    optimizers["content"].step()
    optimizers["gen"].step()
    totals = {"discriminator": disc_loss, "generator": gen_loss, "generator_random": random_loss}
    return {name: total.detach() for name, total in totals.items()}


def _teach_content(
    networks: Networks, optimizers: Optimizers, content_a: Tensor, content_b: Tensor, clip: float
) -> None:
    """One step of the content discriminator: contents of domain a are 0, of domain b 1."""
    judge = networks["disc_content"]
    loss = cross_entropy(judge(content_a), 0.0) + cross_entropy(judge(content_b), 1.0)
    optimizers["disc_content"].zero_grad()
    loss.backward()
    clip_grad_norm_(judge.parameters(), clip)
    optimizers["disc_content"].step()


def _prior(attribute: Attribute) -> Tensor:
    """The divergence of a distribution from N(0, I), or the mean square of a code."""
    mean, log_variance = attribute.mean, attribute.log_variance
    if log_variance is None:
        return (mean**2).mean()
    return -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum()
