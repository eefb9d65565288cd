"""What a run is made of: frozen, checked once, JSON both ways."""

import dataclasses
import json
import os
import pathlib
from typing import Any, Self, TypeVar

from dcgan import files
from dcgan.errors import InputError

_Config = TypeVar("_Config")

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
STRATEGIES = ("one_device", "mirrored", "multiworker")
LOSSES = ("non_saturating", "least_squares", "hinge", "wasserstein")
SMOOTHABLE_LOSSES = ("non_saturating", "least_squares")
AUGMENTATIONS = ("color", "translation", "cutout")


def _expect_one_of(name: str, value: Any, choices: tuple[Any, ...]) -> None:
    if value not in choices:
        raise InputError(f"{name}: expected one of {', '.join(map(str, choices))}. Received: {value!r}")


def _expect_count(name: str, value: int) -> None:
    if value < 1:
        raise InputError(f"{name}: expected at least 1. Received: {value!r}")


def _expect_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f"{name}: expected {low:g} to {high:g}. Received: {value!r}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkConfig:
    """The shape of both networks; their depth follows from the image's size.

    Args:
        image_size: Side of the square images in pixels, a multiple of 4 from 28 to 128. Defaults to 28.
        channels: 1 (grey) or 3 (RGB). Defaults to 1.
        latent_dim: Size of the latent vector. Defaults to 100.
        generator_width: Channels of the generator's finest hidden feature map; they double with each
            halving of the size. Defaults to 64.
        discriminator_width: Channels of the discriminator's first feature map; they double with each
            halving of the size. Defaults to 64.
        max_width: Cap on the channels of any feature map. Defaults to 512.
        kernel_size: Side of the convolution kernels in pixels. Defaults to 5.
        mapping_units: Units of a dense layer between latents and stem, which lets small steps among the
            latents be large ones among images; 0 for none. Defaults to 0.
        stem_convolution: Whether the generator has a stride-1 convolution at its coarsest size.
            Defaults to True.
        head_width: Channels of one more stride-2 convolution at the discriminator's coarsest size; 0 for
            none. Defaults to 0.
        head_units: Units of a dense layer before the discriminator's logit; 0 for none. Defaults to 0.
        upsampling: "transpose" (strided transposed convolution), "nearest" or "bilinear" (resize, then
            convolution). Defaults to "transpose".
        generator_norm: "batch" or "none". Defaults to "batch".
        discriminator_norm: "batch" or "none". Defaults to "none".
        norm_momentum: How much of the moving statistics stays at each step, 0 to 1. Defaults to 0.99.
        negative_slope: LeakyReLU's slope below zero. Defaults to 0.3.
        dropout: Share of the discriminator's features dropped after each convolution, 0 to 1. Defaults
            to 0.3.
        initializer: "glorot_uniform" (Keras's default) or "normal" (standard deviation 0.02, the DCGAN
            paper's). Defaults to "glorot_uniform".

    Raises:
        InputError: If a value is not one of those.
    """

    image_size: int = 28
    channels: int = 1
    latent_dim: int = 100
    generator_width: int = 64
    discriminator_width: int = 64
    max_width: int = 512
    kernel_size: int = 5
    mapping_units: int = 0
    stem_convolution: bool = True
    head_width: int = 0
    head_units: int = 0
    upsampling: str = "transpose"
    generator_norm: str = "batch"
    discriminator_norm: str = "none"
    norm_momentum: float = 0.99
    negative_slope: float = 0.3
    dropout: float = 0.3
    initializer: str = "glorot_uniform"

    def __post_init__(self) -> None:
        """Checks every value."""
        if self.image_size % 4 or not 28 <= self.image_size <= 128:
            raise InputError(
                f"image_size: expected a multiple of 4 from 28 to 128. Received: {self.image_size!r}"
            )
        _expect_one_of("channels", self.channels, (1, 3))
        for name in ("latent_dim", "generator_width", "discriminator_width", "max_width"):
            _expect_count(name, getattr(self, name))
        for name in ("mapping_units", "head_width", "head_units"):
            if getattr(self, name) < 0:
                raise InputError(f"{name}: expected at least 0. Received: {getattr(self, name)!r}")
        _expect_count("kernel_size", self.kernel_size)
        _expect_one_of("upsampling", self.upsampling, ("transpose", "nearest", "bilinear"))
        _expect_one_of("generator_norm", self.generator_norm, ("batch", "none"))
        _expect_one_of("discriminator_norm", self.discriminator_norm, ("batch", "none"))
        _expect_one_of("initializer", self.initializer, ("glorot_uniform", "normal"))
        _expect_range("norm_momentum", self.norm_momentum, 0.0, 1.0)
        _expect_range("negative_slope", self.negative_slope, 0.0, 1.0)
        _expect_range("dropout", self.dropout, 0.0, 0.95)

    @property
    def doublings(self) -> int:
        """How often the coarsest feature map doubles to the image's size."""
        size, doublings = self.image_size, 0
        while size % 2 == 0 and size // 2 >= 4:
            size, doublings = size // 2, doublings + 1
        return doublings

    @property
    def base_size(self) -> int:
        """Side of the coarsest feature map in pixels, at least 4."""
        return self.image_size >> self.doublings


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How the two networks are trained.

    Args:
        batch_size: Images a step over all replicas together. Defaults to 256.
        epochs: Passes over the data. Defaults to 50.
        loss: A key of `dcgan.losses.LOSSES`. Defaults to "non_saturating".
        label_smoothing: How far below 1 the reals' target lies, 0 to 1. Defaults to 0.
        r1_gamma: Weight of the R1 penalty; 0 switches it off. Defaults to 0.
        r1_interval: Steps from one R1 penalty to the next. Defaults to 16.
        generator_learning_rate: Adam's step size, above 0. Defaults to 1e-4.
        discriminator_learning_rate: Adam's step size, above 0. Defaults to 1e-4.
        beta_1: Adam's decay of the gradient's mean, 0 to below 1. Defaults to 0.9.
        beta_2: Adam's decay of the squared gradient's mean, 0 to below 1. Defaults to 0.999.
        learning_rate_schedule: "constant", or "cosine" down to 0 over all epochs. Defaults to
            "constant".
        ema_decay: Decay of the generator's moving average that samples are drawn from, 0 to below
            1; 0 switches it off. Defaults to 0.
        augmentation: DiffAugment's policy: "color", "translation" and "cutout" joined by commas.
            Defaults to "", none.
        checkpoint_every: Epochs from one checkpoint to the next. Defaults to 5.
        evaluate_every: Epochs from one measurement of the samples' distance to the next. Defaults to 1.

    Raises:
        InputError: If a value is not one of those.
    """

    batch_size: int = 256
    epochs: int = 50
    loss: str = "non_saturating"
    label_smoothing: float = 0.0
    r1_gamma: float = 0.0
    r1_interval: int = 16
    generator_learning_rate: float = 1e-4
    discriminator_learning_rate: float = 1e-4
    beta_1: float = 0.9
    beta_2: float = 0.999
    learning_rate_schedule: str = "constant"
    ema_decay: float = 0.0
    augmentation: str = ""
    checkpoint_every: int = 5
    evaluate_every: int = 1

    def __post_init__(self) -> None:
        """Checks every value."""
        for name in ("batch_size", "epochs", "r1_interval", "checkpoint_every", "evaluate_every"):
            _expect_count(name, getattr(self, name))
        _expect_one_of("loss", self.loss, LOSSES)
        _expect_range("label_smoothing", self.label_smoothing, 0.0, 1.0)
        if self.label_smoothing and self.loss not in SMOOTHABLE_LOSSES:
            raise InputError(
                f"label_smoothing: expected 0 with the {self.loss} loss. "
                f"Received: {self.label_smoothing!r}"
            )
        for name in ("beta_1", "beta_2", "ema_decay"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name}: expected 0 to below 1. Received: {getattr(self, name)!r}")
        for name in ("generator_learning_rate", "discriminator_learning_rate"):
            if not 0 < getattr(self, name) < float("inf"):
                raise InputError(f"{name}: expected above 0. Received: {getattr(self, name)!r}")
        _expect_range("r1_gamma", self.r1_gamma, 0.0, 1e6)
        _expect_one_of("learning_rate_schedule", self.learning_rate_schedule, ("constant", "cosine"))
        names = {name.strip() for name in self.augmentation.split(",") if name.strip()}
        if not names <= set(AUGMENTATIONS):
            raise InputError(
                f"augmentation: expected any of {', '.join(AUGMENTATIONS)}, joined by commas. "
                f"Received: {self.augmentation!r}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides how a run ends; `config.json` in the run's directory.

    Args:
        preset: The preset that the values started from. Defaults to "mnist".
        data: A data set's name, or a file's or folder's path. Defaults to "mnist".
        split: Which part of it to train on, in TensorFlow Datasets' syntax. Defaults to "train".
        skip_bad: Whether image files that cannot be read are left out. Defaults to False.
        features: The feature extractor that samples are measured with: "auto" ("mnist" for MNIST,
            otherwise "random"), "none", or a name or file, see `dcgan.features.load`. Defaults to
            "auto".
        network: The networks' shape.
        training: How they are trained.
        precision: "float32", "mixed_bfloat16" or "mixed_float16". Defaults to "float32".
        strategy: "one_device", "mirrored" or "multiworker". Defaults to "one_device".
        seed: Of weights, latents, dropout and the order of images. Defaults to 0.

    Raises:
        InputError: If a value is not one of those, or two contradict each other.
    """

    preset: str = "mnist"
    data: str = "mnist"
    split: str = "train"
    skip_bad: bool = False
    features: str = "auto"
    network: NetworkConfig = NetworkConfig()
    training: TrainingConfig = TrainingConfig()
    precision: str = "float32"
    strategy: str = "one_device"
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks every value, and those that depend on each other."""
        _expect_one_of("precision", self.precision, PRECISIONS)
        _expect_one_of("strategy", self.strategy, STRATEGIES)
        if not 0 <= self.seed < 2**31:
            raise InputError(f"seed: expected 0 to {2**31 - 1}. Received: {self.seed!r}")
        if self.training.r1_gamma and self.network.discriminator_norm == "batch":
            raise InputError(
                "r1_gamma: expected 0 with discriminator_norm='batch', under which an image's own "
                f"gradient is not defined. Received: {self.training.r1_gamma!r}"
            )

    def to_json(self) -> str:
        """Returns the configuration as JSON text, one value a line."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, *, source: str = "configuration") -> Self:
        """Reads what `to_json` wrote; values left out take their defaults.

        Args:
            text: A JSON object.
            source: What errors name. Defaults to "configuration".

        Raises:
            InputError: If the text is no JSON object, or a key or value is not expected.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(f"{source}: expected JSON, found {error}") from None
        if not isinstance(values, dict):
            raise InputError(f"{source}: expected a JSON object of settings")
        try:
            return from_dict(cls, values)
        except InputError as error:
            raise InputError(f"{source}: {error}") from None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Reads a configuration file.

        Args:
            path: A file that `save` wrote.

        Raises:
            InputError: If the file cannot be read or holds something else.
        """
        try:
            text = pathlib.Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: expected a configuration file ({error})") from None
        return cls.from_json(text, source=str(path))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the configuration to a file, atomically."""
        files.write_text(path, self.to_json())


def from_dict(cls: type[_Config], values: dict[str, Any]) -> _Config:
    """Builds a configuration from plain values, nested ones from nested dictionaries.

    Args:
        cls: One of this module's classes.
        values: Field names and values; what is left out takes its default.

    Raises:
        InputError: If a key is unknown or a value is of the wrong kind or range.
    """
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - set(fields)):
        raise InputError(f"{', '.join(unknown)}: expected one of {', '.join(fields)}")
    return cls(**{name: _convert(fields[name], value) for name, value in values.items()})


def _convert(field: dataclasses.Field[Any], value: Any) -> Any:
    """Checks a plain value's type against a field's; whole numbers may stand for floats."""
    if dataclasses.is_dataclass(field.type):
        if not isinstance(value, dict):
            raise InputError(f"{field.name}: expected an object of settings. Received: {value!r}")
        return from_dict(field.type, value)  # type: ignore[arg-type]
    if field.type is float and type(value) is int:
        return float(value)
    if type(value) is not field.type:
        kind = getattr(field.type, "__name__", field.type)
        raise InputError(f"{field.name}: expected a value of type {kind}. Received: {value!r}")
    return value
