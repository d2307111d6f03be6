"""A method's update and the plain step of it, timed in turn in one process."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ugatit.methods import Batch

FEWEST = 3
"""Pairs of steps that are timed, however long they take."""

TOLERANCE = 1e-3
"""Relative, of the first step's totals: float32 sums in another order, some after an update by such sums."""


@dataclass(frozen=True)
class Case:
    """A method at a size, and what both sides are given."""

    method: ModuleType
    parameters: Any
    px: int
    batches: list[Batch]
    given: dict[str, nn.Module]
    progress: float
    device: torch.device


@dataclass(frozen=True)
class Cost:
    """What a step of one side takes."""

    seconds: float  # the median
    tflop: float  # of convolutions and products, counted
    peak_mib: float | None  # on a GPU, of a process that has this side only


@dataclass(frozen=True)
class Comparison:
    """Both sides, and the ratio of their times, ours over plain: its median and quartiles over the pairs."""

    ours: Cost
    plain: Cost
    pairs: int
    ratio: float
    quartiles: tuple[float, float]


class Side:
    """One of two trainings that begin alike: with the method's own steps, or with plain ones."""

    def __init__(self, case: Case, plain: ModuleType | None) -> None:
        self.case = case
        self.networks = {
            name: network.to(case.device).train()
            for name, network in case.method.build(case.parameters, case.px, 0).items()
        }
        self.optimizers = (plain or case.method).optimizers(self.networks, case.parameters)
        self.update = plain.step if plain else case.method.update
        self.seconds: list[float] = []
        self.peak_bytes = 0

    def step(self) -> dict[str, Tensor]:
        """One step, on the same pictures and with the same random numbers each time."""
        case = self.case
        torch.manual_seed(0)
        totals: dict[str, Tensor] = self.update(
            self.networks | case.given, self.optimizers, case.batches, case.parameters, case.progress
        )
        return totals

    def measure(self, other: Side) -> float:
        """Take a step and note its seconds and memory, without what the other side holds; returns seconds."""
        gpu = self.case.device if self.case.device.type == "cuda" else None
        if gpu:
            torch.cuda.reset_peak_memory_stats(gpu)
            torch.cuda.synchronize(gpu)
        began = time.perf_counter()
        self.step()
        if gpu:
            torch.cuda.synchronize(gpu)
        self.seconds.append(time.perf_counter() - began)
        if gpu:
            held = torch.cuda.max_memory_allocated(gpu) - other.held_bytes()
            self.peak_bytes = max(self.peak_bytes, held)
        return self.seconds[-1]

    def held_bytes(self) -> int:
        """What networks, gradients and optimisers hold on the device between two steps."""
        weights = [w for network in self.networks.values() for w in network.parameters()]
        held = [*weights, *(w.grad for w in weights if w.grad is not None)]
        held += [buffer for network in self.networks.values() for buffer in network.buffers()]
        for optimizer in self.optimizers.values():
            held += [value for state in optimizer.state.values() for value in state.values()]
        return sum(t.numel() * t.element_size() for t in held if t.device.type == self.case.device.type)

    def cost(self, flop: int) -> Cost:
        """The measured steps in short."""
        return Cost(statistics.median(self.seconds), flop / 1e12, self.peak_bytes / 2**20 or None)


def compare(case: Case, plain: ModuleType, seconds: float) -> Comparison:
    """Time steps in pairs for so many seconds, after a first one that is counted and a second to warm up.

    Who begins a pair changes, so that neither side always finds the machine as the other leaves it.

    Raises: ValueError if the losses of the first step differ.
    """
    ours, theirs = sides = Side(case, None), Side(case, plain)
    flops = _check_first_step(ours, theirs)
    for side in sides:
        side.step()
    ratios: list[float] = []
    until = time.perf_counter() + seconds
    while len(ratios) < FEWEST or time.perf_counter() < until:
        if len(ratios) % 2:
            plain_s, ours_s = theirs.measure(ours), ours.measure(theirs)
        else:
            ours_s, plain_s = ours.measure(theirs), theirs.measure(ours)
        ratios.append(ours_s / plain_s)
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Comparison(ours.cost(flops[0]), theirs.cost(flops[1]), len(ratios), middle, (low, high))


def _check_first_step(ours: Side, plain: Side) -> tuple[int, int]:
    """Take a step on both sides and compare their losses; returns the operations of each.

    Raises: ValueError if they differ.
    """
    taken = []
    # Short of TF32, whose rounding would hide a difference.
    with torch.backends.cudnn.flags(allow_tf32=False, deterministic=True):
        for side in (ours, plain):
            with FlopCounterMode(display=False) as counter:
                totals = {name: float(total) for name, total in side.step().items()}
            taken.append((totals, int(counter.get_total_flops())))
    (found, our_flop), (expected, plain_flop) = taken
    for name, total in expected.items():
        if not abs(found[name] - total) <= TOLERANCE * abs(total):
            raise ValueError(f"first step: the loss {name} is {found[name]}, of the plain step {total}")
    return our_flop, plain_flop
