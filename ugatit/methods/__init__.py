"""One file per method; a method is found by its file's name.

Each file defines

- `Parameters`, a strict pydantic model of its numbers, and `NUMERICS`, the version of its arithmetic;
- `traits(parameters)`, what it asks of the loop and offers to others;
- `check_training(parameters, training)`, which refuses sizes and lengths that it does not allow;
- `build(parameters, image_px, seed)`, the networks by name; those called `disc_...` judge, and are not needed
  to translate; those without parameters are state that is kept while training lasts;
- `optimizers(networks, parameters)`, the optimisers by name;
- `update(networks, optimizers, batches, parameters, progress)`, one step, returning the named loss terms;
- `translate(networks, pictures, direction, codes)`, of pictures alone and in evaluation mode;
- `given(parameters)`, networks whose weights come from `traits.files` and stay as they are, if there are any;
- `attend(networks, pictures, direction)`, the maps named by `traits.attention`, if there are any;
- `classify(networks, seen, name, direction)`, the logit (N,) of the classifier in the network of a map, for
  the maps named by `traits.classified`;
- `watch(networks)`, numbers for the log that are no losses, if `traits.watched`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.optim import Optimizer

from ugatit.datasets import DIRECTIONS, Direction

Networks = Mapping[str, nn.Module]
Optimizers = Mapping[str, Optimizer]
Stream = Literal["a", "b", "edges_a", "edges_b"]
"""What batches are made of: training pictures of domain a, of domain b, and of each with smoothed edges."""

Batch = tuple[Tensor, ...]
"""One tensor for each stream, (N, 3, H, W) in [-1, 1]: real_a, real_b, and what else the method asks for."""

JUDGES = "disc_"
"""How the names of networks begin that are not needed to translate."""

SOURCE_MAP = "generator"
"""The map of the source picture; all others are of its translation (D28)."""

__all__ = ["JUDGES", "SOURCE_MAP", "Batch", "Direction", "Networks", "Optimizers", "Stream", "Traits"]


@dataclass(frozen=True)
class Traits:
    """What a method with certain parameters asks for and offers."""

    draws: int = 1
    """Batches that one step takes."""
    streams: tuple[Stream, ...] = ("a", "b")
    """What each batch has."""
    directions: tuple[Direction, ...] = DIRECTIONS
    """Directions that one training gives."""
    files: tuple[str, ...] = ()
    """Files of weights that training needs, relative to the repository's root."""
    random_codes: bool = False
    """Whether a translation draws a random code."""
    attention: tuple[str, ...] = ()
    """Names of the attention maps, each (N, 1, h, w)."""
    classified: tuple[str, ...] = ()
    """Names of those maps whose network has a classifier of the pictures that it sees."""
    watched: bool = False
    """Whether there are numbers for the log that are no losses."""
    shared: bool = False
    """Whether processes can share a batch: a loss is a mean over pictures, none of which sees the others or
    what is drawn or kept."""
