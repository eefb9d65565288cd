"""What a run is made of."""

import enum
import math

from dcgan import schema
from dcgan.errors import InputError
from dcgan.schema import above, any_of, at_least, between, either, field, multiple_of, one_of

PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
STRATEGIES = ("one_device", "mirrored", "multiworker")


class Loss(enum.StrEnum):
    """The adversarial losses, see `dcgan.losses`."""

    NON_SATURATING = enum.auto()
    LEAST_SQUARES = enum.auto()
    HINGE = enum.auto()
    WASSERSTEIN = enum.auto()
    RELATIVISTIC = enum.auto()


class Augmentation(enum.StrEnum):
    """DiffAugment's distortions, see `dcgan.augmentation`."""

    COLOR = enum.auto()
    TRANSLATION = enum.auto()
    CUTOUT = enum.auto()


# The augmentation whose strength follows the training.
ADAPTIVE = "ada"

# Those with a target to smooth.
SMOOTHABLE_LOSSES = (Loss.NON_SATURATING.value, Loss.LEAST_SQUARES.value)


class NetworkConfig(schema.Config):
    """The shape of both networks; their depth follows from the image's size.

    Example:
        >>> config = dcgan.NetworkConfig(image_size=64, channels=3, dropout=0.0)
        >>> config.sizes
        (64, 32, 16, 8)
    """

    image_size: int = field(
        "Side of the square images in pixels.", multiple_of(4, between(16, 256)), default=28
    )
    channels: int = field("Channels of the images: grey or RGB.", one_of(1, 3), default=1)
    classes: int = field(
        "Classes of a class-conditional GAN, which --conditional takes from the data's labels; 0 for an "
        "unconditional one.",
        at_least(0),
        default=0,
    )
    latent_dim: int = field("Size of the latent vector.", at_least(1), default=100)
    generator_width: int = field(
        "Channels of the generator's finest hidden feature map; each halving of the size doubles them.",
        at_least(1),
        default=64,
    )
    discriminator_width: int = field(
        "Channels of the discriminator's first feature map; each halving of the size doubles them.",
        at_least(1),
        default=64,
    )
    max_width: int = field("Most channels of any feature map.", at_least(1), default=512)
    kernel_size: int = field("Side of the convolution kernels in pixels.", at_least(1), default=5)
    coarsest_size: int = field(
        "Feature maps are halved as long as they keep this many pixels a side.",
        between(1, 8),
        default=7,
    )
    mapping_units: int = field(
        "Units of a dense layer between the latents and the stem, which lets small steps among latents "
        "be large ones among images; 0 for no such layer.",
        at_least(0),
        default=0,
    )
    stem_convolution: bool = field(
        "Whether the generator has a stride-1 convolution at its coarsest size.", default=True
    )
    head_units: int = field(
        "Units of a dense layer before the discriminator's logit; 0 for none.", at_least(0), default=0
    )
    upsampling: str = field(
        "How the generator doubles the size: a strided transposed convolution, or a nearest-neighbour "
        "or bilinear resize before a convolution.",
        one_of("transpose", "nearest", "bilinear"),
        default="transpose",
    )
    smoothing: bool = field(
        "Whether the generator smooths its feature maps after each doubling, against a grid.",
        default=False,
    )
    generator_blocks: int = field(
        "Residual convolutions of 3 pixels after each doubling in the generator.",
        between(0, 8),
        default=0,
    )
    generator_norm: str = field(
        "Normalization in the generator.", one_of("batch", "none"), default="batch"
    )
    discriminator_norm: str = field(
        "Normalization in the discriminator.", one_of("batch", "none"), default="none"
    )
    norm_momentum: float = field(
        "Share of the moving statistics that each step keeps.", between(0, 1), default=0.99
    )
    negative_slope: float = field("LeakyReLU's slope below zero.", between(0, 1), default=0.3)
    dropout: float = field(
        "Share of the discriminator's features dropped after each convolution.",
        between(0, 0.95),
        default=0.3,
    )
    initializer: str = field(
        "Keras's default, He's for rectified layers, or the DCGAN paper's normal one of standard "
        "deviation 0.02.",
        one_of("glorot_uniform", "he_normal", "normal"),
        default="glorot_uniform",
    )

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sides of the images and feature maps in pixels, each half of the one before, rounded up."""
        sizes = [self.image_size]
        while (half := -(-sizes[-1] // 2)) >= self.coarsest_size and half < sizes[-1]:
            sizes.append(half)
        return tuple(sizes)


class TrainingConfig(schema.Config):
    """How the two networks are trained.

    Example:
        >>> dcgan.TrainingConfig(loss="hinge", epochs=20, ema_decay=0.999).to_dict()["loss"]
        'hinge'
    """

    batch_size: int = field("Images in a step, over all replicas together.", at_least(1), default=256)
    epochs: int = field("Passes over the data.", at_least(1), default=50)
    loss: str = field("The adversarial loss.", one_of(*Loss), default="non_saturating")
    label_smoothing: float = field(
        "How far below 1 the target of reals lies; 0 with losses without labels.",
        between(0, 1),
        default=0.0,
    )
    r1_gamma: float = field(
        "Weight of the R1 penalty on reals at 32 pixels and a batch of 64; it follows the size and the "
        "batch: four times for twice the side, half for twice the batch. 0 for none.",
        between(0, 1_000_000),
        default=0.0,
    )
    r2_gamma: float = field(
        "Likewise of the R2 penalty, the same on fakes.", between(0, 1_000_000), default=0.0
    )
    penalty_interval: int = field(
        "Steps from one R1 and R2 penalty to the next.", at_least(1), default=16
    )
    generator_learning_rate: float = field("Step size of the generator's Adam.", above(0), default=1e-4)
    discriminator_learning_rate: float = field(
        "Step size of the discriminator's Adam.", above(0), default=1e-4
    )
    beta_1: float = field("Decay of Adam's mean of gradients.", at_least(0, below=1), default=0.9)
    beta_2: float = field(
        "Decay of Adam's mean of squared gradients.", at_least(0, below=1), default=0.999
    )
    learning_rate_schedule: str = field(
        "Constant, or a cosine over all epochs.", one_of("constant", "cosine"), default="constant"
    )
    learning_rate_floor: float = field(
        "Share of the learning rates that the cosine ends at.", between(0, 1), default=0.0
    )
    ema_decay: float = field(
        "Decay of the generator's moving average, which samples are drawn from; 0 for no average.",
        at_least(0, below=1),
        default=0.0,
    )
    augmentation: str = field(
        "How reals and fakes are distorted: by DiffAugment's policy, or by ADA, whose strength follows "
        "how far the discriminator separates them; empty for not at all.",
        either(ADAPTIVE, any_of(*Augmentation)),
        default="",
    )
    checkpoint_every: int = field("Epochs from one checkpoint to the next.", at_least(1), default=5)
    evaluate_every: int = field(
        "Epochs from one measurement of the samples' distance to the next.", at_least(1), default=1
    )

    def __post_init__(self) -> None:
        """Checks every value, and those that depend on each other."""
        super().__post_init__()
        if self.label_smoothing and self.loss not in SMOOTHABLE_LOSSES:
            raise InputError(
                f"label_smoothing: expected 0 with the {self.loss} loss. "
                f"Received: {self.label_smoothing!r}"
            )

    def rate_share(self, done: float) -> float:
        """Returns the share that is left of the learning rates.

        Args:
            done: Share of the training that is done, 0 to 1.
        """
        if self.learning_rate_schedule == "constant":
            return 1.0
        floor = self.learning_rate_floor
        return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * done))


class RunConfig(schema.Config):
    """Everything that decides how a run ends; `config.json` in the run's directory.

    Example:
        >>> network = dcgan.NetworkConfig(image_size=64, channels=3)
        >>> config = dcgan.RunConfig(data="photos", network=network, seed=1)
        >>> dcgan.RunConfig.from_dict(config.to_dict()) == config
        True
    """

    preset: str = field("The preset that the values started from.", default="mnist")
    data: str = field(
        "mnist (bundled), a TensorFlow Datasets name, a folder of images or of IDX files, a .npy or "
        ".npz file, a TFRecord file or a folder of such.",
        default="mnist",
    )
    split: str = field("Part of the data to train on, such as train or train[:10000].", default="train")
    skip_bad: bool = field("Leave out image files that cannot be read.", default=False)
    features: str = field(
        "Feature extractor that measures samples: none, mnist, learned (from the labels of "
        "the run's images; random without), random, inception_v3, a .keras file, or auto (mnist for "
        "MNIST, else learned).",
        default="auto",
    )
    network: NetworkConfig = field("The networks' shape.", default=NetworkConfig())
    training: TrainingConfig = field("How the networks are trained.", default=TrainingConfig())
    precision: str = field("Precision of the computation.", one_of(*PRECISIONS), default="float32")
    strategy: str = field("Devices to train on.", one_of(*STRATEGIES), default="one_device")
    seed: int = field(
        "Seed of weights, latents, dropout and the order of images.", between(0, 2**31 - 1), default=0
    )

    def __post_init__(self) -> None:
        """Checks every value, and those that depend on each other."""
        super().__post_init__()
        for name in ("r1_gamma", "r2_gamma"):
            if (gamma := getattr(self.training, name)) and self.network.discriminator_norm == "batch":
                raise InputError(
                    f"{name}: expected 0 with discriminator_norm='batch', under which an image's own "
                    f"gradient is not defined. Received: {gamma!r}"
                )

    @property
    def penalty_scale(self) -> float:
        """What the penalties' weights are multiplied by at this size and batch.

        Reference:
            - [Karras et al., 2020](https://arxiv.org/abs/2006.06676), the weights that their code picks
        """
        return (self.network.image_size / 32) ** 2 * 64 / self.training.batch_size
