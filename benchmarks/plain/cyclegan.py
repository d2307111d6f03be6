"""A plain step of CycleGAN. Source: Zhu et al. 2017, equations 1 to 3, sections 4 and 5.2."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.optim import Adam

from benchmarks.plain.adam import adam
from benchmarks.plain.adversarial import lsgan
from ugatit.methods import Batch, Networks, Optimizers
from ugatit.methods.cyclegan import Parameters


def optimizers(networks: Networks, parameters: Parameters) -> dict[str, Adam]:
    """One Adam for both generators, one for both discriminators."""
    return {
        "generators": adam(parameters.optimizer, [networks["gen_ab"], networks["gen_ba"]]),
        "discriminators": adam(parameters.optimizer, [networks["disc_a"], networks["disc_b"]]),
    }


def step(
    networks: Networks,
    optimizers: Optimizers,
    batches: Sequence[Batch],
    parameters: Parameters,
    progress: float,
) -> dict[str, Tensor]:
    """The generators' update with frozen discriminators, then theirs, with the same fakes or older ones."""
    real_a, real_b = batches[0]
    gen_ab, gen_ba, disc_a, disc_b = (networks[name] for name in ("gen_ab", "gen_ba", "disc_a", "disc_b"))
    weights = parameters.loss

    disc_a.requires_grad_(False)
    disc_b.requires_grad_(False)
    fake_b, fake_a = gen_ab(real_a), gen_ba(real_b)
    rec_a, rec_b = gen_ba(fake_b), gen_ab(fake_a)
    gen_loss = lsgan(disc_a(fake_a), 1.0) + lsgan(disc_b(fake_b), 1.0)
    gen_loss = gen_loss + weights.cycle * (F.l1_loss(rec_a, real_a) + F.l1_loss(rec_b, real_b))
    if weights.identity > 0:
        identity = F.l1_loss(gen_ba(real_a), real_a) + F.l1_loss(gen_ab(real_b), real_b)
        gen_loss = gen_loss + weights.identity * weights.cycle * identity
    optimizers["generators"].zero_grad()
    gen_loss.backward()
    optimizers["generators"].step()

    disc_a.requires_grad_(True)
    disc_b.requires_grad_(True)
    pooled_a, pooled_b = networks["pool_a"](fake_a.detach()), networks["pool_b"](fake_b.detach())
    loss_a = 0.5 * (lsgan(disc_a(real_a), 1.0) + lsgan(disc_a(pooled_a), 0.0))
    loss_b = 0.5 * (lsgan(disc_b(real_b), 1.0) + lsgan(disc_b(pooled_b), 0.0))
    optimizers["discriminators"].zero_grad()
    loss_a.backward()
    loss_b.backward()
    optimizers["discriminators"].step()
    return {"generator": gen_loss.detach(), "discriminator": (loss_a + loss_b).detach()}
