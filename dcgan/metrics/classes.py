"""Metrics of class probabilities."""

import numpy as np


def class_shares(probabilities: np.ndarray) -> np.ndarray:
    """Returns the share of images in each class, by the most probable class.

    Args:
        probabilities: Shape (count, classes), rows sum to 1.

    Returns:
        Shape (classes,), float64.

    Example:
        >>> class_shares(np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]]))
        array([0.75, 0.25])
    """
    winners = probabilities.argmax(axis=1)
    return np.bincount(winners, minlength=probabilities.shape[1]) / len(winners)


def entropy(shares: np.ndarray) -> float:
    """Returns the entropy of shares in nats: 0 for one class only, log(classes) for equal shares.

    Args:
        shares: Shape (classes,), 0 or more, sums to 1.

    Example:
        >>> round(entropy(np.array([0.5, 0.5])), 2)
        0.69
    """
    positive = shares[shares > 0]
    return float(positive @ -np.log(positive))


def class_divergence(real: np.ndarray, fake: np.ndarray) -> float:
    """Returns the Kullback-Leibler divergence of the fakes' class shares from the real ones, in nats.

    A class without a fake adds nothing by itself; the other classes show the surplus. A class without a
    real image counts as half an image, so that the value stays finite.

    Args:
        real: Probabilities, shape (real count, classes).
        fake: Probabilities, shape (fake count, classes).

    Returns:
        The divergence, 0 for equal shares. Lower is better.

    Example:
        >>> real, fake = np.eye(2)[[0, 0, 1, 1]], np.eye(2)[[0, 0, 0, 1]]
        >>> round(class_divergence(real, fake), 2)
        0.13

    Reference:
        Metz et al. (2017), Unrolled Generative Adversarial Networks: the divergence over modes.
    """
    fake_shares = class_shares(fake)
    real_shares = np.maximum(class_shares(real), 0.5 / len(real))
    real_shares = real_shares / real_shares.sum()
    present = fake_shares > 0
    ratio = fake_shares[present] / real_shares[present]
    return max(0.0, float(fake_shares[present] @ np.log(ratio)))


def classifier_score(
    probabilities: np.ndarray, *, splits: int = 10, seed: int = 0
) -> tuple[float, float]:
    r"""Returns the mean and spread of the classifier score; the Inception Score with Inception's.

    .. math:: \exp\,\mathrm{E}_x\,\mathrm{KL}(p(y|x)\,\|\,p(y))

    High where every image is of one class beyond doubt and all classes are equally frequent.

    Args:
        probabilities: Shape (count, classes), rows sum to 1.
        splits: Equal parts, in random order, that are scored apart. Defaults to 10.
        seed: Seed of the order. Defaults to 0.

    Returns:
        The mean over parts, 1 to the number of classes (higher is better), and the standard
        deviation among them.

    Raises:
        ValueError: If there are fewer images than parts.

    Example:
        >>> mean, spread = classifier_score(np.eye(10)[np.arange(1000) % 10])
        >>> round(mean, 1)
        9.6

    Reference:
        Salimans et al. (2016), Improved Techniques for Training GANs.
    """
    if len(probabilities) < splits:
        raise ValueError(f"Expected {splits} images or more. Received: {len(probabilities)}")
    order = np.random.default_rng(seed).permutation(len(probabilities))
    scores = [_score(part) for part in np.array_split(probabilities[order], splits)]
    return float(np.mean(scores)), float(np.std(scores))


def _score(probabilities: np.ndarray) -> float:
    """Returns exp(entropy of the mean - mean of the entropies), which is the same expression."""
    # A probability that float32 rounds to 0 has no logarithm and adds nothing.
    logs = np.log(np.where(probabilities > 0, probabilities, 1.0))
    inner = float(np.mean(np.sum(probabilities * logs, axis=1)))
    return float(np.exp(inner + entropy(probabilities.mean(axis=0))))
