"""The layers that pictures pass in a network, recorded while it runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ugatit.nn.normalization import DecoderNorm
from ugatit.nn.spectral_norm import SpectralScale

CONVOLUTIONS = {"conv2d": "conv", "conv_transpose2d": "transposed conv"}
ARGUMENTS = ("input", "weight", "bias", "stride", "padding")

ACTIVATIONS = {
    "relu": "ReLU", "leaky_relu": "LeakyReLU", "tanh": "tanh", "sigmoid": "sigmoid", "elu": "ELU",
    "prelu": "PReLU", "gelu": "GELU", "silu": "SiLU", "softmax": "softmax",
}  # fmt: skip
NORMS = {"instance_norm": "IN", "batch_norm": "BN", "layer_norm": "LN", "group_norm": "GN"}
POOLS = {
    "avg_pool2d": "average pool", "max_pool2d": "max pool", "adaptive_avg_pool2d": "average pool",
    "adaptive_max_pool2d": "max pool", "mean": "average pool", "amax": "max pool",
}  # fmt: skip
PADDING_MODES = {"constant": "zero"}

NORM_CLASS = re.compile(r"Norm(\dd)?$")
NORM_CLASSES = {
    "InstanceNorm2d": "IN", "BatchNorm2d": "BN", "LayerNorm": "LN", "GroupNorm": "GN",
}  # fmt: skip

UNUSED = "not run"
"""Stands for the parameters that took no part."""


@dataclass
class Layer:
    """A convolution or linear map, what is done to its input, and what follows it up to the next one."""

    path: str
    """Name of its module in the network."""
    operation: str
    kernel: str = ""
    stride: str = ""
    padding: str = ""
    followed_by: list[str] = field(default_factory=list)
    output: tuple[int, ...] = ()
    """Shape without the batch: (C, H, W), or (C,)."""
    parameters: int = 0
    """Of the layer and of the normalisation that follows it, each counted where it is first used."""


def record_layers(network: nn.Module, run: Callable[[], object]) -> list[Layer]:
    """Run something that calls a network, and tell the layers of its first call, in order.

    All parameters are counted once: those of no recorded layer stand in a last line of their own. Tensors
    that only have a shape (torch's fake tensors) will do.

    Returns: an empty list if the network was not called.
    """
    recorder = _Recorder(network)
    with ExitStack() as stack:
        for path, module in network.named_modules():
            if "parametrizations" in path.split("."):
                continue
            enter = module.register_forward_pre_hook(partial(recorder.enter, path))
            leave = module.register_forward_hook(partial(recorder.leave, path))
            stack.callback(enter.remove)
            stack.callback(leave.remove)
        with recorder:
            run()
    if recorder.layers and recorder.waiting:
        rest = sum(recorder.waiting.values())
        recorder.layers.append(Layer(UNUSED, "", parameters=rest))
    return recorder.layers


class _Recorder(TorchFunctionMode):
    """Sees every function of tensors while it is entered; `leave` of the whole network ends the record."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.names = {id(parameter): name for name, parameter in network.named_parameters()}
        self.waiting = {name: parameter.numel() for name, parameter in network.named_parameters()}
        self.layers: list[Layer] = []
        self.stack: list[str] = []
        self.in_norm = 0
        self.done = False
        self.before: list[str] = []
        self.pads: list[str] = []
        self.computed: dict[str, Layer] = {}
        """By module: its last layer whose weight is no parameter but made of some."""

    def enter(self, path: str, module: nn.Module, _inputs: object) -> None:
        """Remember which module runs; a normalisation is named once, whatever it computes."""
        if self.done:
            return
        self.stack.append(path)
        if _is_norm(module):
            if not self.in_norm:
                self._follow(_norm_name(module))
            self.in_norm += 1

    def leave(self, path: str, module: nn.Module, _inputs: object, _output: object) -> None:
        """Count the parameters that the module used without passing them to a layer's function."""
        if self.done:
            return
        self.stack.pop()
        self.in_norm -= _is_norm(module)
        layer = self.computed.pop(path, None)
        prefix = f"{path}." if path else ""
        if layer is not None:
            owners = [name for name in self.waiting if name.startswith(prefix)]
            if owners:
                largest = max(owners, key=self.waiting.__getitem__)
                layer.path = largest.rpartition(".")[0].partition(".parametrizations")[0]
            self._count(layer, owners)
        elif self.layers:
            own = [prefix + name for name, _ in module.named_parameters(recurse=False)]
            self._count(self.layers[-1], [name for name in own if name in self.waiting])
        self.done = not path

    def __torch_function__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Note what concerns the layers; compute as always."""
        given = kwargs or {}
        result = func(*args, **given)
        if self.stack and not self.done and not self.in_norm:
            self._note(getattr(func, "__name__", "").rstrip("_"), args, given, result)
        return result

    def _note(self, name: str, args: tuple[Any, ...], given: Mapping[str, Any], result: Any) -> None:
        """One call of a function."""
        x = args[0] if args else given.get("input")
        if not isinstance(x, Tensor):
            return
        maps = x.ndim == 4 and id(x) not in self.names
        if name in CONVOLUTIONS or name == "linear":
            self._add_layer(name, dict(zip(ARGUMENTS, args, strict=False)) | dict(given), result)
        elif name in ACTIVATIONS:
            slope = args[1] if len(args) > 1 else given.get("negative_slope")
            self._follow(f"{ACTIVATIONS[name]} {slope}" if name == "leaky_relu" else ACTIVATIONS[name])
        elif name in NORMS:
            self._follow(NORMS[name])
        elif name == "pad":
            self.pads.append(_pad_text(args[1], given.get("mode", "constant")))
        elif name in POOLS and maps and _over_positions(name, args, given):
            self.before.append(POOLS[name])
        elif name == "flatten" and maps:
            self.before.append("flatten")
        elif name == "interpolate" and maps:
            self.before.append(f"{given.get('mode', 'nearest')} × {result.shape[-1] / x.shape[-1]:g}")
        elif name == "add" and maps and isinstance(args[1], Tensor) and args[1].shape == x.shape:
            self._follow("sum")

    def _add_layer(self, name: str, given: Mapping[str, Any], result: Tensor) -> None:
        """A layer's own function."""
        weight = given["weight"]
        parameter = self.names.get(id(weight))
        path = self.stack[-1] if parameter is None else parameter.rpartition(".")[0]
        module = self.network.get_submodule(path)
        kind = CONVOLUTIONS.get(name, "linear")
        spectral = "SN " if _is_spectral(module) else ""
        layer = Layer(path, ", ".join([*self.before, spectral + kind]), output=tuple(result.shape[1:]))
        if name in CONVOLUTIONS:
            layer.kernel = _pair(weight.shape[2:])
            layer.stride = _pair(given.get("stride", 1))
            own = _pair(given.get("padding", 0))
            layer.padding = ", ".join([*self.pads, *([] if own == "0" else [f"zero {own}"])]) or "0"
        self.before, self.pads = [], []
        self.layers.append(layer)
        if parameter is None:
            self.computed[self.stack[-1]] = layer
        bias = self.names.get(id(given.get("bias")))
        self._count(layer, [name for name in (parameter, bias) if name in self.waiting])

    def _follow(self, what: str) -> None:
        """Something that comes after the last layer, if there is one."""
        if self.layers:
            self.layers[-1].followed_by.append(what)

    def _count(self, layer: Layer, names: Iterable[str | None]) -> None:
        """Add parameters to a layer's, each once."""
        layer.parameters += sum(self.waiting.pop(name) for name in names if name is not None)


def _is_norm(module: nn.Module) -> bool:
    """Whether a module normalises features, as its class's name says."""
    return bool(NORM_CLASS.search(type(module).__name__)) and not list(module.children())


def _norm_name(module: nn.Module) -> str:
    """The paper's name of a normalisation; LIN is AdaLIN with a scale and shift of its own."""
    if isinstance(module, DecoderNorm):
        adaptive = not hasattr(module, "gamma")
        names = {"adalin": "AdaLIN" if adaptive else "LIN", "in": "AdaIN" if adaptive else "IN"}
        return names.get(module.kind, module.kind.upper())
    return NORM_CLASSES.get(type(module).__name__, type(module).__name__)


def _is_spectral(module: nn.Module) -> bool:
    """Whether a layer's weight is divided by its spectral norm."""
    return isinstance(module, SpectralScale) or hasattr(module, "parametrizations")


def _over_positions(name: str, args: tuple[Any, ...], given: Mapping[str, Any]) -> bool:
    """Whether a pool reduces height and width; means over other dimensions are no layers."""
    dims = args[1] if len(args) > 1 else given.get("dim")
    return "pool" in name or dims in ((2, 3), [2, 3], (-2, -1), [-2, -1])


def _pair(sizes: Any) -> str:
    """One number, or two if they differ."""
    sides = [sizes] if isinstance(sizes, int | str) else list(dict.fromkeys(sizes))
    return " × ".join(map(str, sides))


def _pad_text(sides: tuple[int, ...], mode: str) -> str:
    """The width of a padding, or before/after, with its kind."""
    before, after = set(sides[::2]), set(sides[1::2])
    if len(before) == len(after) == 1:
        width = "/".join(map(str, dict.fromkeys([*before, *after])))
    else:
        width = " ".join(map(str, sides))
    return f"{PADDING_MODES.get(mode, mode)} {width}"
